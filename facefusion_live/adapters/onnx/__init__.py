"""Nets run by ONNX Runtime. The only home of that library."""
