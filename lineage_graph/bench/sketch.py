"""How well sketches stand for weights: ``lgraph bench sketch``.

On every pair of one grown zoo that has one shape: the cosine and the squared distance from sketches beside the exact
ones, read from the weights.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations
from pathlib import Path

import numpy as np

from lineage_graph import sketch
from lineage_graph.alignment import align
from lineage_graph.bench.markdown import table
from lineage_graph.bench.zoo import grown
from lineage_graph.evidence import compare, plan
from lineage_graph.held import Side
from lineage_graph.signals.distance import mean_cosine
from lineage_graph.types import Model, Progress

MODELS, SEED = 36, 0


def run(workdir: Path, progress: Progress) -> str:
    """Errors of the estimates over all pairs of one shape signature, related or not."""
    zoo = grown(MODELS, SEED, workdir, progress).zoo
    groups: dict[str, list[Model]] = defaultdict(list)
    for model in zoo.models:
        groups[model.fingerprint.signature].append(model)
    pairs = [pair for group in groups.values() for pair in combinations(group, 2)]
    matrix, whole, cosine = [], [], []
    for done, (a, b) in enumerate(pairs, start=1):
        alignment = align(a.fingerprint, b.fingerprint)
        exact = [t for t in compare(plan(Side.of(a.checkpoint), Side.of(b.checkpoint), alignment)) if t.rows]
        aligned = [(x, y) for x, y in alignment.pairs if x.is_matrix and y.is_matrix]
        estimates = [float(np.sum((x.sketch - y.sketch) ** 2)) for x, y in aligned]
        truths = [
            t.squared_distance - t.size * (x.mean - y.mean) ** 2 for t, (x, y) in zip(exact, aligned, strict=True)
        ]
        matrix += [estimate / truth - 1 for estimate, truth in zip(estimates, truths, strict=True) if truth > 0]
        whole.append(sum(estimates) / sum(truths) - 1)
        cosine.append(float(a.fingerprint.sketch @ b.fingerprint.sketch) - mean_cosine(exact))
        progress("sketch", done, len(pairs))
    rows = [
        _row(f"squared distance of one matrix, {sketch.NARROW} buckets, relative", matrix),
        _row(f"squared distance of a model, {sketch.NARROW} buckets a matrix, relative", whole),
        _row(f"cosine of two models, {sketch.WIDE} buckets in all", cosine),
    ]
    title = f"All {len(pairs)} pairs of one shape in the zoo of {MODELS} (recipe digits, seed {SEED}).\n\n"
    return title + table(["estimate", "bias", "standard deviation", "largest error"], rows)


def _row(name: str, errors: list[float]) -> list[object]:
    return [name, float(np.mean(errors)), float(np.std(errors)), float(np.max(np.abs(errors)))]
