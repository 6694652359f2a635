"""Readers: one small file per format, chosen by content."""

from lineage_graph.checkpoints.base import CHUNK, Reader
from lineage_graph.checkpoints.open import open_checkpoint, weight_files

__all__ = ["CHUNK", "Reader", "open_checkpoint", "weight_files"]
