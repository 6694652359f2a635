"""YAML → :class:`Manifest`. Every mistake is one sentence that names file, entry and key."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field

from lineage_graph.errors import ManifestError
from lineage_graph.strict_yaml import describe, read_mapping
from lineage_graph.validation import Record, check_keys, parse, unknown_key

SOURCE_KEYS = ("path", "hub", "timm", "search", "grow")

_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]*\w)?", re.ASCII)
_MAX_REPOSITORY = 96
"""Longest id of a repository that the Hub allows."""

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


def _repository(value: str) -> str:
    if not _REPOSITORY.fullmatch(value) or "--" in value or ".." in value or len(value) > _MAX_REPOSITORY:
        raise ValueError(f"{value!r} is no repository of the Hub; write org/name, without an address before it")
    return value


def _inside(value: str) -> str:
    _printable(value)
    if value.startswith("/") or "\\" in value or ".." in value.split("/"):
        raise ValueError(f"{value!r} is no path inside a repository")
    return value


def _texts(value: object) -> object:
    return [value] if isinstance(value, str) else value


Name = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_folder_name)]
Text = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_printable)]
Location = Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(_path)]
IsoDate = Annotated[date, BeforeValidator(_iso_date)]
Texts = Annotated[tuple[Text, ...], Field(strict=False)]
RepositoryId = Annotated[str, Field(min_length=1), AfterValidator(_repository)]


class Entry(Record):
    """What every entry has. ``manifest`` and ``number`` (from 1) say where it stands; :func:`load` sets them."""

    manifest: Path = Path("manifest")
    number: int = 1


class NamedEntry(Entry):
    """What entries of one source key may say of their models. ``parents`` and ``created`` are claims, to be checked and
    never trusted.
    """

    id: Text | None = None
    arch: Text | None = None
    created: IsoDate | None = None
    parents: Texts = ()


class PathEntry(NamedEntry):
    """Models on this disk. ``path``: file, folder or glob pattern, relative to the manifest's folder."""

    path: Location

    @property
    def where(self) -> str:
        """How messages name the entry."""
        return f"{self.manifest}: entry {self.number} ({self.path})"


class HubEntry(NamedEntry):
    """A model of the Hugging Face Hub. ``hub``: the repository. ``revision``: branch, tag or commit, by default the
    main branch. ``file``: the weights file that is meant, where the usual choice is another one.
    """

    hub: RepositoryId
    revision: Text | None = None
    file: Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_inside)] | None = None

    @property
    def where(self) -> str:
        """How messages name the entry."""
        return f"{self.manifest}: entry {self.number} ({self.hub})"


class TimmEntry(NamedEntry):
    """Pretrained weights of timm. ``timm``: ``architecture.tag``, or an architecture, for its default weights."""

    timm: Text

    @property
    def where(self) -> str:
        """How messages name the entry."""
        return f"{self.manifest}: entry {self.number} ({self.timm})"


class Search(Record):
    """A query to the Hub: an ``author``, tags that all have to be there (``filter``), words in the name (``query``).
    ``limit``: most repositories that are taken, in the Hub's order.
    """

    author: Text | None = None
    filter: Annotated[Texts, BeforeValidator(_texts)] = ()
    query: Text | None = None
    limit: Annotated[int, Field(ge=1, le=10_000)] = 100

    def __str__(self) -> str:
        given = {"author": self.author, "filter": ", ".join(self.filter), "query": self.query}
        return ", ".join(f"{key} {value}" for key, value in given.items() if value)


class SearchEntry(Entry):
    """An entry whose models are the hits of a query; they are named by their repositories."""

    search: Search

    @property
    def where(self) -> str:
        """How messages name the entry."""
        return f"{self.manifest}: entry {self.number} (search: {self.search})"


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


Inner = TypeVar("Inner", Growth, Search)
AnyEntry = PathEntry | HubEntry | TimmEntry | SearchEntry | GrowEntry

_ENTRIES: Mapping[str, type[PathEntry | HubEntry | TimmEntry]] = {
    "path": PathEntry,
    "hub": HubEntry,
    "timm": TimmEntry,
}
_KEYS = {name: [key for key in kind.model_fields if key not in Entry.model_fields] for name, kind in _ENTRIES.items()}
_ALL_KEYS = list(dict.fromkeys(key for keys in _KEYS.values() for key in keys))


class Probes(Record):
    """Inputs for features: images of ``folder`` (relative to the manifest), or built-in ones where it is absent."""

    folder: Location | None = None
    count: Annotated[int, Field(ge=1, le=100_000)] | None = None
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] | None = None


class Manifest(Record):
    """A zoo as its author describes it. ``root``: the manifest's folder, absolute; ``entries``: in file order."""

    name: Name
    root: Path
    entries: tuple[AnyEntry, ...]
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


def _entry(values: object, path: Path, number: int) -> AnyEntry:
    where = f"{path}: entry {number}"
    if not isinstance(values, dict):
        raise ManifestError(f"{where}: should be a mapping with a source key such as 'path', not {describe(values)}")
    label = next((values[key] for key in (*_ENTRIES, "id") if key in values), None)
    if isinstance(label, str):
        where += f" ({label})"
    source = _source_key(values, where)
    if source == "grow":
        return GrowEntry(grow=_only(Growth, values, source, where), manifest=path, number=number)
    if source == "search":
        return SearchEntry(search=_search(values, where), manifest=path, number=number)
    kind = _ENTRIES[source]
    for key in values:
        if key in _ALL_KEYS and key not in _KEYS[source]:
            raise ManifestError(f"{where}: the key {key!r} does not go with {source!r}")
    check_keys(values, _KEYS[source], ManifestError, where)
    entry: AnyEntry = parse(kind, {**values, "manifest": path, "number": number}, ManifestError, where)
    return entry


def _source_key(values: Mapping[str, Any], where: str) -> str:
    """The one key that says where the entry's models come from."""
    found = [key for key in SOURCE_KEYS if key in values]
    if len(found) > 1:
        raise ManifestError(f"{where}: has {' and '.join(map(repr, found))}, but an entry has one source key")
    if not found:
        strange = [key for key in values if key not in _ALL_KEYS]
        reason = f": {unknown_key(strange[0], SOURCE_KEYS)}" if strange else ""
        raise ManifestError(f"{where}: has no source key ({', '.join(map(repr, SOURCE_KEYS))}){reason}")
    return found[0]


def _only(kind: type[Inner], values: Mapping[str, Any], source: str, where: str) -> Inner:
    """The value of an entry that has no key but its ``source``."""
    for key in values:
        if key in _ALL_KEYS:
            raise ManifestError(f"{where}: the key {key!r} does not go with {source!r}, whose models name themselves")
    check_keys(values, [source], ManifestError, where)
    if not isinstance(values[source], dict):
        given = describe(values[source])
        raise ManifestError(f"{where}: {source}: should be a mapping of keys to values, not {given}")
    return parse(kind, values[source], ManifestError, f"{where}: {source}")


def _search(values: Mapping[str, Any], where: str) -> Search:
    search = _only(Search, values, "search", where)
    if not (search.author or search.filter or search.query):
        raise ManifestError(f"{where}: search: would take the whole Hub; say an author, a filter or a query")
    return search
