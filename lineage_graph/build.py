"""The whole pipeline, and the only module that knows every stage.

It reads as the diagram of the architecture: locate → fetch → fingerprint → candidates → evidence → scoring → lineage →
render. Stages fan out through the executor, the store keeps what they made, and only this driver writes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import platformdirs

from lineage_graph import __version__, alignment, candidates, evidence, fingerprint, lineage, scoring
from lineage_graph.cached import Artefact, Workshop
from lineage_graph.checkpoints import weight_files
from lineage_graph.errors import ManifestError, ModelError, StrictError
from lineage_graph.executors import Outcome, make_executor
from lineage_graph.manifest import GrowEntry, Manifest, PathEntry
from lineage_graph.render import RENDERERS
from lineage_graph.signals import metadata as metadata_signals
from lineage_graph.sources import digest
from lineage_graph.sources.base import LocatedModel
from lineage_graph.sources.grow import GrownZoo, grow
from lineage_graph.sources.local import check_unique, locate
from lineage_graph.store import Store, artefact_key, write_atomic
from lineage_graph.types import (
    CandidatePair,
    Checkpoint,
    Failure,
    LineageGraph,
    Model,
    PairEvidence,
    Progress,
    Rejected,
    RunRecord,
    ScoredPair,
    silent,
)

DIGESTS = Artefact("digest", str.encode, bytes.decode)
FINGERPRINTS = Artefact("fingerprint", fingerprint.to_bytes, fingerprint.from_bytes)
COMPARISONS = Artefact("comparison", evidence.to_bytes, evidence.from_bytes)


@dataclass(frozen=True, slots=True)
class BuildSettings:
    """``metadata``: names, dates and declarations count as evidence. ``strict``: a model that fails ends the build.
    ``jobs``: processes, 0 for one a core. ``cache``: where artefacts are kept, ``None`` for the user's cache folder.
    """

    metadata: bool = True
    strict: bool = False
    jobs: int = 0
    cache: Path | None = None


@dataclass(frozen=True, slots=True)
class BuildResult:
    """``files``: what was written into ``out``. ``truth``: the truth files of zoos that were grown."""

    lineage: LineageGraph
    run: RunRecord
    out: Path
    files: tuple[Path, ...]
    truth: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class ReadZoo:
    """The zoo after the stages that read it model by model."""

    models: tuple[Model, ...]
    failures: tuple[Failure, ...]
    truth: tuple[Path, ...]


class Stopwatch:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.timings: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time the body of a ``with`` block."""
        start = time.perf_counter()
        yield
        self.timings[name] = time.perf_counter() - start


def default_cache() -> Path:
    """The user's cache folder for artefacts."""
    return Path(platformdirs.user_cache_dir("lgraph", appauthor=False))


def build(
    manifest: Manifest, out: Path, settings: BuildSettings | None = None, progress: Progress = silent
) -> BuildResult:
    """Build the lineage graph of a zoo and write it to ``out``.

    Raises :class:`~lineage_graph.errors.ManifestError` (nothing written), ``StrictError`` (with ``settings.strict``,
    nothing written) and ``OutputError``.
    """
    settings = settings or BuildSettings()
    cache = settings.cache or default_cache()
    watch = Stopwatch()
    with make_executor(settings.jobs) as executor:
        shop = Workshop(executor, Store(cache), progress)
        zoo = read_zoo(manifest, cache, shop, watch)
        if settings.strict and zoo.failures:
            raise StrictError("; ".join(f"{f.id}: {f.error}: {f.message}" for f in zoo.failures))
        with watch.stage("candidates"):
            pairs = propose(zoo.models, settings.metadata)
        with watch.stage("evidence"):
            measured, unreadable = measure(zoo.models, pairs, shop)
    with watch.stage("lineage"):
        scored = judge(zoo.models, measured, settings.metadata)
        decision = lineage.LineageSettings(scoring.DECISION)
        graph = lineage.assemble(manifest.name, zoo.models, scored, zoo.failures, decision)
        graph = replace(graph, rejected=(*graph.rejected, *unreadable))
    run = _record(settings, watch, graph, len(pairs))
    files = tuple(out / renderer.filename for renderer in RENDERERS)
    for file, renderer in zip(files, RENDERERS, strict=True):
        write_atomic(file, renderer.render(graph, run).encode())
    return BuildResult(graph, run, out, files, zoo.truth)


def read_zoo(manifest: Manifest, cache: Path, shop: Workshop, watch: Stopwatch) -> ReadZoo:
    """Locate, digest and fingerprint every model of the manifest; what cannot be read becomes a failure."""
    with watch.stage("locate"):
        located, truth = _locate(manifest, cache, shop)
    with watch.stage("fetch"):
        checkpoints, unfetched = _fetch(located, shop)
    with watch.stage("fingerprint"):
        models, unread = _fingerprint(checkpoints, shop)
    return ReadZoo(tuple(models), (*unfetched, *unread), truth)


def _locate(manifest: Manifest, cache: Path, shop: Workshop) -> tuple[list[LocatedModel], tuple[Path, ...]]:
    """Every entry as models on disk. The manifest's mistakes show before anything is grown."""
    entries = list(enumerate(manifest.entries, start=1))
    models: dict[int, tuple[LocatedModel, ...]] = {
        number: locate(entry, manifest.root) for number, entry in entries if isinstance(entry, PathEntry)
    }
    check_unique([model for located in models.values() for model in located])
    truth = []
    for number, entry in entries:
        if isinstance(entry, GrowEntry):
            zoo = _grow(entry, cache, shop)
            models[number] = zoo.models
            truth.append(zoo.truth)
    located = [model for number, _ in entries for model in models[number]]
    check_unique(located)
    return located, tuple(truth)


def _grow(entry: GrowEntry, cache: Path, shop: Workshop) -> GrownZoo:
    growth = entry.grow
    try:
        return grow(growth.recipe, growth.models, growth.seed, cache, shop.executor, shop.progress)
    except ManifestError as error:
        raise ManifestError(f"{entry.where}: {error}") from error


def _fetch(located: Sequence[LocatedModel], shop: Workshop) -> tuple[list[Checkpoint], list[Failure]]:
    """The digest of each model's bytes, remembered by what the file system says of them."""
    failures: list[Failure] = []
    found: list[LocatedModel] = []
    work: list[tuple[str | None, digest.DigestTask]] = []
    for model in located:
        try:
            folder = model.path if model.path.is_dir() else model.path.parent
            task = digest.DigestTask(tuple(str(file) for file in weight_files(model.path)), str(folder))
            work.append((digest.memo_key(task), task))
            found.append(model)
        except ModelError as error:
            failures.append(_failure(model, "fetch", Outcome.of_error(error)))
    checkpoints = []
    for model, outcome in zip(found, shop.map(DIGESTS, digest.compute, work), strict=True):
        if outcome.value is None:
            failures.append(_failure(model, "fetch", outcome))
            continue
        checkpoint = Checkpoint(
            id=model.id,
            path=str(model.path),
            digest=outcome.value,
            source=model.source,
            arch=model.arch,
            created=model.created,
            declared_parents=model.declared_parents,
        )
        checkpoints.append(checkpoint)
    return checkpoints, failures


def _fingerprint(checkpoints: Sequence[Checkpoint], shop: Workshop) -> tuple[list[Model], list[Failure]]:
    work = [
        (
            artefact_key("fingerprint", fingerprint.SCHEMA, c.digest, digest.sidecar(Path(c.path))),
            fingerprint.FingerprintTask(c.path, c.digest),
        )
        for c in checkpoints
    ]
    models, failures = [], []
    for checkpoint, outcome in zip(checkpoints, shop.map(FINGERPRINTS, fingerprint.compute, work), strict=True):
        if outcome.value is None:
            failures.append(_failure(checkpoint, "fingerprint", outcome))
        else:
            models.append(Model(checkpoint, outcome.value))
    return models, failures


def _failure(model: LocatedModel | Checkpoint, stage: str, outcome: Outcome[Any]) -> Failure:
    return Failure(model.id, outcome.error, outcome.message, stage, model.source)


def propose(models: Sequence[Model], metadata: bool) -> list[CandidatePair]:
    """Candidates among the distinct models; where metadata counts, declared parents are always looked at."""
    distinct = {model.fingerprint.digest: model for model in reversed(models)}
    pairs = list(candidates.propose([model for model in models if distinct[model.fingerprint.digest] is model]))
    if not metadata:
        return pairs
    proposed = {frozenset((pair.a, pair.b)) for pair in pairs}
    by_id = {model.id: distinct[model.fingerprint.digest] for model in models}
    for model in models:
        for claim in model.checkpoint.declared_parents:
            if claim not in by_id:
                continue
            a, b = sorted((by_id[claim], by_id[model.id]), key=lambda side: side.fingerprint.digest)
            if a is not b and frozenset((a.id, b.id)) not in proposed:
                proposed.add(frozenset((a.id, b.id)))
                pairs.append(CandidatePair(a.id, b.id, 0.0))
    return pairs


def measure(
    models: Sequence[Model], pairs: Sequence[CandidatePair], shop: Workshop
) -> tuple[list[PairEvidence], list[Rejected]]:
    """Compare the weights of each pair and take every signal from it; pairs that cannot be read come with a reason."""
    by_id = {model.id: model for model in models}
    sides = [(by_id[pair.a], by_id[pair.b]) for pair in pairs]
    aligned = [alignment.align(a.fingerprint, b.fingerprint) for a, b in sides]
    work = [
        (
            artefact_key("comparison", evidence.SCHEMA, fingerprint.SCHEMA, a.checkpoint.digest, b.checkpoint.digest),
            evidence.plan(a.checkpoint.path, b.checkpoint.path, matched),
        )
        for (a, b), matched in zip(sides, aligned, strict=True)
    ]
    measured: list[PairEvidence] = []
    unreadable: list[Rejected] = []
    outcomes = shop.map(COMPARISONS, evidence.compare, work)
    for (a, b), matched, outcome in zip(sides, aligned, outcomes, strict=True):
        if outcome.value is None:
            unreadable.append(Rejected(a.id, b.id, 0.0, 0.0, f"not compared: {outcome.message}"))
        else:
            measured.append(evidence.gather(a, b, matched, outcome.value))
    return measured, unreadable


def judge(models: Sequence[Model], measured: Sequence[PairEvidence], metadata: bool) -> list[ScoredPair]:
    """Score every measured pair."""
    by_id = {model.id: model.checkpoint for model in models}
    return [
        scoring.score(pair, metadata_signals.measure(by_id[pair.a], by_id[pair.b]) if metadata else {})
        for pair in measured
    ]


def _record(settings: BuildSettings, watch: Stopwatch, graph: LineageGraph, pairs: int) -> RunRecord:
    related = {data["family"] for _, data in graph.graph.nodes(data=True) if data["role"] != "isolated"}
    return RunRecord(
        version=__version__,
        settings={
            "metadata": settings.metadata,
            "strict": settings.strict,
            "decision": scoring.DECISION,
            "related": asdict(scoring.RelatedSettings()),
            "candidates": asdict(candidates.CandidateSettings()),
        },
        timings=dict(watch.timings),
        counts={
            "models": graph.graph.number_of_nodes(),
            "failed": len(graph.failures),
            "families": len(related),
            "candidate_pairs": pairs,
            "edges": graph.graph.number_of_edges(),
        },
        failures=graph.failures,
    )
