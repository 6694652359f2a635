"""Readers: one small file per format, chosen by content."""
