"""A pipeline after TensorLock (2026), as far as its description goes.

1. Families: how far spread, skewness and kurtosis of the weights agree, layer by layer (Pearson correlation, mean of
   the three); average linkage, with the number of families given.
2. Quantised models: on a lattice of few values; each descends from the model in full precision that its own values,
   taken for numbers, correlate with best.
3. Merges: least squares, child ≈ Σ a_i · parent_i, with a_i ≥ 0, over its nearest relatives.
4. Direction: of two relatives the one of lower effective rank is the parent, as the original has it; the other sign has
   a row too. Each model descends from its nearest among those that may be its parent.

Adapters, which the original reads from their configuration, have no part in it: these are weights only.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lineage_graph.bench.references.families import families
from lineage_graph.bench.references.weights import Backbone, Layers, WeightZoo, partners

if TYPE_CHECKING:
    import networkx as nx

RELATIVES = 6
"""A model's nearest that may take part in a merge."""
LEAST_SHARE = 0.05
"""Coefficient from which a model counts as a parent of a merge."""
LARGEST_REST = 0.05
"""Of a merge: ‖child - Σ‖² over the squared distance to the nearest model."""
LEAST_CORRELATION = 0.9
"""Of a quantised model with its original."""
LEAST_LAYERS = 3
"""Layers from which a correlation over them says anything."""

Statistics = dict[str, tuple[float, float, float]]
"""By weight matrix: standard deviation, skewness, kurtosis."""


def build(zoo: WeightZoo, *, rises: bool) -> nx.DiGraph[str]:
    """The pipeline's graph; a merge has several parents. ``rises``: whether effective rank is higher in the child."""
    import networkx as nx

    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(len(zoo)))
    for parent, child in _quantised(zoo):
        graph.add_edge(parent, child, kind="quantize")
    for members in families(_unlikeness(zoo), zoo.families, "average"):
        for child in members:
            merged = _merge(zoo, child, members) if graph.in_degree(child) == 0 else []
            if len(merged) > 1 and not any(nx.has_path(graph, child, parent) for parent in merged):
                graph.add_edges_from(((parent, child) for parent in merged), kind="merge")
        _descend(zoo, members, graph, rises)
    named: nx.DiGraph[str] = nx.DiGraph()
    named.add_nodes_from(zoo.ids)
    named.add_edges_from((zoo.ids[a], zoo.ids[b], data) for a, b, data in graph.edges(data=True))
    return named


def _unlikeness(zoo: WeightZoo) -> npt.NDArray[np.float64]:
    """1 - the layers' agreement, shape (n, n), 0 to 2; infinite where two models cannot be compared."""
    known = [statistics(model) for model in zoo.models]
    found = np.zeros((len(zoo), len(zoo)))
    for i, j in combinations(range(len(zoo)), 2):
        pairs = [
            (known[i][a], known[j][b])
            for a, b in partners(zoo.models[i].matrices, zoo.models[j].matrices)
            if a in known[i] and b in known[j]
        ]
        found[i, j] = found[j, i] = max(1 - agreement(pairs), 0.0) if len(pairs) >= LEAST_LAYERS else np.inf
    return found


def statistics(model: Backbone) -> Statistics:
    """Of every weight matrix whose values are not all the same."""
    from scipy.stats import kurtosis, skew

    return {
        name: (float(values.std()), float(skew(values, axis=None)), float(kurtosis(values, axis=None)))
        for name, values in model.matrices.items()
        if np.ptp(values) > 0
    }


def agreement(pairs: Sequence[tuple[tuple[float, float, float], tuple[float, float, float]]]) -> float:
    """Mean over the three statistics of their Pearson correlation over the layers, -1 to 1."""
    sides = np.array(pairs).transpose(1, 2, 0)  # (2 models, 3 statistics, layers)
    centred = sides - sides.mean(axis=2, keepdims=True)
    lengths = np.maximum(np.linalg.norm(centred, axis=2), 1e-12)
    return float(np.mean((centred[0] * centred[1]).sum(axis=1) / (lengths[0] * lengths[1])))


def _quantised(zoo: WeightZoo) -> list[tuple[int, int]]:
    """(original, quantised model); the scale of the lattice does not matter to a correlation."""
    edges = []
    full = [index for index, model in enumerate(zoo.models) if not model.coarse]
    for child, model in enumerate(zoo.models):
        alike = [(correlation(zoo.models[one].matrices, model.matrices), one) for one in full] if model.coarse else []
        best, original = max(alike, default=(0.0, 0))
        if best >= LEAST_CORRELATION:
            edges.append((original, child))
    return edges


def correlation(a: Layers, b: Layers) -> float:
    """Mean over the layers of the Pearson correlation of their values, by size, -1 to 1; 0 where none can be compared.

    Layer by layer, since each may have a scale of its own.
    """
    total, size = 0.0, 0
    for name_a, name_b in partners(a, b):
        x, y = a[name_a].ravel() - a[name_a].mean(), b[name_b].ravel() - b[name_b].mean()
        length = float(np.linalg.norm(x) * np.linalg.norm(y))
        total += x.size * float(x @ y) / length if length > 0 else 0.0
        size += x.size
    return total / size if size else 0.0


def _merge(zoo: WeightZoo, child: int, members: Sequence[int]) -> list[int]:
    """The parents of a model that is a sum of several relatives; empty where it is none."""
    from scipy.optimize import nnls

    near = sorted((one for one in members if _comparable(zoo, one, child)), key=lambda one: zoo.distance[one, child])
    near = near[:RELATIVES]
    names = set(zoo.models[child].tensors).intersection(*(zoo.models[one].tensors for one in near))
    shapes = {name: zoo.models[child].tensors[name].shape for name in names}
    shared = sorted(n for n in names if all(zoo.models[one].tensors[n].shape == shapes[n] for one in near))
    if len(near) < 2 or not shared:
        return []
    target = _flat(zoo.models[child], shared)
    basis = np.stack([_flat(zoo.models[one], shared) for one in near], axis=1)
    nearest = float(np.min(((basis - target[:, None]) ** 2).sum(axis=0)))
    # The normal equations in the place of the tall system: a few unknowns, as many equations as there are weights.
    root = np.linalg.cholesky(basis.T @ basis + 1e-9 * np.trace(basis.T @ basis) * np.eye(len(near)))
    shares, _ = nnls(root.T, np.linalg.solve(root, basis.T @ target))
    rest = float(((target - basis @ shares) ** 2).sum())
    chosen = [one for one, share in zip(near, shares, strict=True) if share >= LEAST_SHARE]
    return chosen if len(chosen) > 1 and rest <= LARGEST_REST * nearest else []


def _comparable(zoo: WeightZoo, one: int, child: int) -> bool:
    """A copy would explain its twin alone, and is no part of a sum."""
    return one != child and 0 < zoo.distance[one, child] < np.inf


def _flat(model: Backbone, names: Sequence[str]) -> npt.NDArray[np.float64]:
    return np.concatenate([model.tensors[name].ravel() for name in names]).astype(np.float64)


def _descend(zoo: WeightZoo, members: Sequence[int], graph: nx.DiGraph[int], rises: bool) -> None:
    """Every member without parents gets its nearest of lower effective rank, unless that descends from it."""
    import networkx as nx

    rank = {one: effective_rank(zoo.models[one]) * (1 if rises else -1) for one in members}
    for child in sorted(members, key=rank.__getitem__):
        if graph.in_degree(child):
            continue
        older = [
            one
            for one in members
            if rank[one] < rank[child] and zoo.distance[one, child] < np.inf and not nx.has_path(graph, child, one)
        ]
        if older:
            graph.add_edge(min(older, key=lambda one: zoo.distance[one, child]), child, kind="finetune")


def effective_rank(model: Backbone) -> float:
    """Mean over the weight matrices of exp(entropy of the normalised singular values), over the least dimension: 0 to 1
    (Roy & Vetterli, "The effective rank", EUSIPCO 2007); 0 where there is no matrix.
    """
    ranks = []
    for values in model.matrices.values():
        wide = (values if values.shape[0] <= values.shape[1] else values.T).astype(np.float64)
        # The small Gram matrix has the squares of the singular values, and is much cheaper to decompose.
        singular = np.sqrt(np.maximum(np.linalg.eigvalsh(wide @ wide.T), 0.0))
        if (total := float(singular.sum())) > 0:
            share = singular[singular > 0] / total
            ranks.append(float(np.exp(-np.sum(share * np.log(share)))) / min(values.shape))
    return float(np.mean(ranks)) if ranks else 0.0
