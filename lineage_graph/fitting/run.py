"""Grow zoos, read them, and fit everything on them: what ``lgraph calibrate`` does."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import networkx as nx

from lineage_graph import __version__, conclusion
from lineage_graph.build import BuildSettings, examine
from lineage_graph.cached import Workshop
from lineage_graph.calibration import Calibration
from lineage_graph.evaluate import Truth, load_truth
from lineage_graph.examination import Examination
from lineage_graph.features.settings import ProbeSettings
from lineage_graph.fitting.cues import TrueEdge, reliabilities
from lineage_graph.fitting.edges import Drawn, confidences, direction, drawn
from lineage_graph.joining import joined
from lineage_graph.judgement import surroundings
from lineage_graph.manifest import GrowEntry, Growth
from lineage_graph.scoring import prior, score
from lineage_graph.strangers import levels
from lineage_graph.zoo import Stopwatch, read_zoo

RECIPES: Mapping[str, int] = {
    "near": 24,
    "far": 24,
    "chains": 24,
    "snapshots": 24,
    "typed": 24,
    "merges": 24,
    "hybrids": 24,
    "laundered": 24,
    "strangers": 24,
    "shared-init": 24,
    "distilled": 24,
    "few-shot": 24,
    "orphans": 24,
    "heap": 60,
}
"""The regimes that confidence has to hold in, and the models of a zoo of each."""

FIRST_SEED = 100
"""Seeds from here on are for fitting; benches judge on others."""


@dataclass(frozen=True, slots=True)
class FittingSettings:
    """``zoos``: of each recipe, with seeds from ``first_seed`` on."""

    recipes: tuple[str, ...] = tuple(RECIPES)
    zoos: int = 4
    first_seed: int = FIRST_SEED


@dataclass(frozen=True, slots=True)
class Known:
    """A zoo that was measured, and who really descends from whom."""

    name: str
    seen: Examination
    truth: Truth


def fit(settings: FittingSettings, cache: Path, shop: Workshop, command: str) -> Calibration:
    """Fit cues first, then draw every zoo with them, and fit what edges are worth. Deterministic for given zoos."""
    zoos = [
        _known(recipe, seed, cache, shop)
        for recipe in settings.recipes
        for seed in range(settings.first_seed, settings.first_seed + settings.zoos)
    ]
    cues = reliabilities(edge for zoo in zoos for edge in true_edges(zoo))
    # The roots' posteriors are fed with these cues, so edges are drawn with them before these are judged.
    edges = list(_drawn(zoos, Calibration(cues=cues)))
    return Calibration(
        cues=cues,
        edges=confidences(edges),
        direction=direction(edges),
        provenance={
            "command": command,
            "recipes": {recipe: RECIPES[recipe] for recipe in settings.recipes},
            "seeds": [settings.first_seed, settings.first_seed + settings.zoos - 1],
            "edges": len(edges),
            "linked": sum(edge.linked for edge in edges),
            "directed": sum(bool(edge.directed) for edge in edges),
            "versions": {name: importlib.metadata.version(name) for name in ("torch", "timm", "scikit-learn")}
            | {"lgraph": __version__},
        },
    )


def _known(recipe: str, seed: int, cache: Path, shop: Workshop) -> Known:
    entry = GrowEntry(grow=Growth(recipe=recipe, models=RECIPES[recipe], seed=seed))
    probes, watch = ProbeSettings(), Stopwatch()
    zoo = read_zoo([entry], cache, cache, shop, watch, probes)
    seen = examine(zoo.models, shop, watch, probes, BuildSettings(metadata=False))
    return Known(f"{recipe}-{seed}", seen, load_truth(zoo.truth[0]))


def true_edges(zoo: Known) -> Iterator[TrueEdge]:
    """The truth's edges between models that were compared, with the strengths of the cues that are heard.

    Copies are left out, and models with several parents, whose direction no cue decides.
    """
    tree = nx.Graph(list(zoo.truth.edges))
    family = {node: min(members) for members in nx.connected_components(tree) for node in members}
    for pair in zoo.seen.measured:
        for parent, child in ((pair.a, pair.b), (pair.b, pair.a)):
            if zoo.truth.edges.get((parent, child), "duplicate") not in ("duplicate", "merge", "splice"):
                sign = 1.0 if parent == pair.a else -1.0
                judged = score(pair, {})
                strengths = {
                    cue.name: sign * cue.log_odds / prior(cue.name, judged.kind).log_odds for cue in judged.direction
                }
                yield TrueEdge(f"{zoo.name}/{family[parent]}", judged.kind, strengths)


def _drawn(zoos: Sequence[Known], calibration: Calibration) -> Iterator[Drawn]:
    for zoo in zoos:
        around = surroundings(len(zoo.seen.measured), levels(zoo.seen.models))
        graph = joined(zoo.name, zoo.seen.models, [conclusion.drawn(zoo.seen, False, calibration, around)], ())
        yield from drawn(graph, zoo.truth)
