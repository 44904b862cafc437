"""What the recogniser's time steps say: characters, rows, fields, checks."""
