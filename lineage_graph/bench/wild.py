"""Whole builds on zoos of every kind, judged beside the reference methods: ``lgraph bench wild``.

Weights only, on grown zoos whose seeds no fit has seen, and on published checkpoints whose lineage is documented, there
with metadata too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from lineage_graph import manifest
from lineage_graph.bench import documented, judging, wild_report
from lineage_graph.bench.diagram import diagram
from lineage_graph.bench.judging import Tally, judge
from lineage_graph.bench.references import REFERENCES, weights
from lineage_graph.build import BuildSettings, build, default_cache
from lineage_graph.cached import Workshop
from lineage_graph.evaluate import Truth, load_truth
from lineage_graph.executors import make_executor
from lineage_graph.manifest import GrowEntry, Growth, Manifest
from lineage_graph.store import Store, write_atomic
from lineage_graph.types import Progress
from lineage_graph.zoo import Stopwatch, read_zoo

REGIMES: Mapping[str, int] = {
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
"""Recipe → models of a zoo."""

SEEDS = (515, 516, 517)
"""For judging alone: what is fitted or chosen is so on others. 500 to 514 were judged on, and looked at since."""

OWN, INFORMED = "lgraph", "lgraph, metadata"

Tallies = dict[str, Tally]
"""By method."""


def run(workdir: Path, progress: Progress) -> str:
    """The tables by regime, kind and family, and the reliability diagram, which is kept in the user's cache."""
    grown = {regime: _regime(regime, size, workdir, progress) for regime, size in REGIMES.items()}
    everything = judging.pooled(tallies[OWN] for tallies in grown.values())
    drawing = default_cache() / "bench" / "reliability.svg"
    write_atomic(drawing, diagram(wild_report.bins(everything), "edges of lgraph, weights only").encode())
    parts = [
        f"Zoos of {min(REGIMES.values())} to {max(REGIMES.values())} models, seeds {', '.join(map(str, SEEDS))}.\n",
        *wild_report.regimes(grown, OWN, INFORMED),
        wild_report.calibration(everything),
        f"The diagram: {drawing}\n",
        _published(workdir, progress),
    ]
    return "\n".join(parts)


def _regime(regime: str, models: int, workdir: Path, progress: Progress) -> Tallies:
    """All seeds together."""
    found = []
    for number, seed in enumerate(SEEDS):
        progress(regime, number, len(SEEDS))
        entry = GrowEntry(grow=Growth(recipe=regime, models=models, seed=seed))
        zoo = Manifest(name=f"{regime}-{seed}", root=workdir, entries=(entry,))
        found.append(judged(zoo, workdir, progress, metadata=True))
    progress(regime, len(SEEDS), len(SEEDS))
    return {method: judging.pooled(one[method] for one in found) for method in found[0]}


def judged(
    zoo: Manifest, workdir: Path, progress: Progress, *, truth: Path | None = None, metadata: bool = False
) -> Tallies:
    """What comes of a build without metadata and, on demand, of one with it; then every reference method.

    ``truth``: the file; the zoo's own where it is grown.
    """
    graphs = {}
    for name, informed in [(OWN, False), *([(INFORMED, True)] if metadata else [])]:
        settings = BuildSettings(metadata=informed, cache=default_cache())
        result = build(zoo, workdir / "out", settings, progress)
        graphs[name] = result.lineage.graph
    known = load_truth(truth or result.truth[0])
    return {name: judge(graph, known) for name, graph in graphs.items()} | _references(zoo, known, progress)


def _references(zoo: Manifest, truth: Truth, progress: Progress) -> Tallies:
    with make_executor() as executor:
        shop = Workshop(executor, Store(default_cache()), progress)
        read = read_zoo(zoo.entries, zoo.root, default_cache(), shop, Stopwatch(), None)
    given = weights.load(read.models, judging.families(truth, [model.id for model in read.models]))
    tallies = {}
    for number, (name, reference) in enumerate(REFERENCES.items()):
        progress("references", number, len(REFERENCES))
        graph = reference(given)
        graph.add_nodes_from(failure.id for failure in read.failures)
        tallies[name] = judge(graph, truth)
    progress("references", len(REFERENCES), len(REFERENCES))
    return tallies


def _published(workdir: Path, progress: Progress) -> str:
    root = documented.folder()
    if not root.is_dir():
        return f"No published checkpoints: {root} is not a folder; {documented.VARIABLE} may name another.\n"
    return wild_report.published(dict(_families(root, workdir, progress)), (OWN, INFORMED))


def _families(root: Path, workdir: Path, progress: Progress) -> Iterator[tuple[str, Tallies]]:
    places: Sequence[Path] = sorted(root.glob("*/*.truth.yaml"))
    for number, path in enumerate(places):
        progress("published", number, len(places))
        zoo = manifest.load(path.parent / "manifest.yaml")
        yield path.parent.name, judged(zoo, workdir, progress, truth=path, metadata=True)
    progress("published", len(places), len(places))
