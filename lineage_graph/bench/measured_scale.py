"""One population, assembled and timed: the measuring part of the scale bench, each function in a process of its own."""

from __future__ import annotations

import importlib
import os
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lineage_graph.bench import population_index, populations
from lineage_graph.calibration import shipped
from lineage_graph.index import Index
from lineage_graph.scale import written
from lineage_graph.scale.assembled import Lineage, assemble
from lineage_graph.scale.judged import MERGE
from lineage_graph.scale.neighbours import Searcher, SearchSettings, recall
from lineage_graph.scale.population import load
from lineage_graph.zoo import Stopwatch

SCHEMA = 4
"""Raise it when populations or what is measured on them change."""

TRUTH = "truth.npz"

SAMPLE = 1000

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Task:
    """A population of so many ``models`` in a ``folder``."""

    folder: str
    models: int


class Clocked(Stopwatch):
    """Seconds by stage, of the processor too."""

    def __init__(self) -> None:
        super().__init__()
        self.processor: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """See :class:`~lineage_graph.zoo.Stopwatch`."""
        start = time.process_time()
        with super().stage(name):
            yield
        self.processor[name] = time.process_time() - start


def prepare(task: Task) -> None:
    """Make the population, its index and the truth."""
    folder = Path(task.folder)
    made = populations.make(task.models, folder)
    population_index.write(made, folder)
    parent, child = made.edges()
    np.savez(folder / TRUTH, parent=parent, child=child, copied=made.copied, merged=made.parents[:, 1] >= 0)


def measure(task: Task) -> dict[str, Any]:
    """Time and peak memory of the whole way, and how right its edges are."""
    load_before = os.getloadavg()[0]
    found, watch = _assembled(task, SearchSettings(), Path(task.folder) / "lineage.json")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
    costs = {"processor": watch.processor, "clock": watch.timings, "peak": peak, "load": load_before}
    return {**costs, **found.counts, **rated(found, Path(task.folder))}


def all_pairs(task: Task) -> dict[str, Any]:
    """The same with every pair of one signature judged."""
    settings = SearchSettings(neighbours=task.models, exact_below=task.models + 1)
    found, watch = _assembled(task, settings, None)
    return {"processor": watch.processor, **rated(found, Path(task.folder))}


def _assembled(task: Task, settings: SearchSettings, out: Path | None) -> tuple[Lineage, Clocked]:
    _import()
    watch = Clocked()
    with ExitStack() as stack:
        with watch.stage("open"):
            population = load([stack.enter_context(Index(Path(task.folder)))])
        found = assemble(population, shipped(), watch, settings=settings)
        if out is not None:
            with watch.stage("write"), out.open("w", encoding="ascii") as file:
                file.writelines(written.pieces("scale", population, found))
    return found, watch


def _import() -> None:
    """What is otherwise imported when it is first needed."""
    for name in ("faiss", "pyarrow.compute", "scipy.optimize", "scipy.sparse.csgraph", "scipy.special"):
        importlib.import_module(name)


def rated(found: Lineage, folder: Path) -> dict[str, float]:
    """Precision, recall and F1 of the edges, and F1 of the directed ones and of those of merges."""
    with np.load(folder / TRUTH) as truth:
        copied, merged = truth["copied"], truth["merged"]
        parent, child = copied[truth["parent"]], copied[truth["child"]]
    edges, count = found.edges, len(found.family)
    drawn = copied[edges.parent], copied[edges.child]
    of_merges = edges.kind == MERGE
    undirected = _rates(_keys(*drawn, count, directed=False), _keys(parent, child, count, directed=False))
    directed = _rates(_keys(*drawn, count, directed=True), _keys(parent, child, count, directed=True))
    sums = _rates(
        _keys(drawn[0][of_merges], drawn[1][of_merges], count, directed=True),
        _keys(parent[merged[child]], child[merged[child]], count, directed=True),
    )
    names = ("precision", "recall", "F1")
    rates = dict(zip(names, undirected, strict=True))
    return {**rates, "F1 directed": directed[2], "F1 merges": sums[2], "edges": len(edges)}


def _keys(a: Ints, b: Ints, count: int, *, directed: bool) -> Ints:
    apart = a != b
    a, b = a[apart], b[apart]
    keys: Ints = np.unique(a * count + b if directed else np.minimum(a, b) * count + np.maximum(a, b))
    return keys


def _rates(drawn: Ints, true: Ints) -> tuple[float, float, float]:
    right = len(np.intersect1d(drawn, true, assume_unique=True))
    return right / max(len(drawn), 1), right / max(len(true), 1), 2 * right / max(len(drawn) + len(true), 1)


def search(task: Task) -> dict[str, Any]:
    """What approximate search of the largest signature finds of what exact search does, and in what time."""
    _import()
    with Index(Path(task.folder)) as index:
        population = load([index])
        members = np.flatnonzero(population.group == np.bincount(population.group).argmax())
        vectors = population.sketches.take(members)
    usual = SearchSettings()
    searcher = Searcher(vectors, replace(usual, exact_below=0))
    exact = Searcher(vectors, replace(usual, exact_below=len(vectors) + 1))
    rows = np.linspace(0, len(vectors) - 1, min(SAMPLE, len(vectors))).astype(np.int64)
    start = time.process_time()
    true = exact.nearest(rows, usual.neighbours + 1)
    between = time.process_time()
    found = searcher.nearest(rows, usual.neighbours + 1)[1]
    spent = time.process_time() - between
    return {
        "models": len(vectors),
        "cells": searcher.cells,
        "probed": searcher.probed,
        "nearest": recall(rows, true, found, 1, usual.relevant),
        "recall": recall(rows, true, found, usual.neighbours, usual.least_similarity),
        "time": spent / (between - start),
    }


def one_more(task: Task) -> dict[str, float]:
    """Seconds by the clock until a model whose fingerprint is known has its nearest relatives of the index, decoded."""
    _import()
    folder = Path(task.folder)
    with Index(folder) as index:
        new = index.models([len(index) // 2])[0]
    start = time.perf_counter()
    with Index(folder) as index:
        opened = time.perf_counter()
        signature = np.array(index.column("signature"))
        rows = np.flatnonzero(signature == new.fingerprint.signature)
        nearest: list[tuple[float, int]] = []
        for first, sketches in index.sketches():
            own = rows[(rows >= first) & (rows < first + len(sketches))]
            similarity = sketches[own - first] @ new.fingerprint.sketch
            best = np.argsort(-similarity, kind="stable")[: SearchSettings().neighbours]
            nearest += zip(similarity[best].tolist(), own[best].tolist(), strict=True)
        chosen = sorted(nearest, reverse=True)[: SearchSettings().neighbours]
        relatives = index.models([row for _, row in chosen])
        end = time.perf_counter()
    return {"clock": end - start, "open": opened - start, "relatives": len(relatives)}
