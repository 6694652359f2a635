"""The one list of benches. A new measurement is a new file beside this one and a line here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bench:
    """``module`` has ``run(workdir: Path, progress: Progress) -> str``, which returns its results as Markdown."""

    name: str
    summary: str
    module: str


BENCHES: tuple[Bench, ...] = (
    Bench("io", "fingerprinting against merely reading the same tensors: time and memory", "lineage_graph.bench.io"),
    Bench(
        "fuzz",
        "10,000 mutated files against every reader: errors, crashes, hangs, memory, files written",
        "lineage_graph.bench.fuzz",
    ),
    Bench("sketch", "how well distances of sketches estimate distances of weights", "lineage_graph.bench.sketch"),
    Bench("pruning", "linearized scoring of a zoo, all pairs against pruned ones", "lineage_graph.bench.pruning"),
    Bench("candidates", "what pruning with faiss loses against brute force", "lineage_graph.bench.candidates"),
    Bench(
        "approximation",
        "time and memory of comparing features with and without approximation",
        "lineage_graph.bench.approximation",
    ),
    Bench(
        "batched",
        "features of models of one architecture, together against one by one",
        "lineage_graph.bench.batched",
    ),
    Bench(
        "generations",
        "ancestors over one, two and three generations, by every method",
        "lineage_graph.bench.generations",
    ),
    Bench("settings", "parents by the children's training and task, by every method", "lineage_graph.bench.settings"),
    Bench(
        "detector",
        "the learned detector on unseen architectures, strangers and published checkpoints, and its cost",
        "lineage_graph.bench.detector",
    ),
    Bench("hybrid", "the origin of every block of networks put together from several", "lineage_graph.bench.hybrid"),
    Bench(
        "wild",
        "whole builds on grown zoos of every kind and on published checkpoints, beside the reference methods",
        "lineage_graph.bench.wild",
    ),
    Bench(
        "lineage300",
        "ancestors over one, two and three generations among 300 unordered models",
        "lineage_graph.bench.lineage300",
    ),
    Bench("executors", "what a task costs beside its work, in processes and on Ray", "lineage_graph.bench.executors"),
    Bench(
        "scale",
        "from stored fingerprints to the graph, for a thousand to a million models",
        "lineage_graph.bench.scale",
    ),
    Bench(
        "grown",
        "a whole build of real small checkpoints against all pairs, a MoTHer-like pass, and merely reading them",
        "lineage_graph.bench.grown",
    ),
    Bench("rebuild", "a build after one model came, beside one from nothing", "lineage_graph.bench.rebuild"),
    Bench(
        "page",
        "lineage.html of 300 to 50,000 models in Chromium: weight, first drawing, dragging, filters",
        "lineage_graph.bench.page",
    ),
    Bench("trace", "what tracing one checkpoint costs beside fingerprinting it", "lineage_graph.bench.trace"),
    Bench(
        "placing", "placing one more model in zoos of up to 100,000, judged by weights", "lineage_graph.bench.placing"
    ),
)
