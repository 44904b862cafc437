"""The ways to a Triton server, gRPC and HTTP, and the bytes on the wire."""
