"""``path`` entries: a file, a folder that holds one model, or a pattern, on this disk.

Nothing is opened here. What the manifest's author got wrong (nothing there, nothing matched) is a ManifestError; what
is wrong with the disk (a loop of links, no permission, a link to nothing among the matches of a pattern) stays a model,
so that reading it fails under its own name and the rest of the zoo goes on.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Protocol

from lineage_graph.errors import ManifestError
from lineage_graph.manifest import PathEntry
from lineage_graph.sources.base import LocatedModel

CONFIG_NAMES = frozenset(["config.json", "adapter_config.json"])
"""Files that make the folder they lie in one model."""

INDEX_SUFFIX = ".index.json"
"""How the names of shard indices end; a folder with one is one model."""

OUTPUT_NAMES = ("lineage.json", "lineage.html", "lineage.graphml", "report.md", "run.json", "index.arrow")
"""What an earlier build wrote, should it lie among the matches of a pattern."""

_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.EINVAL)


def locate(entry: PathEntry, root: Path) -> tuple[LocatedModel, ...]:
    """The models of one entry, sorted by path; ``root`` is the manifest's folder, absolute.

    A name that exists is taken literally, even one with ``*``, ``?`` or ``[`` in it. In a pattern ``**`` walks all
    folders but linked ones, and hidden names match only where the pattern spells the dot. Raises ManifestError.
    """
    literal = root / entry.path
    missing = _why_missing(literal)
    if not missing:
        _check_literal(literal, entry)
        paths = [literal]
    elif any(sign in entry.path for sign in "*?["):
        paths = _matches(entry, root)
    else:
        raise ManifestError(f"{entry.where}: path: {missing}")
    if entry.id is not None and len(paths) > 1:
        raise ManifestError(
            f"{entry.where}: id: {entry.id!r} cannot name all {len(paths)} models that the path matches"
        )
    return tuple(_model(entry, path, root) for path in paths)


class Named(Protocol):
    """A model with an id; ``entry`` is how messages name where that stands."""

    @property
    def id(self) -> str:
        """Unique within the zoo."""

    @property
    def entry(self) -> str:
        """As messages name the manifest's entry."""


def check_unique(models: Iterable[Named]) -> None:
    """Raises ManifestError where two models have one id, naming the entries of both."""
    seen: dict[str, Named] = {}
    for model in models:
        other = seen.setdefault(model.id, model)
        if other is not model:
            raise ManifestError(f"{model.entry}: id: {model.id!r} occurs twice; {other.entry} has it too")


def holds_model(folder: Path) -> bool:
    """Do the names in ``folder`` say that it is one model: a config, or an index of shards? Raises OSError."""
    return any(path.name in CONFIG_NAMES or path.name.endswith(INDEX_SUFFIX) for path in folder.iterdir())


def _why_missing(path: Path) -> str:
    """Why nothing is at ``path``; empty where something is, whether or not it can be read."""
    try:
        path.stat()
    except OSError as error:
        if error.errno not in _NOT_THERE:
            return ""
        dangling = error.errno == errno.ENOENT and path.is_symlink()
        return "is a link to nothing" if dangling else "there is no such file or folder"
    return ""


def _kind(path: Path) -> str:
    """``file``, ``model`` (a folder that is one), ``folder``, ``other`` (a pipe, a device) or ``unreadable``."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            return "model" if holds_model(path) else "folder"
    except OSError:
        return "unreadable"
    return "file" if stat.S_ISREG(mode) else "other"


def _check_literal(path: Path, entry: PathEntry) -> None:
    kind = _kind(path)
    if kind == "other":
        raise ManifestError(f"{entry.where}: path: is neither a file nor a folder")
    if kind == "folder":
        raise ManifestError(
            f"{entry.where}: path: the folder is no model, having no {' or '.join(sorted(CONFIG_NAMES))} and no "
            f"*{INDEX_SUFFIX}; for each file in it write '{entry.path.rstrip('/')}/*'"
        )


def _matches(entry: PathEntry, root: Path) -> list[Path]:
    """What the pattern matches: files, model folders and what cannot be looked at, sorted.

    The manifest itself is no model; nor are the outputs of a build, or the files of a model folder that matches too.
    """
    try:
        kinds = {path: _kind(path) for path in _glob(entry.path, root)}
    except ValueError as error:
        raise ManifestError(f"{entry.where}: path: {error}") from error
    manifest = os.path.abspath(entry.manifest)  # noqa: PTH100 - resolve() would follow links
    written = {path.parent for path in kinds if path.name == OUTPUT_NAMES[0]}
    paths = [
        path
        for path in kinds
        if _counts(path, kinds)
        and os.path.abspath(path) != manifest  # noqa: PTH100
        and not (path.parent in written and path.name in OUTPUT_NAMES)
    ]
    if not paths:
        raise ManifestError(f"{entry.where}: path: matches no file and no folder that holds a model")
    return sorted(paths)


def _counts(path: Path, kinds: Mapping[Path, str]) -> bool:
    """Is this match a model of its own?"""
    part = kinds.get(path.parent) == "model"
    return kinds[path] == "model" or (kinds[path] in ("file", "unreadable") and not part)


def _glob(pattern: str, root: Path) -> Iterator[Path]:
    """Matches of ``pattern`` below ``root``, without hidden ones. Raises ValueError."""
    base = Path(Path(pattern).anchor) if Path(pattern).is_absolute() else root
    parts = Path(pattern).relative_to(Path(pattern).anchor).parts
    if parts[-1] == "**":  # alone it means only folders, or everything, depending on the version of Python
        parts += ("*",)
    dotted = [part for part in parts if part.startswith(".")]
    for path in base.glob("/".join(parts)):
        names = path.relative_to(base).parts
        if all(not name.startswith(".") or any(fnmatchcase(name, part) for part in dotted) for name in names):
            yield path


def _model(entry: PathEntry, path: Path, root: Path) -> LocatedModel:
    name = entry.id or _default_id(path, root)
    if name in entry.parents:
        raise ManifestError(f"{entry.where}: parents: {name!r} cannot be its own parent")
    return LocatedModel(
        id=name,
        path=path,
        source="path",
        arch=entry.arch,
        created=entry.created,
        declared_parents=entry.parents,
        entry=entry.where,
    )


def _default_id(path: Path, root: Path) -> str:
    """The path relative to the manifest's folder; what cannot be shown in it is written as an escape."""
    relative = os.fsencode(Path(os.path.relpath(path, root)).as_posix()).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in relative)
