"""The part of a zoo that lies on the Hub: which models, then their files, several at a time.

``plan`` asks questions only; ``fetch`` brings the files. What fails is the failure of one model, and the rest goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeVar

from lineage_graph.errors import HubError, SourceError
from lineage_graph.executors import Outcome
from lineage_graph.manifest import AnyEntry, GrowEntry, HubEntry, PathEntry, TimmEntry
from lineage_graph.slices import Sample
from lineage_graph.sources import hub, hub_fetch, search, timm
from lineage_graph.sources.base import LocatedModel
from lineage_graph.sources.hub_client import HubClient
from lineage_graph.sources.hub_meter import FileKey, Meter
from lineage_graph.sources.remote import RemoteFile, RemoteModel
from lineage_graph.store import Store
from lineage_graph.types import Failure, Progress

LOOK_UP, DOWNLOAD = "look up", "download"
"""Names of the stages, for whoever follows the progress."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One model of the Hub, or why it cannot be had. ``place``: the number of its entry in the manifest, from 0; models
    come in order of their entries, hits of a search in the Hub's order. ``entry``: how messages name that.
    ``found``: by a search, not named by the manifest.
    """

    place: int
    id: str
    entry: str
    model: RemoteModel | None = None
    failure: Failure | None = None
    found: bool = False


@dataclass(frozen=True, slots=True)
class Fetched:
    """What became of one planned model: ``located`` with its files here, or the ``failure``. ``outcome``: ``cached``
    where all of it was here already; ``sampled`` where its weights were not needed: then ``sample`` is what is known of
    them, and ``digest`` theirs. ``bytes``: size of the files, or of the parts, that came; 0 where it failed.
    """

    planned: Planned
    outcome: Literal["fetched", "cached", "sampled", "failed"]
    bytes: int = 0
    located: LocatedModel | None = None
    failure: Failure | None = None
    sample: Sample | None = None
    digest: str = ""

    @property
    def files(self) -> tuple[RemoteFile, ...]:
        """The files that there are to have: all, without the weights where these were not needed."""
        model = self.planned.model
        return () if model is None else model.sidecars if self.outcome == "sampled" else model.files


@dataclass(frozen=True, slots=True)
class Need:
    """What a fetch will take: how many ``models`` have files that are not here, and the ``bytes`` of these files, those
    that several have counted once: the most it can take, as weights may turn out not to be needed. ``searches``:
    whether some of the models are hits of a search, which nobody has named one by one.
    """

    models: int
    bytes: int
    searches: bool


Item = TypeVar("Item")
Result = TypeVar("Result")

Consent = Callable[[Need], None]
"""Called before anything is fetched; raises what it likes to prevent it."""


def agreed(need: Need) -> None:
    """The consent of callers who have decided before."""


def need(planned: Sequence[Planned], cache: Path) -> Need:
    """What fetching all of ``planned`` takes, given what the client's ``cache`` has."""
    sizes = _missing(planned, cache)
    short = sum(one.model is not None and bool(hub_fetch.missing(one.model, cache)) for one in planned)
    return Need(short, sum(sizes.values()), any(one.found for one in planned))


def _missing(planned: Sequence[Planned], cache: Path) -> dict[FileKey, int]:
    """The sizes of the files that are not here; of those with the same content, of one."""
    found: dict[str | FileKey, tuple[FileKey, int]] = {}
    for one in planned:
        for file in hub_fetch.missing(one.model, cache) if one.model is not None else ():
            key = (one.model.repo, file.path) if one.model is not None else ("", "")
            found.setdefault(file.sha256 or key, (key, file.size))
    return dict(found.values())


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A repository to look up; see :class:`Planned`."""

    place: int
    entry: HubEntry
    found: bool = False
    id: str = ""


def plan(entries: Sequence[AnyEntry], client: HubClient, progress: Progress) -> tuple[Planned, ...]:
    """Look up every ``hub``, ``timm`` and ``search`` entry of ``entries``.

    A hit of a search that an entry names, or an earlier search has found, is not taken again. Raises ManifestError.
    """
    wanted = [one for place, entry in enumerate(entries) for one in _wanted(place, entry, client)]
    tasks = _named(_without_repeats(wanted))
    if tasks:
        progress(LOOK_UP, 0, len(tasks))
    made: list[Planned] = []
    with ThreadPoolExecutor(client.settings.connections) as pool:
        for planned in pool.map(lambda task: _plan(task, client), tasks):
            made.append(planned)
            progress(LOOK_UP, len(made), len(tasks))
    return tuple(made)


def _wanted(place: int, entry: AnyEntry, client: HubClient) -> list[_Wanted | Planned]:
    """The repositories that one entry stands for, or why there are none."""
    if isinstance(entry, HubEntry):
        return [_Wanted(place, entry)]
    if isinstance(entry, PathEntry | GrowEntry):
        return []
    try:
        if isinstance(entry, TimmEntry):
            return [_Wanted(place, timm.hub_entry(entry))]
        return [_Wanted(place, hit, found=True) for hit in search.hits(entry, client)]
    except HubError as error:
        if isinstance(entry, TimmEntry):
            return [_failed(place, entry.id or entry.timm, entry.where, error, "timm")]
        return [_failed(place, str(entry.search), entry.where, error, "search")]


def _without_repeats(wanted: Sequence[_Wanted | Planned]) -> list[_Wanted | Planned]:
    seen = {one.entry.hub for one in wanted if isinstance(one, _Wanted) and not one.found}
    kept = []
    for one in wanted:
        if isinstance(one, _Wanted) and one.found:
            if one.entry.hub in seen:
                continue
            seen.add(one.entry.hub)
        kept.append(one)
    return kept


def _named(wanted: Sequence[_Wanted | Planned]) -> list[_Wanted | Planned]:
    ids = iter(hub.model_ids([one.entry for one in wanted if isinstance(one, _Wanted)]))
    return [replace(one, id=next(ids)) if isinstance(one, _Wanted) else one for one in wanted]


def _plan(task: _Wanted | Planned, client: HubClient) -> Planned:
    if isinstance(task, Planned):
        return task
    try:
        model = hub.resolve(task.entry, task.id, client)
        return Planned(task.place, task.id, task.entry.where, model, found=task.found)
    except HubError as error:
        return _failed(task.place, task.id, task.entry.where, error, f"hub:{task.entry.hub}")


def _failed(place: int, model: str, entry: str, error: HubError, source: str) -> Planned:
    return Planned(place, model, entry, failure=_failure(model, error, "locate", source))


def _failure(model: str, error: SourceError, stage: str, source: str) -> Failure:
    outcome: Outcome[None] = Outcome.of_error(error)
    return Failure(model, outcome.error, outcome.message, stage, source)


def fetch(planned: Sequence[Planned], client: HubClient, store: Store, progress: Progress) -> tuple[Fetched, ...]:
    """The files of every planned model, in order. An interruption ends what is under way within a few seconds."""
    sizes = _missing(planned, client.settings.cache)
    meter = Meter(sizes, lambda done, total: progress(DOWNLOAD, done, total, "bytes"), client.stop)
    if sizes:
        progress(DOWNLOAD, 0, sum(sizes.values()), "bytes")
    return tuple(each(lambda one: _fetch(one, client, store, meter), planned, client))


def each(function: Callable[[Item], Result], items: Sequence[Item], client: HubClient) -> Iterator[Result]:
    """``function`` of each item, several at a time, in order. An interruption ends what is under way."""
    with ThreadPoolExecutor(client.settings.connections) as pool:
        try:
            yield from pool.map(function, items)
        except BaseException:
            client.stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _fetch(planned: Planned, client: HubClient, store: Store, meter: Meter) -> Fetched:
    if planned.model is None:
        return Fetched(planned, "failed", failure=planned.failure)
    try:
        located, came = hub_fetch.fetch(planned.model, client, store, meter)
    except SourceError as error:
        return Fetched(planned, "failed", failure=_failure(planned.id, error, "fetch", planned.model.source))
    return Fetched(planned, "fetched" if came else "cached", came, located)
