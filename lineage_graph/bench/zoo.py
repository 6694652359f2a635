"""A grown zoo with its truth, read as a build reads it: what the benches on real weights start from."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from lineage_graph.build import default_cache
from lineage_graph.cached import Workshop
from lineage_graph.evaluate import Truth, load_truth
from lineage_graph.executors import make_executor
from lineage_graph.features.settings import ProbeSettings
from lineage_graph.manifest import GrowEntry, Growth
from lineage_graph.store import Store
from lineage_graph.types import Progress
from lineage_graph.zoo import ReadZoo, Stopwatch, read_zoo


@dataclass(frozen=True, slots=True)
class GrownZoo:
    """``zoo``: the models with their fingerprints; ``truth``: who descends from whom."""

    zoo: ReadZoo
    truth: Truth


def grown(
    models: int,
    seed: int,
    workdir: Path,
    progress: Progress,
    *,
    recipe: str = "digits",
    probes: ProbeSettings | None = None,
    shop: Workshop | None = None,
) -> GrownZoo:
    """A zoo of the ``recipe``, grown once and kept in the user's cache like any other.

    ``shop``: what reads it, workers and the user's cache of its own where there is none.
    """
    entry = GrowEntry(grow=Growth(recipe=recipe, models=models, seed=seed))
    with ExitStack() as stack:
        if shop is None:
            shop = Workshop(stack.enter_context(make_executor()), Store(default_cache()), progress)
        zoo = read_zoo([entry], workdir, default_cache(), shop, Stopwatch(), probes)
    return GrownZoo(zoo, load_truth(zoo.truth[0]))
