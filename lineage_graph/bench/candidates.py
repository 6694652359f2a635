"""What pruning loses, and what it saves: ``lgraph bench candidates``.

On grown zoos: the share of true parents among the pairs proposed, by sketches alone and with linearized features beside
them, and the share of all pairs that are read. On
populations of synthetic sketches: what approximate search (HNSW) finds of the neighbours that exact search finds, and
in what share of its time.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lineage_graph.bench.markdown import table
from lineage_graph.bench.zoo import grown
from lineage_graph.candidates import CandidateSettings, nearest, propose
from lineage_graph.features.settings import ProbeSettings
from lineage_graph.sketch import WIDE
from lineage_graph.types import FloatArray, Model, Progress

ZOOS = (("digits", 36, 0), ("digits", 150, 1), ("digits", 300, 2), ("generations", 300, 2))
"""Recipe, models and seed."""
NEIGHBOURS = (1, 2, 4, 8, 12)
POPULATIONS = (10_000, 50_000)
FAMILY = 10
DRIFT = 0.5
"""Standard deviation of a synthetic child's sketch about its parent's, in units of the sketch's length."""


def run(workdir: Path, progress: Progress) -> str:
    """Both tables."""
    return _on_zoos(workdir, progress) + "\n" + _on_populations(progress)


def _on_zoos(workdir: Path, progress: Progress) -> str:
    rows = []
    for recipe, models, seed in ZOOS:
        zoo = grown(models, seed, workdir, progress, recipe=recipe, probes=ProbeSettings())
        edges = {frozenset(edge) for edge in zoo.truth.edges}
        for count in NEIGHBOURS:
            settings = CandidateSettings(neighbours=count)
            alone = _found([dataclasses.replace(model, features=None) for model in zoo.zoo.models], settings)
            found = _found(zoo.zoo.models, settings)
            recall = [len(edges & pairs) / len(edges) for pairs in (alone, found)]
            rows.append([recipe, models, count, *recall, len(found), len(found) / (models * (models - 1) // 2)])
    header = [
        "recipe",
        "models",
        "neighbours asked for",
        "true parents found by sketches",
        "with features",
        "pairs proposed",
    ]
    header.append("share of all pairs")
    return "Grown zoos, against all pairs.\n\n" + table(header, rows)


def _found(models: Sequence[Model], settings: CandidateSettings) -> set[frozenset[str]]:
    return {frozenset((pair.a, pair.b)) for pair in propose(models, settings)}


def _on_populations(progress: Progress) -> str:
    rows = []
    for done, count in enumerate(POPULATIONS, start=1):
        vectors = population(count)
        exact = CandidateSettings(exact_below=count + 1)
        approximate = dataclasses.replace(exact, exact_below=1)
        truth, exact_seconds = _timed(vectors, exact)
        found, seconds = _timed(vectors, approximate)
        rows.append([count, len(truth & found) / len(truth), seconds / exact_seconds])
        progress("populations", done, len(POPULATIONS))
    header = ["sketches", f"recall of the {CandidateSettings().neighbours} nearest", "time ÷ exact search"]
    return f"Synthetic sketches, {WIDE} dimensions, families of {FAMILY}.\n\n" + table(header, rows)


def population(count: int) -> FloatArray:
    """Unit vectors in families: each member is its family's centre plus noise, shape (count, ``WIDE``)."""
    generator = np.random.default_rng(0)
    centres = generator.standard_normal((count // FAMILY, WIDE)).repeat(FAMILY, axis=0)
    vectors = centres + DRIFT * generator.standard_normal((len(centres), WIDE))
    unit: FloatArray = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return unit


def _timed(vectors: FloatArray, settings: CandidateSettings) -> tuple[set[tuple[int, int]], float]:
    start = time.perf_counter()
    found = {(row, column) for row, column, _ in nearest(vectors, settings)}
    return found, time.perf_counter() - start
