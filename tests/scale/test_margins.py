"""Alternatives to the edges of whole forests, against :mod:`lineage_graph.stability`."""

import math

import numpy as np
import pytest

from lineage_graph import stability
from lineage_graph.scale import margins
from lineage_graph.scale.forest import spanning, walk
from lineage_graph.types import ScoredPair


def pair(a, b, distance):
    return ScoredPair(str(a), str(b), "finetune", 1.0, float(distance), (), {})


@pytest.mark.parametrize("seed", range(10))
def test_they_are_those_of_one_by_one(seed):
    count = 40
    generator = np.random.default_rng(seed)
    u, v = np.triu_indices(count, k=1)
    # A band makes deep trees, the rest shallow ones.
    kept = (generator.random(len(u)) < 0.08) if seed % 2 else (v - u <= 3)
    u, v = u[kept], v[kept]
    distance = generator.uniform(0.1, 2.0, len(u))
    chosen = spanning(count, u, v, distance**2)
    made = walk(count, u[chosen], v[chosen])
    rest = np.setdiff1d(np.arange(len(u)), chosen)
    found = margins.alternatives(made, u[rest], v[rest], distance[rest] ** 2)

    everything = [pair(a, b, d) for a, b, d in zip(u, v, distance, strict=True)]
    expected = stability.alternatives([everything[number] for number in chosen], everything)
    for node in np.flatnonzero(made.parent >= 0):
        alone = expected[frozenset((str(node), str(made.parent[node])))]
        assert math.sqrt(found[node]) == pytest.approx(alone)


def test_margins_are_those_of_one_by_one():
    squared, other = np.array([0.0, 1.0, 1.0, 1.0, 2.0]), np.array([1.0, math.inf, 4.0, 1e9, 1.0])
    found = margins.margin(squared, other)
    assert found.tolist() == pytest.approx(
        [stability.margin(math.sqrt(a), math.sqrt(b)) for a, b in zip(squared, other, strict=True)]
    )
