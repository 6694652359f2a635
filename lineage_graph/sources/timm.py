"""``timm`` entries: pretrained weights by timm's own names, which its registry turns into repositories of the Hub."""

from __future__ import annotations

import difflib
from typing import Any

from lineage_graph.errors import ManifestError, NoDownloadError
from lineage_graph.manifest import HubEntry, TimmEntry
from lineage_graph.timm_compat import import_timm


def hub_entry(entry: TimmEntry) -> HubEntry:
    """The repository, and the file of it, that hold the weights; the architecture is known then.

    Raises ManifestError for a name that timm does not know, NoDownloadError for weights that are not on the Hub.
    """
    timm = import_timm()
    config = _config(timm, entry)
    if not config.hf_hub_id:
        address = f", only at {config.url}" if config.url else ""
        raise NoDownloadError(
            f"{entry.timm}: timm has these weights not on the Hub{address}; fetch the file, use 'path'"
        )
    repository, _, revision = str(config.hf_hub_id).partition("@")
    return HubEntry(
        hub=repository,
        revision=revision or None,
        file=config.hf_hub_filename or None,
        id=entry.id,
        arch=entry.arch or config.architecture,
        created=entry.created,
        parents=entry.parents,
        manifest=entry.manifest,
        number=entry.number,
    )


def _config(timm: Any, entry: TimmEntry) -> Any:
    architecture = entry.timm.partition(".")[0]
    if not timm.is_model(architecture):
        raise ManifestError(f"{entry.where}: timm: has no architecture {architecture!r}{_near(architecture, timm)}")
    try:
        config = timm.get_pretrained_cfg(entry.timm)
    except RuntimeError:
        config = None
    if config is None or not config.has_weights:
        tags = timm.list_pretrained(f"{architecture}.*")
        known = f" (known: {', '.join(tags)})" if tags else ""
        raise ManifestError(f"{entry.where}: timm: has no pretrained weights of this name{known}")
    return config


def _near(architecture: str, timm: Any) -> str:
    near = difflib.get_close_matches(architecture, timm.list_models(), n=1)
    return f", did you mean {near[0]!r}?" if near else ""
