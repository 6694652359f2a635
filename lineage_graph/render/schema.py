"""The attributes of the contract with their types, and how their values are written."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

NODE: Mapping[str, type] = {
    "label": str,
    "family": int,
    "generation": int,
    "role": str,
    "architecture": str,
    "parameters": int,
    "format": str,
    "source": str,
    "sha256": str,
    "declared_parents": list,
    "features": str,
    "weights": str,
    "license": str,
    "created": str,
    "library": str,
    "audit": str,
    "status": str,
    "message": str,
    "origins": list,
}

EDGE: Mapping[str, type] = {
    "kind": str,
    "confidence": float,
    "direction_confidence": float,
    "distance": float,
    "evidence": dict,
    "declared": str,
    "layers": list,
    "conflict": str,
    "by_block": dict,
}

ORIGIN: Mapping[str, type] = {"block": str, "model": str, "there": str, "probability": float, "cosine": float}
"""One entry of a node's ``origins``, in network order: the block of ``model`` that this ``block`` comes from; both
empty where it comes from none. There may be ``runners``: the next likely (model, block, probability)."""

LATER = frozenset(["origins", "layers", "conflict", "by_block", "license", "created", "library", "audit", "weights"])
"""Attributes that graphs of earlier versions lack: empty there."""


def jsonable(value: Any) -> Any:
    """``value`` with numbers that JSON cannot hold as ``Infinity``, ``-Infinity`` or ``NaN`` in strings."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping):
        return {key: jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    return value
