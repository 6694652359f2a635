"""The reference methods, re-implemented here as the literature describes them; what lgraph is held against.

Each is a function from a :class:`~lineage_graph.bench.references.weights.WeightZoo` to a graph, parent → child, whose
edges have a ``kind``. Where a method has to be told something, it is told the truth: the number of families.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from lineage_graph.bench.references import mother, norm, spanning, tensorlock
from lineage_graph.bench.references.weights import WeightZoo

if TYPE_CHECKING:
    import networkx as nx

Reference = Callable[[WeightZoo], "nx.DiGraph[str]"]

REFERENCES: Mapping[str, Reference] = {
    "nearest + spanning tree": spanning.build,
    "MoTHer −": partial(mother.build, rises=False),
    "MoTHer +": partial(mother.build, rises=True),
    "smallest norm": norm.build,
    "TensorLock-like +": partial(tensorlock.build, rises=True),
    "TensorLock-like −": partial(tensorlock.build, rises=False),
}
"""By row; + and −: whether what the direction rule looks at grows from parent to child, or shrinks."""
