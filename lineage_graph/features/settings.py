"""Which inputs features are computed on, and where they are read; no torch, so that any stage can hold them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lineage_graph.errors import ManifestError

Device = Literal["cpu", "cuda"]


@dataclass(frozen=True, slots=True)
class ProbeSettings:
    """``count``, ``seed``: of the probes. ``depth``: share of the feature stages, 0 the first to 1 the last.

    ``folder``: the user's images, or ``""`` for the built-in ones; ``images``: a digest of what lies in it, which
    stands for the folder in keys. ``device``: where passes run; on a GPU sums are rounded in another order, so what
    was computed there is kept under keys of its own.
    """

    count: int = 16
    seed: int = 0
    depth: float = 0.5
    folder: str = ""
    images: str = ""
    device: Device = "cpu"

    @property
    def key(self) -> tuple[object, ...]:
        """What features depend on, for the keys of artefacts."""
        return (self.count, self.seed, self.depth, self.images, *([self.device] if self.on_gpu else []))

    @property
    def on_gpu(self) -> bool:
        """Whether passes need a machine with a GPU."""
        return self.device != "cpu"


def images_digest(folder: Path) -> str:
    """SHA-256 of the names and bytes of all files below ``folder``. Raises :class:`ManifestError` that names it."""
    if not folder.is_dir():
        raise ManifestError(f"probes: folder: {folder} is not a folder")
    digest = hashlib.sha256()
    try:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            digest.update(f"{path.relative_to(folder).as_posix()}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    except OSError as error:
        raise ManifestError(f"probes: folder: {error.filename}: {error.strerror}") from error
    return digest.hexdigest()
