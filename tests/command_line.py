"""What the tests of the command line share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from typer.testing import Result

Call = Callable[..., Result]


def node(name: str, family: int, role: str, generation: int = 1, status: str = "ok") -> dict[str, Any]:
    """A node's attributes."""
    return {
        "label": name,
        "family": family,
        "generation": generation,
        "role": role,
        "architecture": "resnet18",
        "parameters": 10,
        "format": "safetensors",
        "source": "path",
        "sha256": "",
        "declared_parents": [],
        "features": "",
        "weights": "",
        "status": status,
        "message": "",
    }


def edge(kind: str = "finetune") -> dict[str, Any]:
    """An edge's attributes."""
    return {
        "kind": kind,
        "confidence": 1.0,
        "direction_confidence": 0.9,
        "distance": 0.1,
        "evidence": {"distance": 0.1},
        "declared": "absent",
    }
