"""The document classifier from torch to what is served."""
