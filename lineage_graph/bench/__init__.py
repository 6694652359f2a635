"""The project's own measurements, each a ratio within one run."""
