"""Rows of the index, decoded: numbers stay where they lie in the file, the rest becomes records again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import fields
from functools import lru_cache
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lineage_graph.index_schema import CHECKPOINT, NUMBERS
from lineage_graph.types import (
    Checkpoint,
    Fingerprint,
    FloatArray,
    LinearizedFeatures,
    Model,
    TensorFingerprint,
    TensorSpec,
)

if TYPE_CHECKING:
    import pyarrow as pa

_SKETCHES = ("sketch", "features_anchored", "features_plain")
_FACTS = [
    *("id", "digest", "signature", "path", "source", "arch", "created", "declared_parents", "claims"),
    *("format", "architecture", "parameters", "counters", "features_group", "features_note"),
]


def rectangle(column: pa.Array) -> FloatArray:
    """A column of lists of one length, shape (rows, d), as it lies in the file; rows without a list are zeros."""
    offsets = column.offsets.to_numpy()
    lengths = np.diff(offsets)
    values: FloatArray = column.values.to_numpy()
    width = int(lengths.max(initial=0))
    if (lengths == width).all():
        return values[offsets[0] : offsets[-1]].reshape(len(lengths), width)
    made = np.zeros((len(lengths), width), dtype=np.float32)
    for row in np.flatnonzero(lengths == width):
        made[row] = values[offsets[row] : offsets[row + 1]]
    return made


def decoded(batch: pa.RecordBatch, rows: npt.NDArray[np.int64], folder: Path) -> list[Model]:
    """The models of some rows. A column is decoded in one go: the numbers of a tensor one by one would take long.

    Raises ``ValueError`` and its like where columns do not fit together.
    """
    chosen = batch.take(rows) if len(rows) < batch.num_rows else batch
    facts = chosen.select(_FACTS).to_pylist()
    floats = {name: _parts(chosen.column(name)) for name in _SKETCHES}
    models = []
    for row, (one, tensors) in enumerate(zip(facts, _decoded_tensors(chosen), strict=True)):
        checkpoint = _checkpoint(one, folder)
        found = Fingerprint(
            digest=one["digest"],
            format=one["format"],
            architecture=one["architecture"],
            parameters=one["parameters"],
            signature=one["signature"],
            tensors=tensors,
            counters=dict(one["counters"]),
            sketch=floats["sketch"][row],
        )
        anchored, plain = floats["features_anchored"][row], floats["features_plain"][row]
        group = one["features_group"]
        features = None if group is None else LinearizedFeatures(group, one["features_note"], anchored, plain)
        models.append(Model(checkpoint, found, features))
    return models


def claims(checkpoint: Checkpoint) -> str | None:
    """Those fields of a checkpoint that are no columns, as JSON; ``None`` where all are as by default."""
    from pydantic import TypeAdapter

    others = {field.name: field.default for field in fields(Checkpoint) if field.name not in CHECKPOINT}
    said = {name for name, default in others.items() if getattr(checkpoint, name) != default}
    if not said:
        return None
    plain = TypeAdapter(Checkpoint).dump_python(checkpoint, mode="json")
    return json.dumps({name: plain[name] for name in sorted(said)}, separators=(",", ":"))


def _checkpoint(row: Mapping[str, Any], folder: Path) -> Checkpoint:
    """Raises ``ValueError`` where the claims are not what a checkpoint has."""
    known = {name: row[name] for name in CHECKPOINT}
    known["path"] = os.path.abspath(folder / row["path"])  # noqa: PTH100 - resolve() would follow links
    known["declared_parents"] = tuple(row["declared_parents"])
    if row["claims"] is None:
        return Checkpoint(**known)
    from pydantic import TypeAdapter

    return TypeAdapter(Checkpoint).validate_python({**json.loads(row["claims"]), **known})


@lru_cache(maxsize=64)
def specs(layout: str) -> tuple[TensorSpec, ...]:
    """The tensors of a layout as it is written. Raises ``ValueError`` and its like on anything else."""
    return tuple(TensorSpec(name, tuple(shape), dtype) for name, shape, dtype in json.loads(layout))


def _decoded_tensors(batch: pa.RecordBatch) -> Iterator[tuple[TensorFingerprint, ...]]:
    """Row by row."""
    ends = [_ends(batch.column(name)) for name in ("hash", *NUMBERS, "weight", "bits", "levels")]
    if any(not np.array_equal(ends[0], other) for other in ends):
        raise ValueError("columns of tensors that do not fit together")
    digests = [value.hex() for value in batch.column("hash").flatten().to_pylist()]
    numbers = [batch.column(name).flatten().to_numpy().tolist() for name in NUMBERS]
    weight = batch.column("weight").flatten().to_pylist()
    grain = [batch.column(name).flatten().to_numpy().tolist() for name in ("bits", "levels")]
    sketches = _pieces(batch, "tensor_sketch", "sketched")
    profiles = _pieces(batch, "profile", "profiled")
    layouts = [specs(layout) for layout in batch.column("layout").to_pylist()]
    each = zip(chain.from_iterable(layouts), digests, *numbers, weight, sketches, *grain, profiles, strict=True)
    made = [TensorFingerprint(*fields) for fields in each]
    if not np.array_equal(np.cumsum([0, *map(len, layouts)]), ends[0]):
        raise ValueError("layouts that do not fit the tensors")
    for start, end in pairwise(ends[0].tolist()):
        yield tuple(made[start:end])


def _ends(column: pa.Array) -> npt.NDArray[np.int64]:
    """Where the rows of a column of lists end among its values; 0 before the first."""
    offsets = column.offsets.to_numpy()
    ends: npt.NDArray[np.int64] = offsets - offsets[0]
    return ends


def _parts(column: pa.Array) -> list[FloatArray]:
    """The rows of a column of lists of floats, as they lie in the file."""
    values: FloatArray = column.flatten().to_numpy()
    return [values[start:end] for start, end in pairwise(_ends(column).tolist())]


def _pieces(batch: pa.RecordBatch, name: str, sizes: str) -> list[FloatArray]:
    """The values of each tensor, those of all rows one after the other."""
    lengths = batch.column(sizes).flatten().to_numpy()
    ends = np.cumsum([0, *lengths])
    values: FloatArray = batch.column(name).flatten().to_numpy()
    if ends[-1] != len(values) or not np.array_equal(ends[_ends(batch.column(sizes))], _ends(batch.column(name))):
        raise ValueError(f"{name} does not fit its sizes")
    return [values[start:end] for start, end in pairwise(ends.tolist())]
