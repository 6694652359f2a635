"""SHA-256 of a model's weight files, without reading a file twice that has not changed."""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

from lineage_graph.errors import of_os_error
from lineage_graph.store import artefact_key

SETTLED_SECONDS = 2.0
"""A file changed within the last seconds may change again without its time stamp moving; it is not remembered."""


@dataclass(frozen=True, slots=True)
class DigestTask:
    """The weight files of one model, absolute, in name order, and the folder that their names are relative to."""

    files: tuple[str, ...]
    root: str


def compute(task: DigestTask) -> str:
    """The digest of :class:`~lineage_graph.types.Checkpoint`. Raises :class:`~lineage_graph.errors.SourceError`."""
    digests = [_sha256(file) for file in task.files]
    if len(digests) == 1:
        return digests[0]
    names = [Path(file).relative_to(task.root).as_posix() for file in task.files]
    lines = "".join(f"{digest}  {name}\n" for digest, name in zip(digests, names, strict=True))
    return hashlib.sha256(lines.encode()).hexdigest()


def _sha256(file: str) -> str:
    try:
        with Path(file).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise of_os_error(file, error) from error


def memo_key(task: DigestTask) -> str | None:
    """A key under which the digest may be remembered, or ``None`` where a file has changed too recently.

    It is made of what the file system says of the bytes (device, inode, size, times), not of names or paths.
    Raises :class:`~lineage_graph.errors.SourceError`.
    """
    stats: list[list[int]] = []
    for file in task.files:
        try:
            stat = Path(file).stat()
        except OSError as error:
            raise of_os_error(file, error) from error
        if time.time_ns() - max(stat.st_mtime_ns, stat.st_ctime_ns) < SETTLED_SECONDS * 1e9:
            return None
        stats.append([stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns])
    names = [os.path.relpath(file, task.root) for file in task.files] if len(task.files) > 1 else []
    return artefact_key("digest", stats, names)


def sidecar(path: Path) -> str:
    """Digest of the config beside a folder's weights, which names the architecture; ``""`` where there is none."""
    config = path / "config.json"
    try:
        return hashlib.sha256(config.read_bytes()).hexdigest() if config.is_file() else ""
    except OSError:
        return ""
