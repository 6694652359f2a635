"""Fetching less: the weights of a model on the Hub come only where it may have a relative in the zoo.

Headers and slices come first, by range requests. Whoever has no relative by these, and none by declaration, is known by
its sample alone; everybody else is fetched whole, and so is what cannot be sampled.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np

from lineage_graph import crawl, declared, slices
from lineage_graph.cached import Artefact, Workshop
from lineage_graph.checkpoints import open_checkpoint, weight_files
from lineage_graph.checkpoints.base import Contents, TensorReader, Values
from lineage_graph.checkpoints.folder import config_architecture, trainer_counters
from lineage_graph.checkpoints.safetensors import read_safetensors
from lineage_graph.checkpoints.source import ByteSource
from lineage_graph.checkpoints.stored import StoredTensor
from lineage_graph.crawl import Fetched, Planned
from lineage_graph.errors import ModelError
from lineage_graph.slices import Sample
from lineage_graph.sources import digest, hub_fetch
from lineage_graph.sources.base import LocatedModel
from lineage_graph.sources.hub_choice import INDEX
from lineage_graph.sources.hub_client import HubClient
from lineage_graph.sources.hub_meter import Meter
from lineage_graph.sources.ranges import RangedFile
from lineage_graph.sources.remote import RemoteModel
from lineage_graph.store import Store, artefact_key
from lineage_graph.types import Fingerprint

SAMPLES = Artefact("sample", slices.to_bytes, slices.from_bytes)

LEAST_BYTES = 1 << 20
"""Weights smaller than this come whole: the header and the slices are as much."""

ADAPTER = "adapter_config.json"
"""Beside weights that are no model but an update of one."""

NOT_FETCHED = "weights not fetched: no slice of them is like any other model's"
"""What is said of such a model where others have features."""


@dataclass(frozen=True, slots=True)
class _Looked:
    """A model that was sampled. ``digest``: of its weights; ``bytes``: so many came."""

    planned: Planned
    located: LocatedModel
    sample: Sample
    digest: str
    bytes: int


def fetch(
    planned: Sequence[Planned], here: Sequence[LocatedModel], client: HubClient, shop: Workshop
) -> tuple[Fetched, ...]:
    """The planned models, in order: with their files, or with a sample where their weights are not needed.

    ``here``: the zoo's models that lie on this disk.
    """
    maybe = [one for one in planned if _can_be_sampled(one, client)]
    if not maybe:
        return crawl.fetch(planned, client, shop.store, shop.progress)
    looked = _look(maybe, client, shop)
    first = crawl.fetch([one for one in planned if one.id not in looked], client, shop.store, shop.progress)
    known = [*here, *(one.located for one in first if one.located is not None)]
    needed = _needed(looked, known, shop)
    rest = crawl.fetch(
        [one.planned for name, one in looked.items() if name in needed], client, shop.store, shop.progress
    )
    later = [replace(one, bytes=one.bytes + looked[one.planned.id].bytes) for one in rest]
    spared = (one for name, one in looked.items() if name not in needed)
    sampled = [
        Fetched(one.planned, "sampled", one.bytes, one.located, sample=one.sample, digest=one.digest) for one in spared
    ]
    found = {one.planned.id: one for one in (*first, *later, *sampled)}
    return tuple(found[one.id] for one in planned)


def _can_be_sampled(planned: Planned, client: HubClient) -> bool:
    model = planned.model
    if model is None or client.settings.offline:
        return False
    missing = {file.path for file in hub_fetch.missing(model, client.settings.cache)}
    return (
        any(file.path in missing for file in model.weights)
        and all(file.path.endswith(".safetensors") and file.sha256 for file in model.weights)
        and sum(file.size for file in model.weights) >= LEAST_BYTES
        and not any(PurePosixPath(file.path).name == ADAPTER for file in model.sidecars)
    )


def _look(maybe: Sequence[Planned], client: HubClient, shop: Workshop) -> dict[str, _Looked]:
    """The models that could be sampled, by id. Whatever fails here is fetched whole, and fails there if it must."""
    found: dict[str, _Looked] = {}
    meter = Meter({}, lambda done, total: None, client.stop)
    shop.progress(SAMPLES.kind, 0, len(maybe))
    looks = crawl.each(lambda one: _look_at(one, client, shop.store, meter), maybe, client)
    for done, (planned, looked) in enumerate(zip(maybe, looks, strict=True), start=1):
        if looked is not None:
            found[planned.id] = looked
        shop.progress(SAMPLES.kind, done, len(maybe))
    return found


def _look_at(planned: Planned, client: HubClient, store: Store, meter: Meter) -> _Looked | None:
    if planned.model is None:
        return None
    content = _digest(planned.model)
    try:
        located, came = hub_fetch.fetch(planned.model, client, store, meter, weights=False)
        beside = digest.sidecars(located.path) if _home(located.path) else ""
        key = artefact_key(SAMPLES.kind, slices.SCHEMA, content, beside)
        kept = _kept(store, key)
        if kept is not None:
            return _Looked(planned, located, kept, content, came)
        sample, more = _remote(planned.model, located, client)
    except ModelError:
        return None
    store.put(SAMPLES.kind, key, slices.to_bytes(sample))
    return _Looked(planned, located, sample, content, came + more)


def _kept(store: Store, key: str) -> Sample | None:
    data = store.get(SAMPLES.kind, key)
    try:
        return slices.from_bytes(data) if data is not None else None
    except ValueError:
        return None


def _remote(model: RemoteModel, located: LocatedModel, client: HubClient) -> tuple[Sample, int]:
    """The sample of a model that is not here, and the bytes that came for it. Raises ModelError."""
    files = [RangedFile(model, file, client) for file in model.weights]
    contents = [
        read_safetensors(ByteSource(ranged, 0, file.size, f"{model.repo}/{file.path}"))
        for ranged, file in zip(files, model.weights, strict=True)
    ]
    tensors = {name: values for one in contents for name, values in one.tensors.items()}
    whole = Contents("safetensors", tensors, contents[0].counters, contents[0].architecture)
    with TensorReader(model.repo, whole, ExitStack()) as reader:
        home = _home(located.path)
        architecture = (config_architecture(home) if home else "") or reader.architecture
        counters = {**reader.counters, **(trainer_counters(home) if home else {})}
        sample = slices.take(reader.tensors, reader.format, architecture, counters, _parts(tensors))
    return sample, sum(file.bytes for file in files)


def _parts(tensors: Mapping[str, Values]) -> slices.Slicer:
    stored = {name: values for name, values in tensors.items() if isinstance(values, StoredTensor)}
    return lambda name, start, count: stored[name].part(start, count)


def _home(path: Path) -> Path | None:
    """The folder that is the model, if one is."""
    return path if path.is_dir() else path.parent if path.name.endswith(INDEX) else None


def _digest(model: RemoteModel) -> str:
    """What :func:`~lineage_graph.sources.digest.compute` says of the files when they are here."""
    if len(model.weights) == 1:
        return model.weights[0].sha256
    folder = PurePosixPath(model.weights[0].path).parent
    lines = (f"{file.sha256}  {PurePosixPath(file.path).relative_to(folder)}\n" for file in model.weights)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _needed(looked: Mapping[str, _Looked], known: Sequence[LocatedModel], shop: Workshop) -> set[str]:
    """The sampled models whose weights are needed: by their slices, or because somebody declares a relation."""
    of_known = _local(known, shop)
    samples = [*(one.sample for one in looked.values()), *(sample for sample, _ in of_known)]
    digests = [*(one.digest for one in looked.values()), *(content for _, content in of_known)]
    alike = slices.akin(samples, digests)
    wanted = {name for name, needed in zip(looked, alike, strict=False) if needed}
    everyone = declared.with_claims([*known, *(one.located for one in looked.values())])
    ids = {model.id for model in everyone}
    for model in everyone:
        for parent in ids.intersection(model.declared_parents):
            wanted |= {model.id, parent}
    return wanted & looked.keys()


@dataclass(frozen=True, slots=True)
class SampleTask:
    """What a worker needs: the path that ``open_checkpoint`` takes."""

    path: str


def compute(task: SampleTask) -> Sample:
    """The sample of a checkpoint on this disk. Raises a :class:`~lineage_graph.errors.ModelError`."""
    with open_checkpoint(Path(task.path)) as reader:
        return slices.take(
            reader.tensors, reader.format, reader.architecture, dict(reader.counters), slices.slicer(reader)
        )


def _local(known: Iterable[LocatedModel], shop: Workshop) -> list[tuple[Sample, str]]:
    """Samples of the models on this disk, each with what tells its content from others'; none of what is unreadable,
    which will be said of it later.
    """
    work, names = [], []
    for model in known:
        try:
            root = model.path if model.path.is_dir() else model.path.parent
            files = digest.DigestTask(tuple(str(file) for file in weight_files(model.path)), str(root))
            memo = digest.memo_key(files)
        except ModelError:
            continue
        key = artefact_key(SAMPLES.kind, slices.SCHEMA, memo) if memo is not None else None
        work.append((key, SampleTask(str(model.path))))
        names.append(model.id)
    outcomes = shop.map(SAMPLES, compute, work)
    return [(o.value, f"here: {name}") for name, o in zip(names, outcomes, strict=True) if o.value is not None]


def fingerprint(fetched: Fetched) -> Fingerprint:
    """What a fingerprint holds without the weights of a model that was sampled: no tensors, an empty sketch.

    Raises ``ValueError`` for any other model.
    """
    sample = fetched.sample
    if sample is None:
        raise ValueError(f"{fetched.planned.id} was not sampled")
    return Fingerprint(
        digest=fetched.digest,
        format=sample.format,
        architecture=sample.architecture,
        parameters=sample.parameters,
        signature=sample.signature,
        tensors=(),
        counters=sample.counters,
        sketch=np.zeros(0, dtype=np.float32),
    )
