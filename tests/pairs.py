"""Pairs of models for tests of signals; they need no file."""

from __future__ import annotations

import numpy as np

from fingerprints import fingerprint
from lineage_graph.comparison import TensorPair, compare_leading, compare_tensors, needs_tail, with_tail
from lineage_graph.evidence import align, plan
from lineage_graph.held import Side
from lineage_graph.signals.base import PairContext


class Arrays:
    """A reader over arrays, in pieces of ``piece`` elements."""

    def __init__(self, state, piece=1 << 20):
        self.state, self.piece = state, piece

    def chunks(self, name):
        flat = np.asarray(self.state[name], dtype=np.float32).reshape(-1)
        for start in range(0, flat.size, self.piece):
            yield flat[start : start + self.piece]


def context(a, b, counters=({}, {}), piece=1 << 20):
    """Two state dicts of arrays as a signal sees them; ``piece``: elements read at a time."""
    one, two = fingerprint(a, counters[0]), fingerprint(b, counters[1])
    alignment = align(one, two)
    tensors = []
    for x, y in alignment.pairs:
        rows = x.spec.shape[0] if x.is_matrix and y.is_matrix else 0
        line = TensorPair(x.spec.name, y.spec.name, x.spec.size, rows, x.mean, y.mean)
        found = compare_tensors(Arrays(a, piece), Arrays(b, piece), line)
        whole = (np.asarray(state[name], np.float32) for state, name in ((a, x.spec.name), (b, y.spec.name)))
        tensors.append(with_tail(found, *whole) if needs_tail(found) else found)
    lines = plan(Side(""), Side(""), alignment).grown
    leading = tuple(compare_leading(Arrays(a, piece), Arrays(b, piece), line) for line in lines)
    return PairContext(one, two, alignment.pairs, tuple(tensors), alignment.coverage, leading)
