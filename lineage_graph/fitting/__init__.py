"""Fits the numbers of ``calibration``: reliability of direction cues, and confidence of edges, on grown zoos."""
