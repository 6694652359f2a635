"""What every source hands on: a model that lies on this disk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from lineage_graph.declarations import Card, Claim


@dataclass(frozen=True, slots=True)
class LocatedModel:
    """A model on disk, not opened yet.

    ``path``: absolute; a weights file, or a folder that holds a sharded or config-bearing model. ``source`` is what
    the graph shows of the origin (``path``, ``grow:digits`` …). ``entry`` is how messages name the manifest's entry.
    ``card``: what lies beside the weights. ``claims``: its parents, as manifest, card and config declare them;
    ``declared_parents``: the same by id, or by name where the zoo lacks them. The rest are the manifest's claims.
    """

    id: str
    path: Path
    source: str
    arch: str | None = None
    created: date | None = None
    declared_parents: tuple[str, ...] = ()
    entry: str = ""
    card: Card | None = None
    claims: tuple[Claim, ...] = ()
