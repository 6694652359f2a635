"""A grown zoo with its truth, read as a build reads it: what the benches on real weights start from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lineage_graph.build import ReadZoo, Stopwatch, default_cache, read_zoo
from lineage_graph.cached import Workshop
from lineage_graph.evaluate import Truth, load_truth
from lineage_graph.executors import make_executor
from lineage_graph.manifest import GrowEntry, Growth, Manifest
from lineage_graph.store import Store
from lineage_graph.types import Progress


@dataclass(frozen=True, slots=True)
class GrownZoo:
    """``zoo``: the models with their fingerprints; ``truth``: who descends from whom."""

    zoo: ReadZoo
    truth: Truth


def grown(models: int, seed: int, workdir: Path, progress: Progress) -> GrownZoo:
    """A zoo of the ``digits`` recipe, grown once and kept in the user's cache like any other."""
    entry = GrowEntry(grow=Growth(recipe="digits", models=models, seed=seed))
    manifest = Manifest(name="bench", root=workdir, entries=(entry,))
    with make_executor() as executor:
        zoo = read_zoo(manifest, default_cache(), Workshop(executor, Store(default_cache()), progress), Stopwatch())
    return GrownZoo(zoo, load_truth(zoo.truth[0]))
