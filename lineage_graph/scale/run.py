"""One or several built zoos' indexes in, a lineage graph out: the driver behind ``lgraph assemble``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from lineage_graph import __version__, scoring
from lineage_graph.calibration import shipped
from lineage_graph.errors import IndexFileError
from lineage_graph.index import Index
from lineage_graph.render import RENDERERS, run_record
from lineage_graph.render.node_link import from_json
from lineage_graph.scale import written
from lineage_graph.scale.assembled import Lineage, assemble
from lineage_graph.scale.judged import KINDS
from lineage_graph.scale.neighbours import SearchSettings
from lineage_graph.scale.population import load
from lineage_graph.store import replacing, write_atomic
from lineage_graph.types import Progress, RunRecord, silent
from lineage_graph.zoo import Stopwatch

LARGEST_DRAWN = 50_000
"""Models up to which all outputs of a build are written; beyond, ``lineage.json`` and ``run.json``."""

JSON, RUN = "lineage.json", "run.json"


@dataclass(frozen=True, slots=True)
class Assembled:
    """``kinds``: edges by kind, the most frequent first. ``files``: what was written."""

    name: str
    models: int
    families: int
    kinds: Mapping[str, int]
    timings: Mapping[str, float]
    counts: Mapping[str, int]
    files: tuple[Path, ...]


def run(folders: Sequence[Path], out: Path, progress: Progress = silent) -> Assembled:
    """Assemble the models of all ``folders`` that hold an index, and write the graph to ``out``.

    Raises :class:`~lineage_graph.errors.IndexFileError` and :class:`~lineage_graph.errors.OutputError`.
    """
    watch = Stopwatch()
    with ExitStack() as stack:
        with watch.stage("open"):
            indexes = [stack.enter_context(Index(folder)) for folder in folders]
            population = load(indexes)
        if not len(population):
            raise IndexFileError(f"{folders[0]}: the index holds no models")
        lineage = assemble(population, shipped(), watch, progress)
        with watch.stage("write"), replacing(out / JSON) as file:
            for piece in written.pieces(out.name, population, lineage):
                file.write(piece.encode("ascii"))
        record = _record(len(population), lineage, watch)
        files = _drawn(out, record, progress) if len(population) <= LARGEST_DRAWN else [out / JSON]
        write_atomic(out / RUN, run_record.of_build(out.name, record).encode())
    kinds = Counter([KINDS[number] for number in lineage.edges.kind.tolist()])
    files = [*files, *([out / RUN] if out / RUN not in files else [])]
    families = record.counts["families"]
    return Assembled(
        out.name, len(population), families, dict(kinds.most_common()), watch.timings, lineage.counts, tuple(files)
    )


def _record(models: int, lineage: Lineage, watch: Stopwatch) -> RunRecord:
    settings = {
        "evidence": "sketched",
        "metadata": False,
        "decision": scoring.DECISION,
        "related": asdict(scoring.RelatedSettings()),
        "search": asdict(SearchSettings()),
    }
    families = int(np.count_nonzero(np.bincount(lineage.family) > 1))
    counts = {"models": models, "failed": 0, "families": families, "edges": len(lineage.edges), **lineage.counts}
    return RunRecord(__version__, settings, dict(watch.timings), counts)


def _drawn(out: Path, record: RunRecord, progress: Progress) -> list[Path]:
    """Everything that a build writes, from the graph that was just written."""
    graph = from_json((out / JSON).read_text(encoding="ascii"))
    for done, renderer in enumerate(RENDERERS):
        progress("draw", done, len(RENDERERS))
        write_atomic(out / renderer.filename, renderer.render(graph, record).encode())
    progress("draw", len(RENDERERS), len(RENDERERS))
    return [out / renderer.filename for renderer in RENDERERS]
