"""What the backend `onnxruntime` of the embedded server does, apart from talking to Triton.

It reads the same config as NVIDIA's native backend, so that one model repository runs on both. Source of what
each setting means: the README and `src/onnxruntime.cc` of triton-inference-server/onnxruntime_backend.
"""
