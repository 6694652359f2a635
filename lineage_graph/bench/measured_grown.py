"""One zoo of files, built and compared in other ways: the measuring part of the bench of grown zoos."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

import numpy as np

from lineage_graph import build as whole
from lineage_graph import evidence, fingerprint
from lineage_graph.bench.measured_scale import Clocked
from lineage_graph.bench.references import mother, weights
from lineage_graph.bench.references.weights import WeightZoo
from lineage_graph.checkpoints import open_checkpoint
from lineage_graph.fingerprint import FingerprintTask
from lineage_graph.held import Side
from lineage_graph.manifest import Manifest, PathEntry
from lineage_graph.types import Checkpoint, Model

PAIRS = 200
"""Sampled of the ways that look at all of them."""

TOGETHER = 25
"""Models whose pairs are the sample where models are held between pairs."""


@dataclass(frozen=True, slots=True)
class Task:
    """``files``: ids and paths of the models; ``families``: how many there are in truth."""

    folder: str
    files: tuple[tuple[str, str], ...]
    families: int


@dataclass(frozen=True, slots=True)
class Measured:
    """Processor seconds, ``extrapolated``: the part of them that comes from a sample; ``peak`` memory in MiB;
    ``stages``: seconds by the clock.
    """

    seconds: float
    peak: float
    extrapolated: float = 0.0
    stages: Mapping[str, float] = field(default_factory=dict)


def read(task: Task) -> Measured:
    """Every tensor of every model once."""
    start = time.process_time()
    for _, path in task.files:
        with open_checkpoint(Path(path)) as reader:
            for spec in reader.tensors:
                for _ in reader.chunks(spec.name):
                    pass
    return Measured(time.process_time() - start, _peak())


def build(task: Task) -> Measured:
    """The whole build, outputs too."""
    entries = tuple(PathEntry(path=path, id=name) for name, path in task.files)
    zoo = Manifest(name="grown", root=Path(task.folder), entries=entries)
    cache = Path(task.folder) / "cache"
    settings = whole.BuildSettings(metadata=False, features=False, detector=False, jobs=1, cache=cache)
    start = time.process_time()
    result = whole.build(zoo, Path(task.folder) / "out", settings)
    return Measured(time.process_time() - start, _peak(), stages=dict(result.run.timings))


def all_pairs(task: Task) -> Measured:
    """Fingerprints, and the exact comparison of every pair, each by itself: both models are read for it."""
    watch = Clocked()
    with watch.stage("fingerprint"):
        models = [_model(name, path) for name, path in task.files]
    pairs = _sample(len(models))
    with watch.stage("pairs"):
        _compare(models, pairs, hold=False)
    return _extrapolated(watch, len(models), len(pairs))


def all_pairs_held(task: Task) -> Measured:
    """The same with models held between pairs as a build holds them: all pairs of some models are the sample."""
    watch = Clocked()
    with watch.stage("fingerprint"):
        models = [_model(name, path) for name, path in task.files]
    chosen = np.random.default_rng(0).permutation(len(models))[:TOGETHER].tolist()
    pairs = list(combinations(chosen, 2))
    with watch.stage("pairs"):
        _compare(models, pairs, hold=True)
    return _extrapolated(watch, len(models), len(pairs))


def _compare(models: Sequence[Model], pairs: Sequence[tuple[int, int]], *, hold: bool) -> None:
    for i, j in pairs:
        a, b = models[i], models[j]
        aligned = evidence.align(a.fingerprint, b.fingerprint)
        one, other = (Side(side.checkpoint.path, side.fingerprint.digest if hold else "") for side in (a, b))
        found = evidence.compare(evidence.plan(one, other, aligned))
        evidence.gather(a, b, evidence.weigh(a.fingerprint, b.fingerprint, aligned, found), found)


def mother_like(task: Task) -> Measured:
    """Both models of every pair loaded anew for their distance; clusters and arborescences of the whole zoo."""
    models = [_model(name, path) for name, path in task.files]
    pairs = _sample(len(models))
    watch = Clocked()
    with watch.stage("pairs"):
        for i, j in pairs:
            weights.relative_distance(weights.read_backbone(models[i]), weights.read_backbone(models[j]))
    with watch.stage("trees"):
        # Distances of sketches stand for those of weights here: what clustering costs does not depend on them.
        sketches = np.stack([model.fingerprint.sketch for model in models])
        apart = np.sqrt(np.maximum(2 - 2 * sketches @ sketches.T, 0)).astype(np.float64)
        apart = (apart + apart.T) / 2 * ~np.eye(len(models), dtype=bool)
        loaded = tuple(weights.read_backbone(model) for model in models)
        mother.build(WeightZoo(tuple(model.id for model in models), loaded, apart, task.families), rises=True)
    return _extrapolated(watch, len(models), len(pairs))


WAYS: Mapping[str, Callable[[Task], Measured]] = {
    "read": read,
    "build": build,
    "all pairs": all_pairs,
    "all pairs held": all_pairs_held,
    "MoTHer-like": mother_like,
}

NAMES = {
    "build": "lgraph",
    "all pairs": "all pairs, each by itself",
    "all pairs held": "all pairs, models held",
    "MoTHer-like": "MoTHer-like, reloading",
}


def _model(name: str, path: str) -> Model:
    return Model(Checkpoint(name, path, name, "path"), fingerprint.compute(FingerprintTask(path, name)))


def _sample(count: int) -> list[tuple[int, int]]:
    """Distinct pairs at random, all where there are few."""
    i, j = np.triu_indices(count, k=1)
    chosen = np.random.default_rng(0).permutation(len(i))[:PAIRS]
    return list(zip(i[chosen].tolist(), j[chosen].tolist(), strict=True))


def _extrapolated(watch: Clocked, models: int, sampled: int) -> Measured:
    pairs = watch.processor["pairs"] * (models * (models - 1) // 2) / sampled
    rest = sum(spent for stage, spent in watch.processor.items() if stage != "pairs")
    return Measured(pairs + rest, _peak(), extrapolated=pairs)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
