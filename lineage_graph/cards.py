"""The model card beside the weights: YAML between two lines of dashes at the top of a Markdown file.

Nothing in it is trusted, and nothing in it can fail a model: what cannot be read is a card with a ``problem``. Keys and
their meaning: Hugging Face Hub documentation, "Model Cards", https://huggingface.co/docs/hub/model-cards
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from lineage_graph.checkpoints.source import open_source
from lineage_graph.declarations import Card
from lineage_graph.errors import EmptyFileError, LineageGraphError, ModelError
from lineage_graph.sources.local import holds_model
from lineage_graph.strict_yaml import describe, mapping_in
from lineage_graph.visible import shorten

NAME = "README.md"

MAX_BYTES = 256 << 10
"""Most of a card that is read, and so the longest metadata: more of it would take seconds to parse."""

MAX_PARENTS, MAX_TAGS = 100, 200
"""Most names that are taken from a list."""

MAX_TEXT = 500
"""Longest name, in characters."""

WEIGHTS = frozenset(".safetensors .bin .pt .pth .ckpt .gguf .npz .npy .h5 .keras .onnx .zip .tar .index".split())
"""Endings of files that can be a model of their own."""

IMPLIED: Mapping[str, str] = {"mergekit": "merge", "merge": "merge", "peft": "adapter", "lora": "adapter"}
"""Tags and libraries that name the relation to the base where no ``base_model_relation`` does; the first counts."""

_DASHES = "---"


class _BrokenError(LineageGraphError):
    """Why a card cannot be read."""


def place(path: Path, repository: bool = False) -> Path | None:
    """The card of the model at ``path``, if there is one.

    Of a folder: its README.md. Of a lone file: a Markdown file of the same name beside it; or the folder's README.md,
    where the folder is one model (it has a config, or no other file that could be weights) or the whole is a
    ``repository`` of the Hub. A README.md beside several checkpoints tells of none of them alone.
    """
    if path.is_dir():
        found = path / NAME
    else:
        found = path.with_suffix(".md")
        shared = path.parent / NAME
        if not found.exists() and shared.exists() and (repository or _is_alone(path)):
            found = shared
    return found if found.exists() else None


def read(path: Path) -> Card:
    """The card in the file ``path``; one that cannot be read has a ``problem`` and nothing else."""
    try:
        values = _metadata(_text(path))
    except _BrokenError as error:
        return Card(problem=shorten(str(error), MAX_TEXT))
    return _card(values)


def _is_alone(path: Path) -> bool:
    """Is the folder one model, or has it no weights but these?"""
    folder = path.parent
    try:
        one, weights = _kept_in(folder, folder.stat().st_mtime_ns)
    except OSError:
        return False
    return one or weights <= {path.name}


@lru_cache(maxsize=64)
def _kept_in(folder: Path, changed: int) -> tuple[bool, frozenset[str]]:
    """Whether the ``folder``, as it was ``changed`` last, is one model, and the names of what could be weights; listed
    once for all of its files. Raises OSError.
    """
    weights = (file.name for file in folder.iterdir() if file.suffix.lower() in WEIGHTS)
    return holds_model(folder), frozenset(weights)


def _text(path: Path) -> str:
    try:
        source, handle = open_source(path)
        with handle:
            data = source.head(MAX_BYTES)
    except EmptyFileError:
        return ""
    except ModelError as error:
        raise _BrokenError(str(error).replace(str(path), path.name)) from error
    try:
        # At the limit a character may be cut in two.
        return data.decode("utf-8-sig", "replace" if source.size > MAX_BYTES else "strict")
    except UnicodeDecodeError as error:
        raise _BrokenError(f"{path.name}: is not UTF-8 text (byte {error.start})") from error


def _metadata(text: str) -> dict[str, Any]:
    """The mapping between the dashes; empty where the file begins with none."""
    lines = text.lstrip().replace("\r\n", "\n").split("\n")
    if lines[0].rstrip() != _DASHES:
        return {}
    end = next((number for number, line in enumerate(lines[1:], start=1) if line.rstrip() == _DASHES), None)
    if end is None:
        raise _BrokenError(f"the metadata that begins with {_DASHES} has no end in the first {MAX_BYTES >> 10} KiB")
    inside = "\n".join(lines[1:end])
    return mapping_in(inside, "metadata", _BrokenError) if inside.strip() else {}


def _card(values: Mapping[str, Any]) -> Card:
    """What the keys say; the first value of a wrong type is the card's problem, and the others count."""
    problems: list[str] = []

    def texts(key: str, most: int, strict: bool = True) -> tuple[str, ...]:
        value = values.get(key)
        listed = value if isinstance(value, list) else [] if value is None else [value]
        found = [item.strip() for item in listed if isinstance(item, str) and 0 < len(item.strip()) <= MAX_TEXT]
        if strict and len(found) < len(listed):
            wrong = next(item for item in listed if not isinstance(item, str) or not 0 < len(item.strip()) <= MAX_TEXT)
            problems.append(f"{key}: should be a name or a list of names, not {describe(wrong)}")
        if strict and len(found) > most:
            problems.append(f"{key}: lists {len(found)} names, more than {most}")
        return tuple(dict.fromkeys(found[:most]))

    bases, tags = texts("base_model", MAX_PARENTS), texts("tags", MAX_TAGS, strict=False)
    library, relation = _first(texts("library_name", 1)), _first(texts("base_model_relation", 1))
    implied = next((IMPLIED[tag] for tag in (library, *tags) if tag in IMPLIED), "") if bases else ""
    terms = " AND ".join(texts("license", 10))
    if terms in ("", "other"):
        terms = _first(texts("license_name", 1)) or terms
    return Card(
        base_models=bases,
        relation=(relation or implied).lower(),
        license=terms,
        license_link=_first(texts("license_link", 1)),
        tags=tags,
        library=library,
        created=_date(values.get("created", values.get("date"))),
        problem=shorten("; ".join(problems), MAX_TEXT),
    )


def _first(found: tuple[str, ...]) -> str:
    return found[0] if found else ""


def _date(value: object) -> date | None:
    """The day at the beginning of an ISO date or time."""
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None
