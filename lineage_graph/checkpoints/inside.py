"""File names that a checkpoint gives: they must not lead out of its folder."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath

from lineage_graph.errors import CorruptFileError, UnreadableFileError


def file_inside(folder: Path, name: str, label: str) -> Path:
    """The file called ``name`` below ``folder``. Raises CorruptFileError for a name that leads elsewhere
    (absolute, ``..``, a symbolic link out of the folder), UnreadableFileError where there is no such file.

    A Hugging Face cache keeps ``snapshots/<revision>/<file>`` as links into ``blobs/`` beside ``snapshots``: these
    links count as inside.
    """
    parts = PurePosixPath(name).parts
    windows = PureWindowsPath(name)
    if not parts or "\0" in name or ".." in (*parts, *windows.parts) or name.startswith("/") or windows.drive:
        raise CorruptFileError(f"{label}: the name {name[:80]!r} leads out of the folder")
    path = folder / name
    try:
        real, home = path.resolve(strict=True), folder.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise UnreadableFileError(f"{label}: {name[:80]!r} is missing") from error
    blobs = home.parent.parent / "blobs" if home.parent.name == "snapshots" else home
    if not real.is_relative_to(home) and not real.is_relative_to(blobs):
        raise CorruptFileError(f"{label}: {name[:80]!r} is a link out of the folder")
    return path
