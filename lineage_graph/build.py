"""The whole pipeline, and the only module that knows every stage.

It reads as the diagram of the architecture: locate → fetch → fingerprint → candidates → evidence → scoring → lineage →
render. Stages fan out through the executor, the store keeps what they made, and only this driver writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import platformdirs

from lineage_graph import __version__, alignment, candidates, evidence, fingerprint, lineage, scoring
from lineage_graph.cached import Artefact, Workshop
from lineage_graph.calibration import shipped
from lineage_graph.detector.stage import detect
from lineage_graph.errors import StrictError
from lineage_graph.executors import make_executor
from lineage_graph.features.settings import ProbeSettings, images_digest
from lineage_graph.manifest import Manifest
from lineage_graph.render import RENDERERS
from lineage_graph.signals import metadata as metadata_signals
from lineage_graph.store import Store, artefact_key, write_atomic
from lineage_graph.types import (
    CandidatePair,
    Detection,
    Failure,
    FeatureComparison,
    LineageGraph,
    Model,
    PairEvidence,
    Progress,
    Rejected,
    RunRecord,
    ScoredPair,
    silent,
)
from lineage_graph.zoo import Stopwatch, read_zoo

MOST_COPIES = 32
"""Files of equal bytes that are all paired with one another."""

MOST_NAMED = 5
"""Failures that one sentence names."""

COMPARISONS = Artefact("comparison", evidence.to_bytes, evidence.from_bytes)


@dataclass(frozen=True, slots=True)
class BuildSettings:
    """``metadata``: names, dates and declarations count as evidence. ``features``: networks are built where they can
    be, and compared by their linearized features too. ``detector``: the learned detector is asked. ``strict``: a model
    that fails ends the build.
    ``jobs``: processes, 0 for one a core. ``cache``: where artefacts are kept, ``None`` for the user's cache folder.
    """

    metadata: bool = True
    features: bool = True
    detector: bool = True
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
        probes = probe_settings(manifest) if settings.features else None
        zoo = read_zoo(manifest.entries, manifest.root, cache, shop, watch, probes)
        if settings.strict and zoo.failures:
            raise StrictError(_strictly(zoo.failures))
        with watch.stage("candidates"):
            pairs = propose(zoo.models, settings.metadata)
        with watch.stage("evidence"):
            detections = detect(zoo.models, pairs, shop, probes) if settings.detector else {}
            measured, unreadable = measure(zoo.models, pairs, shop, probes, detections)
    with watch.stage("lineage"):
        scored = judge(zoo.models, measured, settings.metadata)
        decision = lineage.LineageSettings(scoring.DECISION)
        graph = lineage.assemble(manifest.name, zoo.models, scored, zoo.failures, decision)
        graph = replace(graph, rejected=(*graph.rejected, *unreadable))
    run = _record(settings, watch, graph, len(pairs))
    files = tuple(out / renderer.filename for renderer in RENDERERS)
    texts = [renderer.render(graph, run).encode() for renderer in RENDERERS]
    for file, text in zip(files, texts, strict=True):
        write_atomic(file, text)
    return BuildResult(graph, run, out, files, zoo.truth)


def probe_settings(manifest: Manifest) -> ProbeSettings:
    """The manifest's probes. Raises :class:`~lineage_graph.errors.ManifestError` for a folder without images."""
    given, usual = manifest.probes, ProbeSettings()
    folder = manifest.root / given.folder if given.folder is not None else None
    return ProbeSettings(
        count=given.count if given.count is not None else usual.count,
        seed=given.seed if given.seed is not None else usual.seed,
        folder=str(folder) if folder is not None else "",
        images=images_digest(folder) if folder is not None else "",
    )


def propose(models: Sequence[Model], metadata: bool) -> list[CandidatePair]:
    """Candidates among the distinct models; where metadata counts, declared parents are always looked at."""
    distinct: dict[str, Model] = {}
    for model in sorted(models, key=lineage.canonical):
        distinct.setdefault(model.fingerprint.digest, model)
    pairs = list(candidates.propose(list(distinct.values())))
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
    models: Sequence[Model],
    pairs: Sequence[CandidatePair],
    shop: Workshop,
    probes: ProbeSettings | None,
    detections: Mapping[tuple[str, str], Detection],
) -> tuple[list[PairEvidence], list[Rejected]]:
    """Compare the weights of each pair, and its features where both have them, and take every signal from that.

    ``detections``: by pair, what the detector said, where it did. Pairs whose weights cannot be read come with the
    reason.
    """
    by_id = {model.id: model for model in models}
    sides = [(by_id[pair.a], by_id[pair.b]) for pair in pairs]
    features = compare_features(sides, shop, probes) if probes is not None else {}
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
            pair = (a.id, b.id)
            measured.append(evidence.gather(a, b, matched, outcome.value, features.get(pair), detections.get(pair)))
    return measured, unreadable


def compare_features(
    sides: Sequence[tuple[Model, Model]], shop: Workshop, probes: ProbeSettings
) -> dict[tuple[str, str], FeatureComparison]:
    """The pairwise linearization of the pairs whose sides are one network; a pair that fails has none."""
    from lineage_graph.features import held, pairwise

    alike = [(a, b) for a, b in sides if a.features and b.features and a.features.group == b.features.group != ""]
    # Workers hold the networks of their latest pairs: pairs of one model come one after the other.
    alike.sort(key=lambda pair: [side.checkpoint.digest for side in pair])
    work: list[tuple[str | None, pairwise.FeaturePairTask]] = []
    for pair in alike:
        a, b = (held.Side(side.checkpoint.path, side.checkpoint.digest, side.checkpoint.arch) for side in pair)
        named = [(side.digest, side.architecture) for side in (a, b)]
        key = artefact_key("feature-comparison", pairwise.SCHEMA, named, probes.key)
        work.append((key, pairwise.FeaturePairTask(a, b, probes)))
    kept = Artefact("feature-comparison", pairwise.to_bytes, pairwise.from_bytes)
    outcomes = shop.map(kept, pairwise.compare, work)
    return {(a.id, b.id): o.value for (a, b), o in zip(alike, outcomes, strict=True) if o.value is not None}


def judge(models: Sequence[Model], measured: Sequence[PairEvidence], metadata: bool) -> list[ScoredPair]:
    """Score every measured pair, and the pairs of files with equal bytes, which need no measurement."""
    by_id = {model.id: model.checkpoint for model in models}
    calibration = shipped()
    return [
        scoring.score(
            pair,
            metadata_signals.measure(by_id[pair.a], by_id[pair.b]) if metadata else {},
            calibration=calibration,
            tested=len(measured),
        )
        for pair in [*measured, *_copies(models)]
    ]


def _copies(models: Sequence[Model]) -> Iterator[PairEvidence]:
    """Each file with the others of its bytes; of very many, with the first alone."""
    groups: dict[str, list[Model]] = {}
    for model in sorted(models, key=lineage.canonical):
        groups.setdefault(model.fingerprint.digest, []).append(model)
    signals = {"cosine": 1.0, "distance": 0.0, "identical": 1.0}
    for group in groups.values():
        for index, one in enumerate(group if len(group) <= MOST_COPIES else group[:1]):
            for other in group[index + 1 :]:
                yield PairEvidence(one.id, other.id, 1.0, signals)


def _strictly(failures: Sequence[Failure]) -> str:
    named = "; ".join(f"{f.id}: {f.error}: {f.message}" for f in failures[:MOST_NAMED])
    more = f"; and {len(failures) - MOST_NAMED} more" if len(failures) > MOST_NAMED else ""
    return f"strict: {len(failures)} of the models could not be used: {named}{more}"


def _record(settings: BuildSettings, watch: Stopwatch, graph: LineageGraph, pairs: int) -> RunRecord:
    related = {data["family"] for _, data in graph.graph.nodes(data=True) if data["role"] != "isolated"}
    return RunRecord(
        version=__version__,
        settings={
            "metadata": settings.metadata,
            "features": settings.features,
            "detector": settings.detector,
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
