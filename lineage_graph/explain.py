"""Why there is an edge between two models, or why there is none: what a build wrote, and what it kept, put together.

Reads the built graph and the store; opens no checkpoint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lineage_graph import evidence
from lineage_graph.comparison import turned
from lineage_graph.errors import LineageGraphError
from lineage_graph.render import reading
from lineage_graph.signals.registry import is_signed
from lineage_graph.store import Store
from lineage_graph.types import LineageGraph, Rejected, TensorComparison


@dataclass(frozen=True, slots=True)
class Explanation:
    """``edge``: the attributes of the edge between the two, or ``None``; ``reversed``: it runs child → parent.

    ``rejected``: the near miss, where there was one. ``path``: the models between the two where one descends from the
    other through others, both ends included. ``tensors``: per aligned tensor, as (parent, child); empty where the store
    has no comparison of the two. ``note``: how features were linearized, where not exactly, and why. ``parts``: what
    each parent gave the child, by parent, where the edge is one of a merge or a splice; the largest part first.
    ``silent``: why the learned detector says nothing of an edge; empty where it says something, or there is no edge.
    """

    parent: str
    child: str
    edge: Mapping[str, Any] | None
    reversed: bool
    rejected: Rejected | None
    path: tuple[str, ...]
    tensors: tuple[TensorComparison, ...]
    note: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)
    silent: str = ""

    @property
    def unseen(self) -> bool:
        """Is one of the two an ancestor that is not in the zoo?"""
        return self.edge is not None and "unseen" in self.edge["evidence"]

    @property
    def signals(self) -> Mapping[str, float]:
        """The edge's signals, direction cues left out; signed ones point from ``parent`` to ``child``."""
        values = self.edge["evidence"] if self.edge else {}
        return {
            name: -value if self.reversed and is_signed(name) else value
            for name, value in values.items()
            if not name.startswith("direction.")
        }

    @property
    def cues(self) -> Mapping[str, float]:
        """Log-odds of each direction cue for ``parent`` → ``child``."""
        values = self.edge["evidence"] if self.edge else {}
        sign = -1 if self.reversed else 1
        return {k.removeprefix("direction."): sign * v for k, v in values.items() if k.startswith("direction.")}


def explain(lineage: LineageGraph, parent: str, child: str, store: Store) -> Explanation:
    """Everything known of the two models as ``parent`` and ``child``. Raises :class:`LineageGraphError` that names the
    model that the graph lacks, or that could not be read.
    """
    graph = lineage.graph
    for name in (parent, child):
        _known(lineage, name)
    if parent == child:
        raise LineageGraphError(f"{parent!r} is one model; explain takes two")
    backwards = graph.has_edge(child, parent)
    edge = graph.edges[child, parent] if backwards else graph.edges.get((parent, child))
    missed = (miss for miss in lineage.rejected if {miss.a, miss.b} == {parent, child})
    return Explanation(
        parent=parent,
        child=child,
        edge=edge,
        reversed=backwards,
        rejected=next(missed, None),
        path=_path(lineage, parent, child) or _path(lineage, child, parent),
        tensors=_tensors(graph.nodes[parent]["sha256"], graph.nodes[child]["sha256"], store),
        note=_note(edge, str(graph.nodes[parent]["features"])),
        parts=_parts(lineage, parent if backwards else child, edge),
        silent=_silent(edge),
    )


def origins_of(lineage: LineageGraph, model: str) -> list[dict[str, Any]]:
    """Where each block of ``model`` comes from, in the order of the network, as the build wrote it.

    Raises :class:`LineageGraphError` that names the model that the graph lacks, that could not be read, or of which no
    blocks are known.
    """
    found: list[dict[str, Any]] = _known(lineage, model)["origins"]
    if not found:
        raise LineageGraphError(
            f"{model}: no blocks are known; an earlier version built this graph, or it is no network"
        )
    return found


def _known(lineage: LineageGraph, model: str) -> Mapping[str, Any]:
    """The attributes of a model that was read."""
    if model not in lineage.graph:
        raise LineageGraphError(f"the graph {lineage.name!r} has no model {model!r}")
    facts: Mapping[str, Any] = lineage.graph.nodes[model]
    if facts["status"] != "ok":
        raise LineageGraphError(f"{model}: {facts['status']}: {facts['message']}")
    return facts


def _note(edge: Mapping[str, Any] | None, features: str) -> str:
    """``features``: what the build says of either side's network, the reason among it."""
    if edge is None or "linearized.taylor" not in edge["evidence"]:
        return ""
    return f"features are linearized in the Taylor form, a lower bound of the distance: {features}"


def _parts(lineage: LineageGraph, child: str, edge: Mapping[str, Any] | None) -> dict[str, str]:
    """By parent of ``child``: its coefficient, or its blocks in runs."""
    graph = lineage.graph
    if edge is None or edge["kind"] not in ("merge", "splice"):
        return {}
    found = {}
    for parent in reading.joined(graph, edge["kind"])[child]:
        runs = reading.blocks(graph, parent, child)
        blocks = ", ".join(first if first == last else f"{first} to {last}" for first, last in runs)
        found[parent] = reading.share(graph.edges[parent, child]) or blocks
    return found


def _silent(edge: Mapping[str, Any] | None) -> str:
    if edge is None or "detector.parent" in edge["evidence"]:
        return ""
    if "unseen" in edge["evidence"]:
        return "an unseen ancestor has no weights to compare: this edge is inferred from how its descendants lie apart"
    return (
        "the learned detector says nothing of these two: it abstained or was not asked, "
        "a network gave it nothing to look at, or too little of the weights agrees"
    )


def _path(lineage: LineageGraph, start: str, end: str) -> tuple[str, ...]:
    """The models from ``start`` down to ``end``; empty where there is no way."""
    came_from: dict[str, str] = {}
    waiting = [start]
    while waiting:
        node = waiting.pop()
        if node == end:
            way = [end]
            while way[-1] != start:
                way.append(came_from[way[-1]])
            return tuple(reversed(way))
        for child in lineage.graph.successors(node):
            if child not in came_from:
                came_from[child] = node
                waiting.append(child)
    return ()


def _tensors(parent: str, child: str, store: Store) -> tuple[TensorComparison, ...]:
    """The comparison of two digests, turned so that a is the parent."""
    a, b = sorted((parent, child))
    kept = (store.get("comparison", evidence.key(a, b, narrowed=narrowed)) for narrowed in (True, False))
    data = next((one for one in kept if one is not None), None)
    if data is None:
        return ()
    tensors = evidence.from_bytes(data)
    return tensors if a == parent else tuple(turned(tensor) for tensor in tensors)
