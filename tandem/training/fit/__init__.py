"""Training: data sets, losses, and the loops that fit the networks."""
