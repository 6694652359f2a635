"""Columns of fingerprints → the lineage graph as columns: candidates, judgement, trees, roots, merges, copies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from lineage_graph import scoring
from lineage_graph.calibration import Calibration
from lineage_graph.descent import PAIR_PRIOR
from lineage_graph.families import FARTHER
from lineage_graph.lineage import LEAST_MISS, NEAREST_MISSES
from lineage_graph.scale import judged, margins, several
from lineage_graph.scale.edges import Edges, of_copies, of_sums, of_trees
from lineage_graph.scale.edges import joined as edges_joined
from lineage_graph.scale.forest import Walk, components, walk
from lineage_graph.scale.generations import generations
from lineage_graph.scale.judged import MERGE, QUANTIZE, Pairs, joined
from lineage_graph.scale.merged import Sum
from lineage_graph.scale.neighbours import SearchSettings
from lineage_graph.scale.population import Flags, Floats, Ints, Population
from lineage_graph.scale.rooted import Rooted, root
from lineage_graph.scale.signature import examine
from lineage_graph.types import Progress, silent
from lineage_graph.zoo import Stopwatch


@dataclass(frozen=True, slots=True)
class Lineage:
    """By model: its ``keeper``, the first with its weights; ``family``, from 1, the largest first; ``generation``, 1
    for a root. ``misses``: pairs that are nearly related. ``counts``: what was done, by name.
    """

    keeper: Ints
    family: Ints
    generation: Ints
    edges: Edges
    misses: Pairs
    counts: Mapping[str, int] = field(default_factory=dict)


def assemble(
    population: Population,
    calibration: Calibration,
    watch: Stopwatch | None = None,
    progress: Progress = silent,
    settings: SearchSettings | None = None,
) -> Lineage:
    """The lineage graph of a population. Deterministic; does not depend on ids but for the order of equal bytes."""
    watch, settings = watch or Stopwatch(), settings or SearchSettings()
    keeper = _keepers(population)
    with watch.stage("evidence"):
        pairs, sums, probed = _examined(population, keeper, settings, progress)
    with watch.stage("forest"):
        related = pairs.where(pairs.confidence >= scoring.DECISION)
        sums = _without_circles(len(population), sums)
        lengths = related.squared * _lossy(population, related)
        planted = several.plant(len(population), related, lengths, sums)
        trees = related.where(planted.edges)
        made = walk(len(population), trees.i, trees.j, planted.fixed)
        lower = np.where(made.parent[trees.j] == trees.i, trees.j, trees.i)
    with watch.stage("roots"):
        rooted = _rooted(population, made, trees, lower, planted.fixed, calibration)
    with watch.stage("margins"):
        inside = np.setdiff1d(np.arange(len(related)), planted.edges, assume_unique=True)
        other = margins.alternatives(made, related.i[inside], related.j[inside], lengths[inside])
    with watch.stage("edges"):
        parts = [
            of_trees(population, trees, lengths[planted.edges], lower, rooted, other, calibration),
            of_sums(population, sums, calibration),
            of_copies(keeper, calibration),
        ]
        edges, dropped = _acyclic(len(population), edges_joined(parts))
        family = _families(len(population), edges)
        level = generations(len(population), edges.parent, edges.child)
    counts = {"candidate_pairs": len(pairs), "related_pairs": len(related), "merges": len(sums) - dropped, **probed}
    return Lineage(keeper, family, level, edges, _misses(pairs), counts)


def _keepers(population: Population) -> Ints:
    """Of each model the first of its content; models without a sketch keep to themselves."""
    _, first, inverse = np.unique(population.content, return_index=True, return_inverse=True)
    return np.where(population.group >= 0, first[inverse.reshape(-1)], np.arange(len(population)))


def _examined(
    population: Population, keeper: Ints, settings: SearchSettings, progress: Progress
) -> tuple[Pairs, list[Sum], dict[str, int]]:
    """Every signature's pairs and merges, one signature after the other."""
    kept = np.flatnonzero((keeper == np.arange(len(keeper))) & (population.group >= 0))
    kept = kept[np.argsort(population.group[kept], kind="stable")]
    bounds = np.flatnonzero(np.diff(population.group[kept], prepend=-1, append=-1))
    tested = len(kept) * settings.neighbours
    parts, sums, probed, done = [_no_pairs()], list[Sum](), 0, 0
    for start, end in pairwise(bounds):
        if end - start > 1:
            found = examine(population, np.sort(kept[start:end]), tested, settings)
            parts.append(found.pairs.where(found.pairs.confidence >= LEAST_MISS))
            sums += found.sums
            probed = max(probed, found.probed)
        done += int(end - start)
        progress("assemble", done, len(kept))
    return joined(parts), sums, {"signatures": len(bounds) - 1, "probed_cells": probed}


def _no_pairs() -> Pairs:
    whole, real = np.zeros(0, np.int64), np.zeros(0)
    return Pairs(whole, whole, real, real, real, np.zeros(0, np.int8))


def _without_circles(count: int, sums: list[Sum]) -> list[Sum]:
    """The likelier of sums that would descend from one another, in the order of the children."""
    while sums:
        parent = np.array([p for one in sums for p in one.parents])
        child = np.array([one.child for one in sums for _ in one.parents])
        circling = generations(count, parent, child) == 0
        if not circling.any():
            break
        among = [one for one in sums if circling[one.child]]
        worst = min(among, key=lambda one: (one.blend.confidence, -one.child))
        sums = [one for one in sums if one is not worst]
    return sorted(sums, key=lambda one: one.child)


def _lossy(population: Population, pairs: Pairs) -> Floats:
    """By pair: the factor that keeps rounded copies from standing for their originals."""
    rounding = pairs.kind == QUANTIZE
    coarse = np.where(population.digits[pairs.i] < population.digits[pairs.j], pairs.i, pairs.j)
    rounded = np.zeros(len(population), bool)
    rounded[coarse[rounding]] = True
    return np.where(~rounding & (rounded[pairs.i] | rounded[pairs.j]), FARTHER**2, 1.0)


def _rooted(
    population: Population,
    made: Walk,
    trees: Pairs,
    lower: Ints,
    fixed: Flags,
    calibration: Calibration,
) -> Rooted:
    count, down = len(population), np.where(lower == trees.j, 1.0, -1.0)
    cues = {}
    for name, (log_odds, prior) in judged.log_odds(population, trees, calibration).items():
        if log_odds.any():
            of_node = np.zeros(count)
            of_node[lower] = down * log_odds
            cues[name] = of_node, prior
    apart = np.full(count, -np.inf)
    apart[lower] = judged.apart(population, trees) + PAIR_PRIOR
    return root(made, cues, apart, fixed)


def _acyclic(count: int, edges: Edges) -> tuple[Edges, int]:
    """Without the merges that would close a circle, the least likely first; and how many these are."""
    dropped = 0
    while True:
        circling = generations(count, edges.parent, edges.child) == 0
        on_circle = np.flatnonzero(circling[edges.child] & circling[edges.parent] & (edges.kind == MERGE))
        if not len(on_circle):
            return edges, dropped
        worst = edges.child[on_circle[np.lexsort((edges.child[on_circle], edges.confidence[on_circle]))[0]]]
        edges = edges.where(~((edges.child == worst) & (edges.kind == MERGE)))
        dropped += 1


def _families(count: int, edges: Edges) -> Ints:
    """Numbers of the families, the largest first, between equals in the order of their first models."""
    part = components(count, edges.parent, edges.child)
    size = np.bincount(part)
    number = np.empty(len(size), dtype=np.int64)
    number[np.lexsort((np.arange(len(size)), -size))] = np.arange(1, len(size) + 1)
    found: Ints = number[part]
    return found


def _misses(pairs: Pairs) -> Pairs:
    """The best rejected pairs of each model, best first."""
    rejected = pairs.where(pairs.confidence < scoring.DECISION)
    rejected = rejected.where(np.lexsort((rejected.j, rejected.i, -rejected.confidence)))
    kept = np.zeros(len(rejected), bool)
    for rank in _ranks(rejected):
        kept |= rank < NEAREST_MISSES
    return rejected.where(kept)


def _ranks(pairs: Pairs) -> Iterator[Ints]:
    """By pair, its place among those of its first, and of its second model."""
    for ends in (pairs.i, pairs.j):
        order = np.argsort(ends, kind="stable")
        rank = np.empty(len(ends), dtype=np.int64)
        rank[order] = np.arange(len(ends)) - np.searchsorted(ends[order], ends[order])
        yield rank
