"""``search`` entries: a query to the Hub, each hit a model."""

from __future__ import annotations

from pydantic import ValidationError

from lineage_graph.errors import ManifestError
from lineage_graph.manifest import HubEntry, SearchEntry
from lineage_graph.sources.hub_client import HubClient


def hits(entry: SearchEntry, client: HubClient) -> tuple[HubEntry, ...]:
    """The entries that the hits stand for, in the Hub's order, ``limit`` of them at most.

    Raises ManifestError where there is none, HubError.
    """
    names = client.search(entry.search)
    if not names:
        raise ManifestError(f"{entry.where}: search: the Hub has no repository that fits")
    return tuple(found for name in names if (found := _entry(name, entry)) is not None)


def _entry(name: str, entry: SearchEntry) -> HubEntry | None:
    """``None`` for what cannot be the name of a repository, whoever says that it is one."""
    try:
        return HubEntry(hub=name, manifest=entry.manifest, number=entry.number)
    except ValidationError:
        return None
