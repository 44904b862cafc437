"""Real-time reading of identity cards on Triton, two at a time."""
