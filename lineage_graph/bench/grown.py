"""A whole build of real small checkpoints against what people would do instead: ``lgraph bench grown``.

Brute force measures every pair of models exactly, each by itself, or with models held between pairs as in a build; a
MoTHer-like pass loads both models of every pair anew, clusters (Ward) and finds arborescences (Edmonds). All grow with
the square of the zoo, so the time of their pairs comes from a random sample; everything else is run. Evidence from
weights alone, one process, one thread, nothing cached. ``LGRAPH_GROWN_MODELS`` names other sizes, as in ``"100 300"``.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from lineage_graph.bench import measured_grown
from lineage_graph.bench.isolated import isolated
from lineage_graph.bench.markdown import table
from lineage_graph.bench.measured_grown import Measured, Task
from lineage_graph.bench.zoo import grown
from lineage_graph.types import Progress

RECIPE, SEED = "digits", 5
SIZES = (100, 300, 1_000)
VARIABLE = "LGRAPH_GROWN_MODELS"


def run(workdir: Path, progress: Progress) -> str:
    """All tables."""
    sizes = [int(size) for size in os.environ.get(VARIABLE, "").split()] or list(SIZES)
    found: dict[int, Mapping[str, Measured]] = {}
    load = os.getloadavg()[0]
    for done, size in enumerate(sizes):
        progress("grown", done, len(sizes))
        zoo = grown(size, SEED, workdir, progress, recipe=RECIPE)
        files = tuple((model.id, model.checkpoint.path) for model in zoo.zoo.models)
        children = {child for _, child in zoo.truth.edges}
        with tempfile.TemporaryDirectory(dir=workdir) as folder:
            task = Task(folder, files, sum(model not in children for model, _ in files))
            found[size] = {name: isolated(function, task) for name, function in measured_grown.WAYS.items()}
    progress("grown", len(sizes), len(sizes))
    return f"Recipe {RECIPE}, seed {SEED}; load average at the start: {load:.1f}.\n\n" + report(found)


def report(found: Mapping[int, Mapping[str, Measured]]) -> str:
    """The tables, by number of models."""
    rows, limits = [], []
    for size, ways in found.items():
        ours = ways["build"]
        for name, one in ways.items():
            if name != "read":
                ratios = [one.seconds / ours.seconds, one.peak / ours.peak]
                rows.append([size, measured_grown.NAMES[name], one.seconds, one.extrapolated, one.peak, *ratios])
        read = ways["read"].seconds
        limits.append([size, "in all", ours.seconds, read / ours.seconds])
        limits += [[size, stage, spent, read / max(spent, 1e-9)] for stage, spent in ours.stages.items()]
    header = ["models", "way", "processor seconds", "of which extrapolated", "peak MiB", "time ÷ ours", "memory ÷ ours"]
    return "\n".join(
        [
            table(header, rows),
            "Share of the physical limit: the time of merely reading all weights once over that of the build, and of "
            "its stages (these by the clock).\n",
            table(["models", "stage", "seconds", "reading ÷ stage"], limits),
        ]
    )
