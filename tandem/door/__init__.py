"""The door: the public way to the services, over plain HTTP, KServe v2 and gRPC; Triton stays behind it."""
