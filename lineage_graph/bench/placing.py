"""What placing one more model costs in a zoo of very many, judging its candidates and their families included.

A fifth of the zoo has the new model's shapes, the rest is spread over a hundred other layouts. The files of the family
that it comes from are there; of all others there are fingerprints alone, drawn around the roots of families of ten,
since a trace reads no weights of strangers. What a build would have measured is measured first, by tracing a twin.
Time of the processor, in this process, on one thread.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from lineage_graph import fingerprint, index, lookup
from lineage_graph.bench.markdown import table
from lineage_graph.bench.trace import FAMILY, SETTINGS, Population, child, digest_task, facts, root, save
from lineage_graph.cached import Workshop
from lineage_graph.executors import SerialExecutor
from lineage_graph.fingerprint import FingerprintTask
from lineage_graph.index import Index
from lineage_graph.render.node_link import read_families, to_json
from lineage_graph.sketch import WIDE
from lineage_graph.sources import digest
from lineage_graph.store import Store
from lineage_graph.trace import comparable, read, trace
from lineage_graph.types import Checkpoint, Fingerprint, LineageGraph, Model, Progress, TensorSpec, silent

SIZES = (1_000, 10_000, 100_000)

VARIABLE = "LGRAPH_PLACING_MODELS"

WIDTH = 256
"""Rows and columns of the new model's matrices."""

LAYOUTS = 100
ALIKE = 5
"""Other layouts; one in so many models has the new one's shapes."""

STEP = 0.3
"""Length of the update between the sketches of a family's root and of its members."""

Made = TypeVar("Made")


def run(workdir: Path, progress: Progress) -> str:
    """The table, as Markdown."""
    sizes = [int(size) for size in os.environ.get(VARIABLE, "").split()] or list(SIZES)
    rows = []
    for done, size in enumerate(sizes):
        progress("placing", done, len(sizes))
        rows.append(_row(size, workdir / str(size)))
    progress("placing", len(sizes), len(sizes))
    header = (
        *("models", "of its shapes", "digest + fingerprint, s", "read the graph, s", "open the index, s"),
        *("choose rows, s", "rows decoded", "placed, new pairs included, s", "the same again, s", "pairs compared"),
    )
    return table(header, rows)


def _row(size: int, folder: Path) -> list[object]:
    new = _built(size, folder)
    shop = Workshop(SerialExecutor(), Store(folder / "cache"), silent)
    content, alone = _spent(lambda: fingerprint.compute(FingerprintTask(str(new), digest.compute(digest_task(new)))))
    model = read(new, "new", None, folder / "cache", shop)
    families, parsed = _spent(lambda: read_families((folder / "lineage.json").read_text(encoding="utf-8")))
    kept, opened = _spent(lambda: Index(folder))
    with kept:
        alike = sum(signature == content.signature for signature in kept.column("signature"))
        chosen, choosing = _spent(lambda: lookup.worth(kept, model, comparable(kept, model)))
        found, first = _spent(lambda: trace(model, kept, families, shop, SETTINGS, None))
        _, again = _spent(lambda: trace(model, kept, families, shop, SETTINGS, None))
    if found.verdict != "child":
        raise AssertionError(f"the new model was taken for: {found.verdict}")
    return [size, alike, alone, parsed, opened, choosing, len(chosen), first, again, len(found.compared)]


def _spent(work: Callable[[], Made]) -> tuple[Made, float]:
    start = time.process_time()
    made = work()
    return made, time.process_time() - start


def _built(size: int, folder: Path) -> Path:
    """The index and the graph of a zoo of ``size``, and the file of a model more of its first family."""
    import networkx as nx

    folder.mkdir(parents=True, exist_ok=True)
    family = Population(FAMILY, WIDTH)
    start = root(family, 0)
    files = []
    for number in range(FAMILY):
        files.append(folder / f"{number}.safetensors")
        save(child(start, number) if number else start, files[-1])
    models = [_model(f"m{number}", path) for number, path in enumerate(files)]
    models += [_made(row, models[0].fingerprint) for row in range(FAMILY, size)]
    index.write(folder, models, {"settings": _remembered(), "pairs": 0})
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from((f"m{row}", facts(f"m{row}", row // FAMILY + 1)) for row in range(size))
    (folder / "lineage.json").write_text(to_json(LineageGraph("zoo", graph)), encoding="utf-8")
    new, twin = folder / "new.safetensors", folder / "twin.safetensors"
    save(child(start, 10**6), new)
    save(child(start, 10**6 + 1), twin)
    shop = Workshop(SerialExecutor(), Store(folder / "cache"), silent)
    families = read_families((folder / "lineage.json").read_text(encoding="utf-8"))
    with Index(folder) as kept:
        trace(read(twin, "twin", None, folder / "cache", shop), kept, families, shop, SETTINGS, None)
    return new


def _remembered() -> dict[str, object]:
    return {"metadata": False, "features": False, "detector": False, "probes": None}


def _model(name: str, path: Path) -> Model:
    found = fingerprint.compute(FingerprintTask(str(path), digest.compute(digest_task(path))))
    return Model(Checkpoint(name, str(path), found.digest, "path"), found)


def _made(row: int, like: Fingerprint) -> Model:
    """A model that nobody reads: numbers of its own around those of its family's root."""
    family = row // FAMILY
    layout = 0 if family % ALIKE == 0 else 1 + family % LAYOUTS
    dice, of_root = np.random.default_rng(row), np.random.default_rng([family])
    sketch = of_root.standard_normal(WIDE) + STEP * dice.standard_normal(WIDE)
    tensors = []
    for tensor in like.tensors:
        one = of_root.standard_normal(tensor.sketch.size) + STEP * dice.standard_normal(tensor.sketch.size)
        spread = 1 + 0.01 * dice.standard_normal()
        tensors.append(
            replace(
                tensor,
                spec=_shaped(tensor.spec, layout),
                hash=dice.bytes(16).hex(),
                norm=tensor.norm * spread,
                sketch=(one * tensor.norm / max(float(np.linalg.norm(one)), 1e-30)).astype(np.float32),
                profile=(tensor.profile * spread).astype(np.float32),
            )
        )
    digest_ = hashlib.sha256(str(row).encode()).hexdigest()
    made = replace(
        like,
        digest=digest_,
        tensors=tuple(tensors),
        signature=like.signature if layout == 0 else f"{layout:016x}",
        sketch=(sketch / np.linalg.norm(sketch)).astype(np.float32),
    )
    return Model(Checkpoint(f"m{row}", f"/nowhere/m{row}.safetensors", digest_, "path"), made)


def _shaped(spec: TensorSpec, layout: int) -> TensorSpec:
    """In another layout matrices are longer and narrower, but the first, which all models have in one shape."""
    if layout == 0 or spec.name.startswith("blocks.0."):
        return spec
    return TensorSpec(spec.name, (spec.shape[0] + layout, spec.shape[1] - layout), spec.dtype)
