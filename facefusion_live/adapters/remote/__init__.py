"""Nets that run on another machine: a client of the Open Inference Protocol (KServe v2) over gRPC."""
