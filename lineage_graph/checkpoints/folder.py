"""A model that is a folder: which of its files are the weights, and what its config says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lineage_graph.checkpoints.counters import counters_in
from lineage_graph.checkpoints.inside import file_inside
from lineage_graph.checkpoints.jsons import parse_object
from lineage_graph.checkpoints.limits import MAX_JSON_BYTES, MAX_SHARDS, MAX_TENSORS
from lineage_graph.checkpoints.sniff import sniff
from lineage_graph.checkpoints.source import open_source
from lineage_graph.errors import (
    CheckpointError,
    CorruptFileError,
    LimitExceededError,
    NoWeightsError,
    UnreadableFileError,
    UnsupportedFormatError,
    of_os_error,
)

_INDEX_ENDINGS = (".safetensors.index.json", ".bin.index.json")
_RANKS = {"safetensors": 0, "gguf": 1, "hdf5": 2, "onnx": 3, "npy": 4, "zip": 5, "tar": 6, "pickle": 7}
"""What is preferred where a folder holds its weights in several formats: nothing pickled before anything safe."""

_STEMS = ("model", "pytorch_model", "diffusion_pytorch_model", "open_clip_pytorch_model", "weights", "adapter_model")
"""File names that mean "the weights", most telling first, where several files of a format lie in one folder."""

_NO_WEIGHTS = re.compile(r"optim|scheduler|scaler|training_args|rng_state|random_states", re.IGNORECASE)
"""Names of pickles that trainers put beside the weights."""

_SHARD = re.compile(r"-\d{5}-of-\d{5}")


@dataclass(frozen=True)
class Folder:
    """``files``: the weight files in name order. ``names``: the tensors that the shards' index promises."""

    files: tuple[Path, ...]
    names: frozenset[str] = frozenset()


def find_files(path: Path) -> Folder:
    """The weight files of a folder.

    Raises NoWeightsError where there is none, UnsupportedFormatError where several could be meant, CorruptFileError
    for an index whose names, or weights that are a link, lead out of the folder, UnreadableFileError.
    """
    entries = _entries(path)
    for ending in _INDEX_ENDINGS:
        indexes = [entry for entry in entries if entry.name.endswith(ending)]
        if indexes:
            return from_index(min(indexes, key=lambda entry: (len(entry.name), entry.name)))
    return Folder((file_inside(path, _single(path, entries).name, str(path)),))


def from_index(index: Path) -> Folder:
    """The shards that an index of the ``transformers`` kind names: ``{"weight_map": {tensor: file}}``."""
    table = read_json(index)
    if "weight_map" not in table:
        raise UnsupportedFormatError(f"{index}: is JSON, and no index of weights")
    places = table["weight_map"]
    if not isinstance(places, dict) or not places or not all(isinstance(place, str) for place in places.values()):
        raise CorruptFileError(f"{index}: its weight_map is no table from tensors to files")
    if len(places) > MAX_TENSORS:
        raise LimitExceededError(f"{index}: the index lists {len(places)} tensors, more than {MAX_TENSORS}")
    shards = sorted(set(places.values()))
    if len(shards) > MAX_SHARDS:
        raise LimitExceededError(f"{index}: the index names {len(shards)} files, more than {MAX_SHARDS}")
    return Folder(tuple(file_inside(index.parent, name, str(index)) for name in shards), frozenset(places))


def config_architecture(path: Path) -> str:
    """What the folder's ``config.json`` says the model is; ``""`` without one.

    In order: ``architecture`` (timm), the first of ``architectures`` (transformers), ``model_type``.
    """
    table = _read_beside(path, "config.json")
    several = table.get("architectures")
    words = (table.get("architecture"), several[0] if isinstance(several, list) and several else None)
    return next((word for word in (*words, table.get("model_type")) if isinstance(word, str)), "")[:80]


def adapter_base(path: Path) -> str:
    """The base that the folder's ``adapter_config.json`` (of the PEFT library) names; ``""`` without one.

    Raises LimitExceededError, CorruptFileError, UnreadableFileError.
    """
    base = _read_beside(path, "adapter_config.json").get("base_model_name_or_path")
    return base if isinstance(base, str) else ""


def trainer_counters(path: Path) -> dict[str, float]:
    """The counters in the ``trainer_state.json`` that the transformers trainer leaves in a checkpoint's folder."""
    return counters_in(_read_beside(path, "trainer_state.json"))


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file. Raises LimitExceededError, CorruptFileError, UnreadableFileError."""
    source, handle = open_source(path)
    with handle:
        if source.size > MAX_JSON_BYTES:
            raise LimitExceededError(f"{path}: a JSON file of {source.size} bytes, more than {MAX_JSON_BYTES}")
        return parse_object(source.read(0, source.size), str(path))


def _read_beside(path: Path, name: str) -> dict[str, Any]:
    """A JSON file that may lie in the folder; empty without it. Raises as :func:`read_json`, and CorruptFileError for a
    link out of the folder.
    """
    return read_json(file_inside(path, name, str(path))) if (path / name).is_file() else {}


def _entries(path: Path) -> list[Path]:
    try:
        return sorted(entry for entry in path.iterdir() if entry.is_file() and not entry.name.startswith("."))
    except OSError as error:
        raise of_os_error(path, error) from error


def _single(path: Path, entries: list[Path]) -> Path:
    """The one file that must be meant."""
    ranked = [(_RANKS[kind], entry) for entry in entries if (kind := _kind(entry)) in _RANKS]
    if not ranked:
        raise NoWeightsError(f"{path}: the folder holds no weights file")
    best = min(rank for rank, _ in ranked)
    files = [entry for rank, entry in ranked if rank == best]
    if len(files) == 1 and not _SHARD.search(files[0].stem):
        return files[0]
    for stem in _STEMS:
        found = [file for file in files if file.name.split(".")[0] == stem]
        if len(found) == 1:
            return found[0]
    names = ", ".join(file.name for file in files[:3])
    raise UnsupportedFormatError(f"{path}: several files could be the weights and no index says which ({names})")


def _kind(path: Path) -> str:
    """The format of a file that may be weights, ``""`` for any other."""
    if _NO_WEIGHTS.search(path.name):
        return ""
    try:
        source, handle = open_source(path)
    except (UnreadableFileError, CheckpointError):
        return ""
    with handle:
        try:
            return sniff(source)
        except CheckpointError:
            return ""
