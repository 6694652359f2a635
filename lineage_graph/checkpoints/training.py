"""What a pickled checkpoint says beside its weights: training counters and the architecture's name."""

from __future__ import annotations

from collections.abc import Callable

from lineage_graph.checkpoints.base import Values
from lineage_graph.checkpoints.counters import counters_in
from lineage_graph.checkpoints.nodes import SCRIPT, child, children, is_optimizer, qualified

ARCHITECTURE_KEYS = ("architecture", "arch", "model_name", "model_type")
"""Where a checkpoint says in a word what it is."""

_MOST_STEPS = 10_000
_LONGEST_WORD = 80


def training_counters(root: object, leaf: Callable[[object], Values | None]) -> dict[str, float]:
    """Counters at the top level, and as ``optimizer_step`` the largest step of any optimizer's state."""
    top = children(root)
    found = counters_in(top)
    optimizers = [part for part in (root, *top.values()) if is_optimizer(part)]
    steps = [step for optimizer in optimizers for step in _steps(optimizer, leaf)]
    return {**found, "optimizer_step": max(steps)} if steps else found


def architecture(root: object, weights: object) -> str:
    """The word that the checkpoint has for it, or the class of the pickled module that holds the weights."""
    top = children(root)
    words = (top.get(key) for key in ARCHITECTURE_KEYS)
    word = next((word for word in words if isinstance(word, str) and word), qualified(weights).removeprefix(SCRIPT))
    return word[:_LONGEST_WORD]


def _steps(optimizer: object, leaf: Callable[[object], Values | None]) -> list[float]:
    """``state`` maps each parameter to a table with its ``step``, a number or a tensor of one."""
    found: list[float] = []
    for _, entry in zip(range(_MOST_STEPS), children(child(optimizer, "state")).values(), strict=False):
        step = child(entry, "step")
        values = leaf(step)
        if values is not None and values.shape in ((), (1,)):
            step = values.read().item()
        found += counters_in({"step": step}).values()
    return found
