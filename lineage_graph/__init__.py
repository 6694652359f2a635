"""Reads where models come from out of their weights."""

__version__ = "0.1.0"
