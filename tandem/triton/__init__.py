"""Between Triton's Python backend and a service's steps."""
