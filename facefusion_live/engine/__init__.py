"""Threads and order. Imports the domain; pixels and nets are behind its ports."""
