"""Small real networks for pixels and boxes on a classifier's backbone; they import torch, and are imported late."""
