"""Ids that a format can hold, one for each model."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lineage_graph.visible import visible


def distinct(nodes: Sequence[str], clean: Callable[[str], str] = visible) -> dict[str, str]:
    """Each node's id made ``clean``; two that become equal are told apart by a number: ``a~2``."""
    ids: dict[str, str] = {}
    taken: set[str] = set(nodes)
    for node in nodes:
        short = candidate = clean(node)
        number = 2
        while candidate != node and candidate in taken:
            candidate = f"{short}~{number}"
            number += 1
        taken.add(candidate)
        ids[node] = candidate
    return ids
