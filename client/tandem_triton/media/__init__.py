"""Whatever a caller calls a picture, a sound or a text, as the bytes to send."""
