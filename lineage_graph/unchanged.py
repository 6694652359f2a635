"""Files as they were when their digests were taken.

A training run may write a checkpoint anew while a zoo is built. What is read then belongs to no digest, and must not be
kept under one: it would speak for the old weights in every later build.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from lineage_graph.errors import ChangedFileError


class Unchanged:
    """By the path of a model, what the file system said of its files when they were noted."""

    def __init__(self) -> None:
        self._stamps: dict[str, dict[str, tuple[int, ...]]] = {}

    def note(self, path: str, files: Sequence[str]) -> None:
        """Remember the ``files`` of the model at ``path`` as they are now."""
        self._stamps[path] = {file: _stamp(file) for file in files}

    def check(self, paths: Iterable[str]) -> None:
        """Raises :class:`~lineage_graph.errors.ChangedFileError` where a file of one of the models has changed; of
        paths that were not noted nothing is known.
        """
        for path in paths:
            for file, stamp in self._stamps.get(path, {}).items():
                if _stamp(file) != stamp:
                    raise ChangedFileError(f"{path}: changed while it was being read; build again when it is complete")


def _stamp(file: str) -> tuple[int, ...]:
    """Device, inode, size and time of the last change; empty where there is no such file."""
    try:
        stat = Path(file).stat()
    except OSError:
        return ()
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns
