"""Wiring: which concrete parts the program is put together from, and where its files lie."""
