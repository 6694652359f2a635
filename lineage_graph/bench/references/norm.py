"""Smallest norm: the training-free rule of "Neural Phylogeny" (ICLR 2025).

Its parent is the member of a cluster that is nearest to a fake initialisation, which is in effect the one with the
smallest weight norm. The rest of the family grows from there, always by the model that is nearest to one already in it.
The number of clusters is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage_graph.bench.references.families import families
from lineage_graph.bench.references.spanning import rooted, spanning_forest
from lineage_graph.bench.references.weights import WeightZoo

if TYPE_CHECKING:
    import networkx as nx


def build(zoo: WeightZoo) -> nx.DiGraph[str]:
    """One tree a family, from its member of smallest norm."""
    import networkx as nx

    forest: nx.Graph[int] = nx.Graph()
    for members in families(zoo.distance, zoo.families, "ward"):
        forest.update(spanning_forest(zoo, members))
    norms = [model.norm for model in zoo.models]
    roots = [min(part, key=norms.__getitem__) for part in nx.connected_components(forest)]
    return rooted(zoo, forest, roots)
