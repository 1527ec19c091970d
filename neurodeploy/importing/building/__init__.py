"""What handlers build with: the Network under construction, and one ONNX node as they see it."""
