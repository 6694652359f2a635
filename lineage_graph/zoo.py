"""A manifest → models: located, digested, fingerprinted and, where a network can be built, with features.

What cannot be read becomes a failure and the rest goes on; what gives no features keeps its evidence from weights.
"""

from __future__ import annotations

import importlib.metadata
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lineage_graph import crawl, declared, fingerprint, sampling
from lineage_graph.cached import Artefact, Workshop
from lineage_graph.checkpoints import weight_files
from lineage_graph.errors import ManifestError, ModelError
from lineage_graph.executors import Outcome
from lineage_graph.features.settings import ProbeSettings
from lineage_graph.manifest import AnyEntry, GrowEntry, PathEntry
from lineage_graph.sources import digest
from lineage_graph.sources.base import LocatedModel
from lineage_graph.sources.grow import grow
from lineage_graph.sources.hub_client import HubClient
from lineage_graph.sources.hub_settings import from_environment
from lineage_graph.sources.local import check_unique, locate
from lineage_graph.store import artefact_key
from lineage_graph.types import Checkpoint, Failure, LinearizedFeatures, Model
from lineage_graph.visible import visible

DIGESTS = Artefact("digest", str.encode, bytes.decode)
FINGERPRINTS = Artefact("fingerprint", fingerprint.to_bytes, fingerprint.from_bytes)


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
        """Time the body of a ``with`` block; several of one name add up."""
        start = time.perf_counter()
        yield
        self.timings[name] = self.timings.get(name, 0.0) + time.perf_counter() - start


Entries = Sequence[AnyEntry]


def read_zoo(
    entries: Entries,
    root: Path,
    cache: Path,
    shop: Workshop,
    watch: Stopwatch,
    probes: ProbeSettings | None,
    consent: crawl.Consent = crawl.agreed,
    *,
    full: bool = False,
) -> ReadZoo:
    """Locate, download, digest and fingerprint every model of ``entries``, and linearize it on ``probes``, if any.

    ``root``: the folder that paths are relative to. ``consent``: called before anything comes from the Hub. ``full``:
    all weights come from there, also those of models that have no relative by a sample.
    Raises :class:`~lineage_graph.errors.ManifestError`, and what ``consent`` raises.
    """
    client = HubClient(from_environment())
    with watch.stage("locate"):
        places = _locate(entries, root, cache, shop, client, consent)
    with watch.stage("download"):
        fetched = _download(places, client, shop, full)
    located = declared.with_claims(_in_order(places, fetched))
    missed = [one.failure for one in fetched if one.failure is not None]
    sampled = {one.planned.id: one for one in fetched if one.sample is not None}
    with watch.stage("fetch"):
        checkpoints, unfetched = _fetch([model for model in located if model.id not in sampled], shop)
    with watch.stage("fingerprint"):
        models, unread = _fingerprint(checkpoints, shop)
    if probes is not None:
        with watch.stage("features"):
            models = _linearize(models, probes, shop)
    models += [_unread(model, sampled[model.id]) for model in located if model.id in sampled]
    return ReadZoo(tuple(models), (*missed, *unfetched, *unread), places.truth)


def crawled(
    entries: Entries, root: Path, shop: Workshop, consent: crawl.Consent, *, full: bool
) -> tuple[crawl.Fetched, ...]:
    """Only what a build fetches from the Hub; nothing is grown. As :func:`read_zoo`."""
    client = HubClient(from_environment())
    places = _locate(
        [entry for entry in entries if not isinstance(entry, GrowEntry)], root, root, shop, client, consent
    )
    return _download(places, client, shop, full)


def _download(places: _Places, client: HubClient, shop: Workshop, full: bool) -> tuple[crawl.Fetched, ...]:
    if full:
        return crawl.fetch(places.planned, client, shop.store, shop.progress)
    return sampling.fetch(places.planned, places.all_here, client, shop)


@dataclass(frozen=True, slots=True)
class _Places:
    """Where the models are: on this disk by the number of their entry, from 0; the ``planned`` ones on the Hub."""

    here: dict[int, tuple[LocatedModel, ...]]
    planned: tuple[crawl.Planned, ...]
    truth: tuple[Path, ...]

    @property
    def all_here(self) -> list[LocatedModel]:
        """Those on this disk."""
        return [model for models in self.here.values() for model in models]


def _locate(
    entries: Entries, root: Path, cache: Path, shop: Workshop, client: HubClient, consent: crawl.Consent
) -> _Places:
    """Every entry as models. The manifest's mistakes show before anything is fetched or grown."""
    here = {number: locate(entry, root) for number, entry in enumerate(entries) if isinstance(entry, PathEntry)}
    planned = crawl.plan(entries, client, shop.progress)
    check_unique([*(model for models in here.values() for model in models), *planned])
    if planned:
        consent(crawl.need(planned, client.settings.cache))
    truth = []
    for number, entry in enumerate(entries):
        if isinstance(entry, GrowEntry):
            here[number], made = _grow(entry, cache, shop)
            truth.append(made)
    check_unique([*(model for models in here.values() for model in models), *planned])
    return _Places(here, planned, tuple(truth))


def _grow(entry: GrowEntry, cache: Path, shop: Workshop) -> tuple[tuple[LocatedModel, ...], Path]:
    """The grown models and their truth."""
    growth = entry.grow
    try:
        zoo = grow(growth.recipe, growth.models, growth.seed, cache, shop.executor, shop.progress)
    except ManifestError as error:
        raise ManifestError(f"{entry.where}: {error}") from error
    return tuple(replace(model, entry=entry.where) for model in zoo.models), zoo.truth


def _in_order(places: _Places, fetched: Sequence[crawl.Fetched]) -> list[LocatedModel]:
    """All models that are on this disk now, in order of their entries."""
    found = [(number, model) for number, models in places.here.items() for model in models]
    found += [(one.planned.place, one.located) for one in fetched if one.located is not None]
    return [model for _, model in sorted(found, key=lambda one: one[0])]


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
            shop.files.note(str(model.path), task.files)
            found.append(model)
        except ModelError as error:
            failures.append(_failure(model, "fetch", Outcome.of_error(error)))
    checkpoints = []
    for model, outcome in zip(found, shop.map(DIGESTS, digest.compute, work), strict=True):
        if outcome.value is None:
            failures.append(_failure(model, "fetch", outcome))
            continue
        checkpoints.append(_checkpoint(model, outcome.value))
    return checkpoints, failures


def _checkpoint(model: LocatedModel, content: str) -> Checkpoint:
    return Checkpoint(
        id=model.id,
        path=str(model.path),
        digest=content,
        source=model.source,
        arch=model.arch,
        created=model.created,
        declared_parents=model.declared_parents,
        card=model.card,
        claims=model.claims,
    )


def _unread(model: LocatedModel, fetched: crawl.Fetched) -> Model:
    """A model whose weights were not needed, as its sample tells it."""
    known = sampling.fingerprint(fetched)
    return Model(_checkpoint(model, known.digest), known, LinearizedFeatures("", sampling.NOT_FETCHED))


def _fingerprint(checkpoints: Sequence[Checkpoint], shop: Workshop) -> tuple[list[Model], list[Failure]]:
    models: list[Model] = []
    failures: list[Failure] = []
    readable: list[Checkpoint] = []
    work: list[tuple[str | None, fingerprint.FingerprintTask]] = []
    for checkpoint in checkpoints:
        try:
            beside = digest.sidecars(Path(checkpoint.path))
        except ModelError as error:
            failures.append(_failure(checkpoint, "fingerprint", Outcome.of_error(error)))
            continue
        key = artefact_key("fingerprint", fingerprint.SCHEMA, checkpoint.digest, beside)
        work.append((key, fingerprint.FingerprintTask(checkpoint.path, checkpoint.digest)))
        readable.append(checkpoint)
    for checkpoint, outcome in zip(readable, shop.map(FINGERPRINTS, fingerprint.compute, work), strict=True):
        if outcome.value is None:
            failures.append(_failure(checkpoint, "fingerprint", outcome))
        else:
            models.append(Model(checkpoint, outcome.value))
    return models, failures


def _failure(model: LocatedModel | Checkpoint, stage: str, outcome: Outcome[Any]) -> Failure:
    """The failure under the model's id; outputs that are handed on do not tell where this machine keeps its files."""
    return Failure(
        model.id, outcome.error, outcome.message.replace(visible(str(model.path)), model.id), stage, model.source
    )


def _linearize(models: Sequence[Model], probes: ProbeSettings, shop: Workshop) -> list[Model]:
    """Each model with its linearized features; where there is no network for it, with the reason instead."""
    from lineage_graph.features import anchored

    timm = importlib.metadata.version("timm")  # its registry decides for which models there is a network
    kept = Artefact("features", anchored.to_bytes, anchored.from_bytes)
    work = [
        (
            artefact_key("features", anchored.SCHEMA, timm, m.checkpoint.digest, m.checkpoint.arch, probes.key),
            anchored.FeatureTask(m.checkpoint.path, m.checkpoint.arch, probes),
        )
        for m in models
    ]
    outcomes = shop.map(kept, anchored.compute, work, gpu=probes.on_gpu)
    return [
        replace(model, features=outcome.value or LinearizedFeatures("", outcome.message))
        for model, outcome in zip(models, outcomes, strict=True)
    ]
