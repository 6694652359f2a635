"""Training counters that checkpoints store beside their weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

NAMES = {
    **dict.fromkeys(("epoch", "epochs", "ss_epoch", "current_epoch", "epoch_num"), "epoch"),
    **dict.fromkeys(("global_step", "globalstep", "training_steps", "num_updates"), "global_step"),
    **dict.fromkeys(("step", "steps", "ss_steps"), "step"),
    **dict.fromkeys(("iteration", "iterations", "iter", "iters", "it", "niter"), "iteration"),
    "num_timesteps": "num_timesteps",
    "total_timesteps": "total_timesteps",
    **dict.fromkeys(("_n_updates", "n_updates"), "n_updates"),
}
"""Stored name in lower case → canonical name."""


def is_counter(name: str) -> bool:
    """Whether a stored name is that of a counter."""
    return name.lower() in NAMES


def counters_in(table: Mapping[Any, Any]) -> dict[str, float]:
    """Every known counter among the top-level entries that is a plain number (or a string that spells one) ≥ 0.

    ``total_timesteps`` is kept apart from ``num_timesteps``: the first may be a budget. Where two spellings of one
    counter occur, the larger value counts.
    """
    found: dict[str, float] = {}
    for key, value in table.items():
        name = NAMES.get(key.lower()) if isinstance(key, str) else None
        number = _number(value)
        if name is not None and number is not None:
            found[name] = max(number, found.get(name, 0.0))
    return found


def _number(value: Any) -> float | None:
    if isinstance(value, str) and len(value) < 20 and value.strip().isdecimal():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not (0 <= value < 1e18 and math.isfinite(value)):
        return None
    return float(value)
