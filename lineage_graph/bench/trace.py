"""What tracing one checkpoint costs against a zoo of a thousand, beside fingerprinting it.

Families of checkpoints with random weights: the zoo's index is made from their files, its graph from their plan, and
what a build would have measured is measured first, by tracing a twin of the new member. All
figures are time of the processor, in this process and on one thread.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lineage_graph import fingerprint, index, leads
from lineage_graph.bench.markdown import table
from lineage_graph.build import BuildSettings
from lineage_graph.cached import Workshop
from lineage_graph.executors import SerialExecutor
from lineage_graph.fingerprint import FingerprintTask
from lineage_graph.index import Index
from lineage_graph.render.node_link import Families, read_families, to_json
from lineage_graph.sources import digest
from lineage_graph.store import Store
from lineage_graph.trace import comparable, read, trace
from lineage_graph.types import Checkpoint, LineageGraph, Model, Progress

FAMILY = 10
MATRICES = 4
NARROW = 64
STEP = 0.2
"""Members of a family; matrices of a model, and the rows and columns of each;
length of a step from its parent, relative to its weights."""

SETTINGS = BuildSettings(metadata=False, features=False, detector=False)


@dataclass(frozen=True, slots=True)
class Population:
    """``models`` in all, in families of ``FAMILY``; the matrices of the family that is asked about have ``width`` rows
    and columns, those of all others ``NARROW``; where that is more, there is one more of them.
    """

    models: int
    width: int


POPULATIONS = (Population(100, 64), Population(1000, 64), Population(1000, 1024))


def run(workdir: Path, progress: Progress) -> str:
    """The table, as Markdown."""
    rows = []
    for number, population in enumerate(POPULATIONS):
        progress("trace", number, len(POPULATIONS))
        folder = workdir / f"{population.models}-{population.width}"
        rows.append(_row(population, folder))
    progress("trace", len(POPULATIONS), len(POPULATIONS))
    header = (
        *("models", "MiB of the model", "bytes a row", "digest + fingerprint, s"),
        *("read the index", "propose", "everything, new pairs included", "the same again, pairs known"),
        *("pairs compared", "whole command ÷ a command that only fingerprints"),
    )
    return table(header, rows)


def _row(population: Population, folder: Path) -> list[object]:
    """Times but the first are in units of digest and fingerprint."""
    families, new = _built(population, folder)
    store = Store(folder / "cache")
    shop = Workshop(SerialExecutor(), store, lambda *_: None)
    alone = _seconds(lambda: fingerprint.compute(FingerprintTask(str(new), digest.compute(digest_task(new)))))
    model = read(new, "new", None, folder / "cache", shop)
    with Index(folder) as kept:
        _seconds(lambda: kept.models(comparable(kept, model).tolist()))  # the first call imports
        opened = _seconds(lambda: kept.models(comparable(kept, model).tolist()))
        around = [*kept.models(comparable(kept, model).tolist()), model]
        proposed = _seconds(lambda: leads.propose(around, metadata=False))
        made: list[Any] = []
        first = _seconds(lambda: made.append(trace(model, kept, families, shop, SETTINGS, None)))
        again = _seconds(lambda: made.append(trace(model, kept, families, shop, SETTINGS, None)))
    size = (folder / "index.arrow").stat().st_size / population.models
    ratio = _commands(folder, new)
    parts = [part / alone for part in (opened, proposed, alone + first, alone + again)]
    return [population.models, new.stat().st_size / 2**20, round(size), alone, *parts, len(made[0].compared), ratio]


def digest_task(path: Path) -> digest.DigestTask:
    """Of one file."""
    return digest.DigestTask((str(path),), str(path.parent))


def _seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _built(population: Population, folder: Path) -> tuple[Families, Path]:
    """The files, the index and the graph of a zoo; and a model more of its first family."""
    import networkx as nx

    graph: nx.DiGraph[str] = nx.DiGraph()
    models = []
    for number, (family, path) in enumerate(_files(population, folder)):
        found = fingerprint.compute(FingerprintTask(str(path), digest.compute(digest_task(path))))
        models.append(Model(Checkpoint(f"m{number}", str(path), found.digest, "path"), found))
        graph.add_node(f"m{number}", **facts(f"m{number}", family + 1))
    new = folder / "new.safetensors"
    save(child(root(population, 0), 10**6), new)
    about = {"settings": {"metadata": False, "features": False, "detector": False, "probes": None}, "pairs": 0}
    index.write(folder, models, about)
    text = to_json(LineageGraph("zoo", graph))
    (folder / "lineage.json").write_text(text)
    families = read_families(text)
    shop = Workshop(SerialExecutor(), Store(folder / "cache"), lambda *_: None)
    with Index(folder) as kept:  # as a build of the family would have
        twin = child(root(population, 0), 10**6 + 1)
        save(twin, folder / "twin.safetensors")
        model = read(folder / "twin.safetensors", "twin", None, folder / "cache", shop)
        trace(model, kept, families, shop, SETTINGS, None)
    return families, new


def facts(name: str, family: int) -> dict[str, Any]:
    """A node's attributes: the root of its family."""
    from lineage_graph.render.schema import NODE

    return {key: kind() for key, kind in NODE.items()} | {
        "label": name,
        "family": family,
        "generation": 1,
        "role": "root",
        "status": "ok",
    }


State = dict[str, np.ndarray[Any, Any]]


def _files(population: Population, folder: Path) -> Iterator[tuple[int, Path]]:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(population.models):
        family = number // FAMILY
        start = root(population, family)
        path = folder / f"{number}.safetensors"
        save(start if number % FAMILY == 0 else child(start, number), path)
        yield family, path


def root(population: Population, family: int) -> State:
    """The weights that a family descends from."""
    generator = np.random.default_rng(family)
    width = population.width if family == 0 else NARROW
    # One more matrix, or every narrow model would be asked whether it is the wide one with units taken out.
    matrices = MATRICES + (width != NARROW)
    return {
        f"blocks.{place}.weight": generator.standard_normal((width, width), dtype=np.float32)
        for place in range(matrices)
    }


def child(parent: State, seed: int) -> State:
    """The parent's weights, a step further."""
    generator = np.random.default_rng(10_000 + seed)
    return {
        name: weights + STEP * generator.standard_normal(weights.shape, dtype=np.float32)
        for name, weights in parent.items()
    }


def save(state: State, path: Path) -> None:
    """As safetensors."""
    from safetensors.numpy import save_file

    save_file(state, path)


_FINGERPRINT = """
import sys
from pathlib import Path
from lineage_graph import fingerprint, names
from lineage_graph.sources import digest
task = digest.DigestTask((sys.argv[1],), str(Path(sys.argv[1]).parent))
fingerprint.compute(fingerprint.FingerprintTask(sys.argv[1], digest.compute(task)))
"""


def _commands(folder: Path, new: Path) -> float:
    """Processor time of ``lgraph trace``, start and imports included, over that of a program that only fingerprints."""
    options = ["--in", str(folder), "--jobs", "1", "--cache", str(folder / "cache")]
    traced = _spent([sys.executable, "-m", "lgraph", "trace", str(new), *options])
    return traced / _spent([sys.executable, "-c", _FINGERPRINT, str(new)])


def _spent(command: list[str]) -> float:
    import resource

    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own program
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)
