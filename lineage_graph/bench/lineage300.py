"""Every ancestor within three generations, of a zoo with the shape of the paper's: ``lgraph bench lineage300``.

"Neural Lineage" (Yu & Wang, CVPR 2024, Fig. 5) draws all parent, grandparent and great-grandparent pairs among 300
models from 5 roots in 4 generations, and is told the generations. Here nothing is told: an unordered zoo, weights only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import networkx as nx

from lineage_graph.bench.judging import judge, total
from lineage_graph.bench.markdown import table
from lineage_graph.bench.wild_report import HEADER, cells, number
from lineage_graph.build import BuildSettings, build, default_cache
from lineage_graph.evaluate import Arc, Rates, Truth, load_truth
from lineage_graph.manifest import GrowEntry, Growth, Manifest
from lineage_graph.types import Progress

RECIPE, MODELS, SEED = "lineage300", 300, 0

GAPS = {1: "parent–child", 2: "grandparent", 3: "great-grandparent"}
"""Generations between two models."""


def run(workdir: Path, progress: Progress) -> str:
    """Precision, recall and F1 of the directed pairs by generation gap, and the figures of the graph as a whole."""
    entry = GrowEntry(grow=Growth(recipe=RECIPE, models=MODELS, seed=SEED))
    zoo = Manifest(name="lineage300", root=workdir, entries=(entry,))
    settings = BuildSettings(metadata=False, cache=default_cache())
    result = build(zoo, workdir / "out", settings, progress)
    truth = load_truth(result.truth[0])
    return report(result.lineage.graph, truth)


def report(graph: nx.DiGraph[str], truth: Truth) -> str:
    """The tables."""
    present = graph.subgraph([node for node, data in graph.nodes(data=True) if data.get("role") != "unseen"])
    rows = [
        [name, rates.right, rates.wrong, rates.missed, *map(number, (rates.precision, rates.recall, rates.f1))]
        for name, rates in by_gap(present.edges, truth.edges).items()
    ]
    parts = [
        f"{len(present)} models, weights only: pairs that are right and directed, by generation gap.\n",
        table(["pairs", "right", "wrong", "missed", "precision", "recall", "F1"], rows),
        "The graph as a whole.\n",
        table(HEADER, [cells(judge(graph, truth))]),
    ]
    return "\n".join(parts)


def by_gap(drawn: Iterable[Arc], true: Iterable[Arc]) -> dict[str, Rates]:
    """Pairs (ancestor, descendant) with just so many generations between them, and of all gaps together.

    A pair is right where the gap is, too.
    """
    found, known = _pairs(drawn), _pairs(true)
    rates = {name: _rates(_with_gap(found, gap), _with_gap(known, gap)) for gap, name in GAPS.items()}
    return rates | {"all": total(rates.values())}


def _with_gap(pairs: Mapping[Arc, int], gap: int) -> set[Arc]:
    return {arc for arc, generations in pairs.items() if generations == gap}


def _pairs(arcs: Iterable[Arc]) -> dict[Arc, int]:
    """Length of the shortest way down from one to the other, up to the largest gap."""
    graph: nx.DiGraph[str] = nx.DiGraph(list(arcs))
    ways = nx.all_pairs_shortest_path_length(graph, cutoff=max(GAPS))
    return {(ancestor, model): length for ancestor, lengths in ways for model, length in lengths.items() if length}


def _rates(found: set[Arc], true: set[Arc]) -> Rates:
    return Rates(right=len(found & true), wrong=len(found - true), missed=len(true - found))
