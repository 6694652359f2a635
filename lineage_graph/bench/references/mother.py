"""MoTHer: "Unsupervised Model Tree Heritage Recovery" (Horwitz, Shul & Hoshen, ICLR 2025).

Ward clustering of the weight distances into families, whose number is given. In each, the kurtosis of the weights,
layer by layer, says which of two models came first: it rises in pre-training and falls in specialisation, and which of
the two it was has to be known, so there are two rows. An edge against it pays a penalty on top of its distance, and
Edmonds' algorithm finds the arborescence that costs least.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lineage_graph.bench.references.families import families
from lineage_graph.bench.references.weights import Backbone, WeightZoo

if TYPE_CHECKING:
    import networkx as nx

PENALTY = 0.3
"""Of an edge against the kurtosis, in units of the family's mean distance."""

_VIRTUAL = -1
"""A root over everything, so that a family in parts that cannot be compared has an arborescence too."""


def build(zoo: WeightZoo, *, rises: bool) -> nx.DiGraph[str]:
    """One arborescence a family. ``rises``: whether kurtosis is larger in the child."""
    import networkx as nx

    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(zoo.ids)
    tails = [kurtosis(model) * (1 if rises else -1) for model in zoo.models]
    for members in families(zoo.distance, zoo.families, "ward"):
        tree = nx.minimum_spanning_arborescence(_costs(zoo, members, tails), attr="cost")
        edges = [(zoo.ids[a], zoo.ids[b]) for a, b in tree.edges if a != _VIRTUAL]
        graph.add_edges_from(edges, kind="finetune")
    return graph


def kurtosis(model: Backbone) -> float:
    """Mean over the weight matrices of their fourth standardised moment (normal: 3); NaN where there is no matrix."""
    from scipy.stats import kurtosis as moment

    values = [float(moment(one, axis=None, fisher=False)) for one in model.matrices.values() if np.ptp(one) > 0]
    return float(np.mean(values)) if values else float("nan")


def _costs(zoo: WeightZoo, members: Sequence[int], tails: Sequence[float]) -> nx.DiGraph[int]:
    """All edges within a family. A virtual root's edges cost more than all others together: it is used once a part."""
    import networkx as nx

    block = zoo.distance[np.ix_(members, members)]
    apart = block[np.isfinite(block) & ~np.eye(len(members), dtype=bool)]
    penalty = PENALTY * float(apart.mean()) if apart.size else 0.0
    beyond = 1.0 + float(apart.sum()) + penalty * len(members)
    costs: nx.DiGraph[int] = nx.DiGraph()
    for child in members:
        costs.add_edge(_VIRTUAL, child, cost=beyond)
        for parent in members:
            if parent != child and np.isfinite(zoo.distance[parent, child]):
                against = tails[parent] > tails[child]
                costs.add_edge(parent, child, cost=float(zoo.distance[parent, child]) + penalty * against)
    return costs
