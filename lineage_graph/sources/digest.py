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


SIDECARS = ("*config.json", "trainer_state.json", "*.index.json")
"""Files beside a folder's weights that tell the architecture, training counters and which tensors there should be."""


def sidecars(path: Path) -> str:
    """Digest of the files beside the weights that a fingerprint takes something from; ``""`` for a lone file."""
    if path.is_dir():
        home = path
    elif path.name.endswith(".index.json"):
        home = path.parent
    else:
        return ""
    digest = hashlib.sha256()
    for file in sorted({file for pattern in SIDECARS for file in home.glob(pattern) if file.is_file()}):
        digest.update(f"{file.name}\0{_sha256(str(file))}\0".encode())
    return digest.hexdigest()
