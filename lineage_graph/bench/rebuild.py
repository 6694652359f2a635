"""What a build costs after one model came, and after nothing changed, beside a build from nothing.

Real small checkpoints, evidence from weights alone, one process, one thread. What was kept of the zoo without its last
model is used; the outputs are held against those of a build from nothing. ``LGRAPH_REBUILD_MODELS`` names
other sizes, as in ``"100 300"``.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lineage_graph import build as whole
from lineage_graph.bench.isolated import isolated
from lineage_graph.bench.markdown import table
from lineage_graph.bench.zoo import grown
from lineage_graph.manifest import Manifest, PathEntry
from lineage_graph.types import Progress

RECIPE, SEED = "digits", 5
SIZES = (100, 300, 1_000)
VARIABLE = "LGRAPH_REBUILD_MODELS"

KINDS = ("fingerprint", "recognition", "comparison", "trimmed", "retuned", "block-comparison", "piece")
"""What is measured of models and pairs, and judged of parts, as the store calls it."""

WRITTEN = ("lineage.json", "lineage.graphml", "report.md", "index.arrow")
"""Outputs that do not tell how long they took."""


@dataclass(frozen=True, slots=True)
class Task:
    """``files``: ids and paths of the models."""

    folder: str
    files: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """Processor seconds, and by kind how many measurements were kept after each of the builds."""

    nothing: float
    one_more: float
    unchanged: float
    before: Mapping[str, int]
    after: Mapping[str, int]
    equal: bool


def run(workdir: Path, progress: Progress) -> str:
    """Both tables, as Markdown."""
    sizes = [int(size) for size in os.environ.get(VARIABLE, "").split()] or list(SIZES)
    found: dict[int, Rebuilt] = {}
    for done, size in enumerate(sizes):
        progress("rebuild", done, len(sizes))
        zoo = grown(size, SEED, workdir, progress, recipe=RECIPE).zoo
        with tempfile.TemporaryDirectory(dir=workdir) as folder:
            task = Task(folder, tuple((model.id, model.checkpoint.path) for model in zoo.models))
            found[size] = isolated(rebuild, task)
    progress("rebuild", len(sizes), len(sizes))
    return report(found)


def rebuild(task: Task) -> Rebuilt:
    """All models from nothing; all but the last from nothing, then the last, then no other, with what was kept."""
    folder = Path(task.folder)
    nothing = _build(task.files, folder, "fresh")
    _build(task.files[:-1], folder, "kept")
    before = _measured(folder / "kept")
    one_more = _build(task.files, folder, "kept")
    after = _measured(folder / "kept")
    unchanged = _build(task.files, folder, "kept")
    equal = _outputs(folder / "fresh") == _outputs(folder / "kept")
    return Rebuilt(nothing, one_more, unchanged, before, after, equal)


def _outputs(folder: Path) -> list[bytes]:
    return [(folder / "out" / name).read_bytes() for name in WRITTEN]


def _build(files: tuple[tuple[str, str], ...], folder: Path, name: str) -> float:
    """Processor seconds of the build, outputs too. ``name``: of the folder with outputs and what is kept."""
    entries = tuple(PathEntry(path=path, id=id_) for id_, path in files)
    settings = whole.BuildSettings(
        metadata=False, features=False, detector=False, jobs=1, cache=folder / name / "cache"
    )
    start = time.process_time()
    whole.build(Manifest(name="grown", root=folder, entries=entries), folder / name / "out", settings)
    return time.process_time() - start


def _measured(folder: Path) -> dict[str, int]:
    return {kind: sum(path.is_file() for path in (folder / "cache" / kind).rglob("*")) for kind in KINDS}


def report(found: Mapping[int, Rebuilt]) -> str:
    """The tables, by number of models."""
    times = [
        [size, one.nothing, one.one_more, one.unchanged, one.nothing / one.one_more, "yes" if one.equal else "no"]
        for size, one in found.items()
    ]
    counts = [
        [size, *(f"{one.after[kind] - one.before[kind]} of {one.after[kind]}" for kind in KINDS)]
        for size, one in found.items()
    ]
    header = ["models", "from nothing, s", "one more, s", "nothing changed, s", "÷ one more", "same outputs"]
    return "\n".join(
        [
            table(header, times),
            "Measurements and judgements that the one more needed.\n",
            table(["models", *KINDS], counts),
        ]
    )
