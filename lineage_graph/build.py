"""The whole pipeline, and the only module that knows every stage.

It reads as the diagram of the architecture: locate → fetch → fingerprint → candidates → evidence → scoring → lineage →
render. Candidates, and other leads, are sought in the whole zoo; what follows goes part by part, until the parts are
joined into one graph. Stages fan out through the executor, the store keeps what they made, and only this driver writes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import platformdirs

from lineage_graph import (
    __version__,
    auditing,
    bases,
    candidates,
    crawl,
    declared,
    examination,
    index,
    judgement,
    leads,
    orders,
    pieces,
    recognition,
    scoring,
    second_look,
    splices,
    strangers,
    survey,
)
from lineage_graph.cached import Workshop
from lineage_graph.calibration import shipped
from lineage_graph.conclusion import conclude
from lineage_graph.detector.stage import detect
from lineage_graph.errors import StrictError
from lineage_graph.examination import Examination
from lineage_graph.executors import ExecutorKind, make_executor
from lineage_graph.features.settings import Device, ProbeSettings, images_digest
from lineage_graph.joining import joined
from lineage_graph.judgement import Surroundings
from lineage_graph.kinship import Blend, Splice
from lineage_graph.leads import Leads
from lineage_graph.manifest import Manifest
from lineage_graph.parts import Part, divide, together
from lineage_graph.pieces import Piece
from lineage_graph.render import RENDERERS
from lineage_graph.store import Store, write_atomic
from lineage_graph.types import (
    Failure,
    LineageGraph,
    Model,
    Progress,
    RunRecord,
    silent,
)
from lineage_graph.zoo import Stopwatch, read_zoo

MOST_NAMED = 5
"""Failures that one sentence names."""


@dataclass(frozen=True, slots=True)
class BuildSettings:
    """``metadata``: names, dates and declarations count as evidence. ``features``: networks are built where they can
    be, and compared by their linearized features too. ``detector``: the learned detector is asked. ``strict``: a model
    that fails ends the build. ``full``: all weights are fetched from the Hub, needed or not.
    ``jobs``: processes, 0 for one a core. ``device``: where they pass probes through networks. ``executor``: where they
    run; ``address``: of a running Ray cluster, empty to start one here. ``cache``: where artefacts are kept, ``None``
    for the user's cache folder.
    """

    metadata: bool = True
    features: bool = True
    detector: bool = True
    strict: bool = False
    full: bool = False
    jobs: int = 0
    device: Device = "cpu"
    executor: ExecutorKind = "local"
    address: str = ""
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
    manifest: Manifest,
    out: Path,
    settings: BuildSettings | None = None,
    progress: Progress = silent,
    consent: crawl.Consent = crawl.agreed,
) -> BuildResult:
    """Build the lineage graph of a zoo and write it to ``out``. ``consent``: called before anything is fetched.

    Raises :class:`~lineage_graph.errors.ManifestError` (nothing written), ``StrictError`` (with ``settings.strict``,
    nothing written), ``DeviceError`` and ``OutputError``.
    """
    settings = settings or BuildSettings()
    if settings.device == "cuda" and settings.features and settings.executor == "local":
        from lineage_graph.features.device import require_gpu

        require_gpu()
    cache = settings.cache or default_cache()
    watch = Stopwatch()
    with make_executor(settings.jobs, settings.executor, settings.address) as executor:
        shop = Workshop(executor, Store(cache), progress)
        probes = probe_settings(manifest, settings.device) if settings.features else None
        zoo = read_zoo(manifest.entries, manifest.root, cache, shop, watch, probes, consent, full=settings.full)
        if settings.strict and zoo.failures:
            raise StrictError(_strictly(zoo.failures))
        graph, files, run = assemble(manifest.name, zoo.models, zoo.failures, out, shop, watch, probes, settings)
    return BuildResult(graph, run, out, files, zoo.truth)


def assemble(
    name: str,
    models: Sequence[Model],
    failures: Sequence[Failure],
    out: Path,
    shop: Workshop,
    watch: Stopwatch,
    probes: ProbeSettings | None,
    settings: BuildSettings,
) -> tuple[LineageGraph, tuple[Path, ...], RunRecord]:
    """From models that were read to the files in ``out``, whoever read them. Raises ``OutputError``."""
    models = declared.resolve(sorted(models, key=index.order))
    suggested = lead(models, shop, watch, metadata=settings.metadata)
    with watch.stage("parents"):
        parts = divide(models, suggested, shop)
        around = judgement.surroundings(len(suggested.pairs), strangers.levels(models))
    found = judge(parts, around, shop, watch, probes, settings)
    with watch.stage("lineage"):
        graph = joined(name, models, [piece.drawn for piece in found], failures)
        alone = any(piece.alone is not None for piece in found)
        plain = joined(name, models, [piece.plain for piece in found], failures) if alone else graph
    with watch.stage("audit"):
        graph = auditing.audited(graph, plain, models, around, shop, probes, shipped())
    run = _record(settings, watch, graph, sum(piece.compared for piece in found))
    files = tuple(out / renderer.filename for renderer in RENDERERS)
    texts = [renderer.render(graph, run).encode() for renderer in RENDERERS]
    for file, text in zip(files, texts, strict=True):
        write_atomic(file, text)
    about = {"name": name, "settings": _remembered(settings, probes, out), "pairs": len(suggested.pairs)}
    return graph, (*files, index.write(out, models, about)), run


def _remembered(settings: BuildSettings, probes: ProbeSettings | None, out: Path) -> dict[str, object]:
    """What one more model has to be judged by; see :func:`remembered`."""
    folder = os.path.relpath(probes.folder, out) if probes is not None and probes.folder else ""
    return {
        "metadata": settings.metadata,
        "features": settings.features,
        "detector": settings.detector,
        "probes": asdict(replace(probes, folder=folder, device="cpu")) if probes is not None else None,
    }


def remembered(about: Mapping[str, Any], out: Path) -> tuple[BuildSettings, ProbeSettings | None]:
    """The settings and probes of the build that wrote the index with this ``about`` into ``out``."""
    kept = dict(about["settings"])
    given = kept.pop("probes")
    probes = ProbeSettings(**given) if given is not None else None
    if probes is not None and probes.folder:
        probes = replace(probes, folder=str(out / probes.folder))
    return BuildSettings(**kept), probes


def probe_settings(manifest: Manifest, device: Device = "cpu") -> ProbeSettings:
    """The manifest's probes. Raises :class:`~lineage_graph.errors.ManifestError` for a folder without images."""
    given, usual = manifest.probes, ProbeSettings()
    folder = manifest.root / given.folder if given.folder is not None else None
    return ProbeSettings(
        count=given.count if given.count is not None else usual.count,
        seed=given.seed if given.seed is not None else usual.seed,
        folder=str(folder) if folder is not None else "",
        images=images_digest(folder) if folder is not None else "",
        device=device,
    )


def lead(models: Sequence[Model], shop: Workshop, watch: Stopwatch, *, metadata: bool) -> Leads:
    """What is worth a look in the whole zoo."""
    with watch.stage("candidates"):
        pairs = leads.propose(models, metadata)
    with watch.stage("evidence"):
        pairs = recognition.worth_comparing(models, pairs, shop)
    with watch.stage("parents"):
        return leads.follow(models, pairs)


def examine(
    models: Sequence[Model], shop: Workshop, watch: Stopwatch, probes: ProbeSettings | None, settings: BuildSettings
) -> Examination:
    """Everything that has to be measured of a whole zoo before anything is judged."""
    return look(models, lead(models, shop, watch, metadata=settings.metadata), shop, watch, probes, settings)


def look(
    models: Sequence[Model],
    found: Leads,
    shop: Workshop,
    watch: Stopwatch,
    probes: ProbeSettings | None,
    settings: BuildSettings,
) -> Examination:
    """Measure what the leads are about, and whatever they lead to."""
    pairs = found.pairs
    with watch.stage("evidence"):
        detections = detect(models, pairs, shop, probes) if settings.detector else {}
        measured, unreadable = examination.measure(models, pairs, shop, probes, detections)
        further = second_look.propose(measured, {model.id: model.fingerprint.digest for model in models})
        more, failed = examination.measure(models, further, shop, probes, {})
    with watch.stage("parents"):
        blends = examination.find_blends(models, pairs, found.sums, shop)
        surveyed = survey.survey(models, found.blocks, [*measured, *more], shop)
        several: tuple[Blend | Splice, ...] = (*blends, *splices.splices(surveyed))
        last = examination.unmeasured(several, models, [*measured, *more])
        rest, lost = examination.measure(models, last, shop, probes, {})
    formats = {model.id: model.fingerprint.format for model in models}
    return Examination(
        models=tuple(models),
        measured=tuple(bases.with_bases(orders.with_orders([*measured, *more, *rest], formats), several)),
        unreadable=(*unreadable, *failed, *lost),
        several=several,
        surveyed=surveyed,
    )


def judge(
    parts: Sequence[Part],
    around: Surroundings,
    shop: Workshop,
    watch: Stopwatch,
    probes: ProbeSettings | None,
    settings: BuildSettings,
) -> list[Piece]:
    """What is found of each part: kept from an earlier build, or, of all others together, measured and judged now."""
    known = {
        "features": probes.key if probes is not None else None,
        "detector": settings.detector,
        "metadata": settings.metadata,
    }
    keys = [pieces.key(part, around, known) for part in parts]
    found = {place: piece for place, key in enumerate(keys) if (piece := shop.kept(pieces.PIECES, key)) is not None}
    new = [place for place in range(len(parts)) if place not in found]
    shop = replace(shop, failed=set())
    changed = together(parts[place] for place in new)
    seen = look(changed.models, changed.leads, shop, watch, probes, settings)
    with watch.stage("lineage"):
        for place, own in zip(new, seen.divided([parts[place].models for place in new]), strict=True):
            found[place] = piece = conclude(own, settings.metadata, around)
            # What failed is tried again by the next build.
            if not shop.failed_on(model.checkpoint.path for model in own.models):
                shop.keep(pieces.PIECES, keys[place], piece)
    return [found[place] for place in range(len(parts))]


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
            "full": settings.full,
            "device": settings.device,
            "decision": scoring.DECISION,
            "related": asdict(scoring.RelatedSettings()),
            "candidates": asdict(candidates.CandidateSettings()),
        },
        timings=dict(watch.timings),
        counts={
            "models": graph.graph.number_of_nodes(),
            "failed": len(graph.failures),
            "sampled": sum(facts["weights"] == "sampled" for _, facts in graph.graph.nodes(data=True)),
            "families": len(related),
            "candidate_pairs": pairs,
            "edges": graph.graph.number_of_edges(),
        },
        failures=graph.failures,
    )
