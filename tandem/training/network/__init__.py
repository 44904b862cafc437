"""The networks, and how their outputs become quads."""
