"""Keras HDF5: weights (.h5, .hdf5, .weights.h5), whole models, and the .keras archive around one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lineage_graph.checkpoints.base import CHUNK, Contents, Values
from lineage_graph.checkpoints.counters import counters_in
from lineage_graph.checkpoints.extras import require
from lineage_graph.checkpoints.heaps import sound_heaps
from lineage_graph.checkpoints.jsons import parse_object
from lineage_graph.checkpoints.limits import (
    INFLATION_FREE_BYTES,
    MAX_CHUNK_BYTES,
    MAX_DEPTH,
    MAX_INFLATION,
    MAX_JSON_BYTES,
    MAX_TENSORS,
)
from lineage_graph.checkpoints.npz import array_dtype
from lineage_graph.checkpoints.source import ByteSource
from lineage_graph.checkpoints.stored import StoredTensor, check_layout, check_sharing, pieces_of
from lineage_graph.checkpoints.zips import Archive
from lineage_graph.errors import CorruptFileError, LimitExceededError, TruncatedFileError, UnsupportedFormatError
from lineage_graph.types import FloatArray

MAGIC = b"\x89HDF\r\n\x1a\n"
KERAS_WEIGHTS = "model.weights.h5"
_OPTIMIZER_GROUPS = ("optimizer_weights", "optimizer")
_CONFIG = "model_config"
_STEPS = ("iterations", "iteration", "iter")


def read_keras_archive(archive: Archive, resources: ExitStack) -> Contents:
    """The index of a .keras archive: its HDF5 member, and the model's class from its config."""
    contents = read_keras(archive.member(KERAS_WEIGHTS), resources)
    config = archive.member("config.json")
    table = parse_object(config.head(MAX_JSON_BYTES), config.label)
    return Contents(contents.format, contents.tensors, contents.counters, str(table.get("class_name", ""))[:80])


def read_keras(source: ByteSource, resources: ExitStack) -> Contents:
    """The index of an HDF5 file: every dataset of numbers outside the optimizer's groups, by its path.

    Raises MissingExtraError, TruncatedFileError, CorruptFileError, LimitExceededError; UnsupportedFormatError for a
    dataset whose values lie in another file.
    """
    h5py = require("h5py", "keras", source.label)
    try:
        file = resources.enter_context(h5py.File(source.stream(), "r", rdcc_nbytes=MAX_CHUNK_BYTES))
    except OSError as error:
        kind = TruncatedFileError if "truncated" in str(error) else CorruptFileError
        raise kind(f"{source.label}: HDF5 refuses it ({' '.join(str(error).split())[:120]})") from error
    inner = _group(h5py, file, "model_weights")
    root = file if inner is None else inner
    tensors: dict[str, Values] = {}
    steps: dict[str, float] = {}
    for path, dataset in _datasets(h5py, root, "", set()):
        values = _values(source, dataset)
        if values is not None and not path.startswith(tuple(f"{group}/" for group in _OPTIMIZER_GROUPS)):
            tensors[path] = values
    for group in _OPTIMIZER_GROUPS:
        found = _group(h5py, file, group)
        if found is not None:
            steps.update(_steps(h5py, found))
    check_sharing(source.label, tensors.values(), source.size)
    return Contents("keras", tensors, counters_in(steps), _architecture(h5py, source, file))


def _group(h5py: Any, file: Any, name: str) -> Any:
    """The group of that name at the top, by a hard link; ``None`` without one."""
    if not isinstance(file.get(name, getlink=True), h5py.HardLink):
        return None
    found = file[name]
    return found if isinstance(found, h5py.Group) else None


def _datasets(h5py: Any, group: Any, prefix: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """Every dataset below ``group`` with its path; hard links only, so no other file is touched; loops are cut."""
    address = h5py.h5o.get_info(group.id).addr
    if address in seen:
        return
    seen.add(address)
    if prefix.count("/") > MAX_DEPTH or len(seen) > MAX_TENSORS:
        raise LimitExceededError(f"HDF5 groups nest deeper than {MAX_DEPTH} or are too many")
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            continue
        child = group[name]
        if isinstance(child, h5py.Group):
            yield from _datasets(h5py, child, f"{prefix}{name}/", seen)
        elif isinstance(child, h5py.Dataset):
            yield f"{prefix}{name}", child


def _values(source: ByteSource, dataset: Any) -> Values | None:
    """One dataset: in place where its values lie in one stretch, else through the library."""
    label = f"{source.label}: {dataset.name[:80]}"
    if dataset.external or dataset.is_virtual:
        raise UnsupportedFormatError(f"{label}: its values lie in another file")
    name, swapped = array_dtype(dataset.dtype)
    if dataset.shape is None or name is None:
        return None
    size, itemsize = math.prod(dataset.shape), dataset.dtype.itemsize
    offset = dataset.id.get_offset()
    if offset is not None and dataset.file.userblock_size == 0:
        data = source.window(offset, size * itemsize, dataset.name[:80])
        return StoredTensor.checked(data, name, dataset.shape, size, swapped=swapped)
    check_layout(label, dataset.shape, size, 0, None)
    if size * itemsize > max(INFLATION_FREE_BYTES, MAX_INFLATION * dataset.id.get_storage_size()):
        raise LimitExceededError(f"{label}: {size * itemsize} bytes declared, {dataset.id.get_storage_size()} stored")
    if math.prod(dataset.chunks or ()) * itemsize > MAX_CHUNK_BYTES:
        raise LimitExceededError(f"{label}: its chunks are of more than {MAX_CHUNK_BYTES} bytes")
    return _PackedDataset(dataset, tuple(dataset.shape), name)


@dataclass(frozen=True, slots=True, eq=False)
class _PackedDataset:
    """A chunked or compressed dataset, read through the library by whole rows."""

    dataset: Any
    shape: tuple[int, ...]
    dtype: str

    def read(self) -> npt.NDArray[Any]:
        """The values, in native byte order."""
        values = np.asarray(self.dataset[()])
        return values.astype(values.dtype.newbyteorder("="), copy=False)

    def pieces(self) -> Iterator[FloatArray]:
        """Pieces that each need only the rows they touch."""
        row = math.prod(self.shape[1:])
        if not self.shape or row >= CHUNK:
            yield from pieces_of(self.read())
            return
        for start in range(0, math.prod(self.shape), CHUNK):
            stop = min(start + CHUNK, math.prod(self.shape))
            first = start // row
            rows = np.asarray(self.dataset[first : -(-stop // row)], np.float32).reshape(-1)
            yield rows[start - first * row : stop - first * row]


def _steps(h5py: Any, group: Any) -> dict[str, float]:
    """The optimizer's own count of updates, where it stores one under a telling name."""
    found = {}
    for path, dataset in _datasets(h5py, group, "", set()):
        name = path.rsplit("/", 1)[-1].split(":")[0]
        if name in _STEPS and dataset.size == 1 and dataset.dtype.kind in "iu":
            found[name] = float(dataset[()].item())
    return found


def _architecture(h5py: Any, source: ByteSource, file: Any) -> str:
    """The model's class, from the configuration that a whole model carries.

    A text of variable length lies in a heap of the file, which must be sound before the library looks into it.
    """
    if _CONFIG not in file.attrs:
        return ""
    kind = file.attrs.get_id(_CONFIG).get_type()
    if not isinstance(kind, h5py.h5t.TypeStringID) or (kind.is_variable_str() and not sound_heaps(source)):
        return ""
    config = file.attrs[_CONFIG]
    text = config.encode() if isinstance(config, str) else bytes(config)
    return str(parse_object(text, f"{source.label}: {_CONFIG}").get("class_name", ""))[:80]
