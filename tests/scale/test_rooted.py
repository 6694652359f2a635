"""Roots of whole forests, against those of each tree by itself."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage_graph.rooting import TreeEdge, root_tree
from lineage_graph.scale.forest import walk
from lineage_graph.scale.rooted import root
from lineage_graph.types import DirectionCue

PRIORS = {"counter": 1.0, "norm": 0.6, "tails": 0.75}


def forest(count, seed):
    """Random trees: edges, their cues and apart, by the child's number in the draw."""
    generator = np.random.default_rng(seed)
    parents = [int(generator.integers(0, i)) if i and generator.random() > 0.25 else -1 for i in range(count)]
    v = np.array([i for i in range(count) if parents[i] >= 0], dtype=np.int64)
    u = np.array([parents[i] for i in v], dtype=np.int64)
    cues = {name: generator.normal(0, 2, len(v)) * (generator.random(len(v)) < 0.7) for name in PRIORS}
    apart = np.where(generator.random(len(v)) < 0.3, -math.inf, generator.normal(-1, 1, len(v)))
    return u, v, cues, apart


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 25), st.integers(0, 10**6), st.booleans())
def test_every_tree_is_rooted_as_by_itself(count, seed, some_known):
    u, v, cues, apart = forest(count, seed)
    fixed = np.zeros(count, bool)
    if some_known:
        fixed[-1] = True
    made = walk(count, u, v, fixed)
    # By node: what is known of the edge to its parent in the walk.
    lower = np.where(made.parent[v] == u, v, u)
    sign = np.where(lower == v, 1.0, -1.0)
    of_node = {name: (np.zeros(count), PRIORS[name]) for name in PRIORS}
    for name, values in cues.items():
        of_node[name][0][lower] = sign * values
    apart_of = np.full(count, -math.inf)
    apart_of[lower] = apart
    found = root(made, of_node, apart_of, fixed)

    for tree in range(made.trees):
        nodes = np.flatnonzero(made.tree == tree).tolist()
        edges = [
            TreeEdge(
                str(u[e]),
                str(v[e]),
                tuple(DirectionCue(name, float(cues[name][e]), PRIORS[name]) for name in PRIORS),
                float(apart[e]),
            )
            for e in range(len(v))
            if made.tree[u[e]] == tree
        ]
        known = str(count - 1) if some_known and count - 1 in nodes else None
        alone = root_tree([str(node) for node in nodes], edges, root=known)
        assert found.parent[int(alone.root)] == -1
        for node in nodes:
            if str(node) in alone.parent:
                above = alone.parent[str(node)]
                assert found.parent[node] == int(above)
                assert found.direction[node] == pytest.approx(alone.direction_confidence[str(node)], abs=1e-9)
                pair = frozenset((str(node), above))
                assert found.apart[node] == pytest.approx(alone.apart.get(pair, 0.0), abs=1e-9)
