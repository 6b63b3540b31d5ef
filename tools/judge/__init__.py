"""What `tools/quality.py` judges with: its own nets, mesh and measures. Nothing here imports the program."""
