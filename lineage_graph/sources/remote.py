"""A model on the Hub, as far as questions alone tell: which files, how large, of which content."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

SHORT = 7
"""Characters of a commit's id that people read."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file of a commit. ``path``: within the repository. ``size``: bytes. ``sha256``: of large files (Git LFS);
    ``blob``: git's id of the others. Both are what the Hub lists, and empty where it says nothing.
    """

    path: str
    size: int
    sha256: str = ""
    blob: str = ""


@dataclass(frozen=True, slots=True)
class RemoteModel:
    """One model before any of its bytes are here.

    ``repo``: the repository under its present name; ``renamed_from``: the name that was asked for, if it is an old one.
    ``commit``: 40 hex digits; ``revision``: what was asked for, and stood for that commit. ``weights``: the files that
    are the weights, in name order, the shards' index not among them. ``sidecars``: what readers want beside them
    (config, index, card). ``whole``: the weights are the repository's usual ones, so that the folder they lie in is the
    model. The rest are the manifest's claims, and the date that the Hub gives where the manifest has none.
    """

    id: str
    repo: str
    revision: str
    commit: str
    weights: tuple[RemoteFile, ...]
    sidecars: tuple[RemoteFile, ...]
    whole: bool
    arch: str | None = None
    created: date | None = None
    declared_parents: tuple[str, ...] = ()
    entry: str = ""
    renamed_from: str = ""

    @property
    def files(self) -> tuple[RemoteFile, ...]:
        """All files to fetch: the small ones first, so that a model is known before it is complete."""
        return (*self.sidecars, *self.weights)

    @property
    def bytes(self) -> int:
        """Size of all files together."""
        return sum(file.size for file in self.files)

    @property
    def source(self) -> str:
        """What the graph shows of the origin."""
        return f"hub:{self.repo}@{self.commit[:SHORT]}"
