"""Scripts for developers: how the files that the program ships were made, and how to make them again.

Run them from the repository root as modules (`python -m tools.rebuild_models ...`). They are not part of the
installed program. What they need beyond the program itself (`onnx`, `tflite`, `flatbuffers`) is imported by the
module that needs it, so the rest works without.
"""
