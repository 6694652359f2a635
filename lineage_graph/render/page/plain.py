"""Values as JSON that is safe to show: text made visible, numbers shortened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lineage_graph.visible import visible


def plain(value: Any) -> Any:
    """Text made visible, numbers shortened, at any depth."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, float):
        return short(value)
    if isinstance(value, Mapping):
        return {visible(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def short(value: float) -> float | str:
    """Five digits are more than a page shows; what JSON cannot hold becomes a word."""
    shortened = float(f"{value:.5g}")
    return shortened if abs(shortened) < float("inf") else str(shortened)
