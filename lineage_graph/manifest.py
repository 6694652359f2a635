"""YAML → :class:`Manifest`. Every mistake is one sentence that names file, entry and key."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from lineage_graph.errors import ManifestError
from lineage_graph.strict_yaml import describe, read_mapping
from lineage_graph.validation import Record, check_keys, parse, unknown_key

SOURCE_KEYS = ("path", "grow")
LATER_SOURCE_KEYS = ("hub", "timm", "search")
"""Keys of the format whose sources this version does not have."""

_MAX_NAME_BYTES = 255
"""Longest name of a folder on the usual file systems."""


def _printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError(f"{value!r} holds a control character or another one that cannot be shown")
    return value


def _path(value: str) -> str:
    try:
        name = os.fsencode(value)
    except UnicodeEncodeError:
        name = b"\0"
    if b"\0" in name:
        raise ValueError(f"{value!r} holds a character that no file name can have")
    return value


def _folder_name(value: str) -> str:
    _printable(value)
    if "/" in value or "\\" in value:
        raise ValueError(f"{value!r} names the output folder, so it cannot hold / or \\")
    if value.startswith(".") or value != value.strip():
        raise ValueError(
            f"{value!r} names the output folder, so it cannot begin with a dot, or begin or end with a space"
        )
    if len(value.encode()) > _MAX_NAME_BYTES:
        raise ValueError(f"is longer than {_MAX_NAME_BYTES} bytes, too long for a folder's name")
    return value


def _iso_date(value: object) -> object:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError(f"should be a date such as 2024-05-01, not {describe(value)}") from None


Name = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_folder_name)]
Text = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_printable)]
Location = Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(_path)]
IsoDate = Annotated[date, BeforeValidator(_iso_date)]


class Entry(Record):
    """What every entry has. ``manifest`` and ``number`` (from 1) say where it stands; :func:`load` sets them."""

    manifest: Path = Path("manifest")
    number: int = 1


class PathEntry(Entry):
    """Models on this disk. ``path``: file, folder or glob pattern, relative to the manifest's folder.

    ``parents`` and ``created`` are claims, to be checked and never trusted.
    """

    path: Location
    id: Text | None = None
    arch: Text | None = None
    created: IsoDate | None = None
    parents: Annotated[tuple[Text, ...], Field(strict=False)] = ()

    @property
    def where(self) -> str:
        """How messages name the entry."""
        return f"{self.manifest}: entry {self.number} ({self.path})"


class Growth(Record):
    """A small zoo that is trained here. ``models``: how many; ``seed``: 0 to 2³² - 1."""

    recipe: Text
    models: Annotated[int, Field(ge=1, le=100_000)]
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 0


class GrowEntry(Entry):
    """An entry whose models are made here; they name themselves."""

    grow: Growth

    @property
    def where(self) -> str:
        """How messages name the entry."""
        return f"{self.manifest}: entry {self.number}"


_PATH_KEYS = tuple(key for key in PathEntry.model_fields if key not in Entry.model_fields)


class Probes(Record):
    """Inputs for features: images of ``folder`` (relative to the manifest), or built-in ones where it is absent."""

    folder: Location | None = None
    count: Annotated[int, Field(ge=1, le=100_000)] | None = None
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] | None = None


class Manifest(Record):
    """A zoo as its author describes it. ``root``: the manifest's folder, absolute; ``entries``: in file order."""

    name: Name
    root: Path
    entries: tuple[PathEntry | GrowEntry, ...]
    probes: Probes = Probes()


class _Document(Record):
    """The keys at the top of the file; each entry is looked at on its own, so that messages can name it."""

    name: Name
    models: Annotated[list[Any], Field(min_length=1)]
    probes: Any = None


def load(path: Path) -> Manifest:
    """Read the manifest at ``path``. Raises :class:`ManifestError`."""
    if path.is_dir():
        raise ManifestError(f"{path}: is a folder; put a YAML file there: {{name: mine, models: [{{path: '*'}}]}}")
    document = parse(_Document, read_mapping(path, ManifestError), ManifestError, str(path))
    probes = {} if document.probes is None else document.probes
    if not isinstance(probes, dict):
        raise ManifestError(f"{path}: probes: should be a mapping of keys to values, not {describe(probes)}")
    return Manifest(
        name=document.name,
        root=Path(os.path.abspath(path)).parent,  # noqa: PTH100 - resolve() would follow a linked manifest away
        entries=tuple(_entry(values, path, number) for number, values in enumerate(document.models, start=1)),
        probes=parse(Probes, probes, ManifestError, f"{path}: probes"),
    )


def _entry(values: object, path: Path, number: int) -> PathEntry | GrowEntry:
    where = f"{path}: entry {number}"
    if not isinstance(values, dict):
        raise ManifestError(f"{where}: should be a mapping with a source key such as 'path', not {describe(values)}")
    label = values.get("path", values.get("id"))
    if isinstance(label, str):
        where += f" ({label})"
    if _source_key(values, where) == "grow":
        return GrowEntry(grow=_growth(values, where), manifest=path, number=number)
    check_keys(values, _PATH_KEYS, ManifestError, where)
    return parse(PathEntry, {**values, "manifest": path, "number": number}, ManifestError, where)


def _source_key(values: Mapping[str, Any], where: str) -> str:
    """The one key that says where the entry's models come from."""
    found = [key for key in (*SOURCE_KEYS, *LATER_SOURCE_KEYS) if key in values]
    if len(found) > 1:
        raise ManifestError(f"{where}: has {' and '.join(map(repr, found))}, but an entry has one source key")
    if not found:
        strange = [key for key in values if key not in _PATH_KEYS]
        reason = f": {unknown_key(strange[0], SOURCE_KEYS)}" if strange else ""
        raise ManifestError(f"{where}: has no source key ({' or '.join(map(repr, SOURCE_KEYS))}){reason}")
    if found[0] in LATER_SOURCE_KEYS:
        raise ManifestError(f"{where}: source {found[0]!r} is not supported by this version of lgraph")
    return found[0]


def _growth(values: Mapping[str, Any], where: str) -> Growth:
    for key in values:
        if key in _PATH_KEYS:
            raise ManifestError(f"{where}: the key {key!r} does not go with 'grow', whose models name themselves")
    check_keys(values, ["grow"], ManifestError, where)
    if not isinstance(values["grow"], dict):
        raise ManifestError(f"{where}: grow: should be a mapping of keys to values, not {describe(values['grow'])}")
    return parse(Growth, values["grow"], ManifestError, f"{where}: grow")
