"""The part of a zoo that lies on the Hub: which models, then their files, several at a time.

``plan`` asks questions only; ``fetch`` brings the files. What fails is the failure of one model, and the rest goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from lineage_graph.errors import HubError
from lineage_graph.executors import Outcome
from lineage_graph.manifest import AnyEntry, GrowEntry, HubEntry, PathEntry, TimmEntry
from lineage_graph.sources import hub, search, timm
from lineage_graph.sources.hub_client import HubClient
from lineage_graph.sources.remote import RemoteModel
from lineage_graph.types import Failure, Progress

LOOK_UP = "look up"
"""Name of the stage that asks."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One model of the Hub, or why it cannot be had. ``place``: the number of its entry in the manifest, from 0; models
    come in order of their entries, hits of a search in the Hub's order. ``entry``: how messages name that.
    """

    place: int
    id: str
    entry: str
    model: RemoteModel | None = None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A repository to look up. ``found``: by a search, not named by the manifest."""

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
        return Planned(task.place, task.id, task.entry.where, hub.resolve(task.entry, task.id, client))
    except HubError as error:
        return _failed(task.place, task.id, task.entry.where, error, f"hub:{task.entry.hub}")


def _failed(place: int, model: str, entry: str, error: HubError, source: str) -> Planned:
    outcome: Outcome[None] = Outcome.of_error(error)
    return Planned(place, model, entry, failure=Failure(model, outcome.error, outcome.message, "locate", source))
