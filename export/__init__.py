"""From torch to ONNX to TensorRT, with a parity check of every step."""
