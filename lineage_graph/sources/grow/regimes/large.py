"""Zoos of many models: the paper's 300, and a heap of everything."""

from __future__ import annotations

from collections.abc import Mapping

from lineage_graph.sources.grow.draft import MEDIUM, Draft, Populate
from lineage_graph.sources.grow.regimes import apart, joined, laundered, runs, tunes, typed

_ROOTS = ("test_resnet", "test_vit", "test_resnet", "test_convnext", "test_vit")
_SHARES = (45, 100, 150)
"""Models of the generations 2 to 4 in a zoo of 300."""


def lineage300(draft: Draft, models: int) -> None:
    """Five roots, two of them of one architecture and two of another, and three generations of fine-tunes (Fig. 5).

    Each model is the child of a random one of the generation before; every root has a child where there are enough.
    """
    parents = [draft.root(architecture) for architecture in _ROOTS]
    left = models - len(parents)
    for number, share in enumerate(_SHARES):
        size = left if number == len(_SHARES) - 1 else max(1, (models - len(_ROOTS)) * share // sum(_SHARES))
        chosen = [*draft.dice.shuffled(parents)[:size], *(draft.dice.pick(parents) for _ in range(size - len(parents)))]
        if number:
            chosen = [draft.dice.pick(parents) for _ in range(size)]
        parents = [draft.child(parent, MEDIUM) for parent in chosen]
        left -= size


_HEAP: Mapping[str, tuple[Populate, int]] = {
    "near": (tunes.near, 4),
    "typed": (typed.typed, 8),
    "merges": (joined.merges, 7),
    "laundered": (laundered.laundered, 6),
    "far": (tunes.far, 4),
    "hybrids": (joined.hybrids, 5),
    "snapshots": (runs.snapshots, 4),
    "shared-init": (apart.shared_init, 4),
    "distilled": (apart.distilled, 3),
    "orphans": (tunes.orphans, 6),
}
"""Regime → models of it in a heap of 51."""

HEAP_LEAST = sum(least for _, least in _HEAP.values())


def heap(draft: Draft, models: int) -> None:
    """Some of everything; what is left over after equal shares are near fine-tunes."""
    times = models // HEAP_LEAST
    for populate, least in _HEAP.values():
        populate(draft, least * times)
    if models > HEAP_LEAST * times:
        tunes.near(draft, models - HEAP_LEAST * times)
