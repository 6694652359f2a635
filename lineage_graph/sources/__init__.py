"""Where models come from: a manifest entry becomes files on disk."""
