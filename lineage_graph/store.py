"""Content-addressed artefacts on disk, written atomically.

An artefact's key is the SHA-256 of everything that its content depends on: digests of checkpoints, settings, a schema
version; never a name, a path or a rank. Whoever finds the key has the finished artefact: a file appears under its
final name only when it is complete, so a build that is killed loses the work under way and nothing else. Only the
driver writes.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import xxhash

from lineage_graph.errors import OutputError

_CHECKSUM = 16


def artefact_key(*parts: object) -> str:
    """SHA-256, in hex, of ``parts`` as canonical JSON."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def write_atomic(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` so that a reader sees the old file or the new one, never a part.

    Raises :class:`OutputError` that names the file (disk full, no permission); the temporary file is removed.
    """
    with replacing(path) as file:
        file.write(data)


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """The same for what is written piece by piece: ``path`` changes when the ``with`` block ends without an error.

    Raises :class:`OutputError` that names the file, also for an OSError of the body; the temporary file is removed.
    """
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.", suffix=".part")
        with os.fdopen(handle, "wb") as file:
            yield file
            # mkstemp makes the file private to its owner; outputs are ordinary files.
            os.fchmod(file.fileno(), 0o666 & ~_umask())
        Path(temporary).replace(path)
        temporary = ""
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        if temporary:
            Path(temporary).unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


class Store:
    """Artefacts under ``root``, by kind and key."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, kind: str, key: str) -> Path:
        """Where the artefact lies, or would lie."""
        return self.root / kind / key[:2] / key

    def get(self, kind: str, key: str) -> bytes | None:
        """The artefact's bytes, or ``None`` where there is none, or a damaged one (a power cut): it is made anew."""
        try:
            kept = self.path(kind, key).read_bytes()
        except OSError:
            return None
        data = kept[_CHECKSUM:]
        return data if xxhash.xxh3_128_digest(data) == kept[:_CHECKSUM] else None

    def put(self, kind: str, key: str, data: bytes) -> None:
        """Keep ``data``. Raises :class:`OutputError`."""
        write_atomic(self.path(kind, key), xxhash.xxh3_128_digest(data) + data)
