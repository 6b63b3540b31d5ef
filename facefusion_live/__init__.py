"""FaceFusion Live: real-time face swapping that fails closed, tells its latency and labels what it makes."""

__version__ = "0.1.0"
