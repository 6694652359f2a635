"""What every source hands on: a model that lies on this disk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path


@dataclass(frozen=True, slots=True)
class LocatedModel:
    """A model on disk, not opened yet.

    ``path``: absolute; a weights file, or a folder that holds a sharded or config-bearing model. ``source`` is what
    the graph shows of the origin (``path``, ``grow:digits`` …). ``entry`` is how messages name the manifest's entry.
    The rest are the manifest's claims.
    """

    id: str
    path: Path
    source: str
    arch: str | None = None
    created: date | None = None
    declared_parents: tuple[str, ...] = ()
    entry: str = ""
