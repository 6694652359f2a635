"""A synthetic population as ``index.arrow``, and back: what of the truth the file does not say stays with the caller.

Every model has two weight matrices and two vectors, all of them with the numbers of the model as a whole; the matrices'
own sketches, which no stage that works on columns reads, are left out.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lineage_graph import fingerprint
from lineage_graph.bench.populations import Population
from lineage_graph.index_schema import INDEX, ROWS, VERSION, schema
from lineage_graph.sketch import WIDE

if TYPE_CHECKING:
    import pyarrow as pa

SIDE = 1024
"""Rows and columns of a matrix."""

TENSORS = 4


def write(population: Population, folder: Path, seed: int = 0) -> Path:
    """Write the index; row r is the population's model r, with the id ``m<r>``."""
    import pyarrow as pa

    count = len(population.signature)
    facts = {"version": VERSION, "fingerprint": fingerprint.SCHEMA}
    columns = schema(json.dumps(facts).encode())
    layouts = pa.array([_layout(number) for number in range(int(population.signature.max()) + 1)], pa.string())
    hashes = np.random.default_rng(seed).integers(0, 1 << 63, (count, 2), dtype=np.uint64)
    path = folder / INDEX
    with path.open("wb") as file, pa.ipc.new_file(file, columns) as writer:
        for start in range(0, count, ROWS):
            rows = np.arange(start, min(start + ROWS, count))
            made = _columns(population, rows, hashes, layouts)
            arrays = [_array(made.get(column.name), column, len(rows)) for column in columns]
            writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=columns))
    return path


def _array(values: Any, column: pa.Field, count: int) -> pa.Array:
    """Nothing where a column is not among those that are made."""
    import pyarrow as pa

    if values is None:
        empty: Any = None if column.nullable else "" if pa.types.is_string(column.type) else []
        values = [empty] * count
    return values if isinstance(values, pa.Array) else pa.array(values, column.type)


def _layout(signature: int) -> str:
    names = [(f"s{signature}.{number}.weight", [SIDE, SIDE]) for number in range(2)]
    names += [(f"s{signature}.norm.{name}", [SIDE]) for name in ("bias", "weight")]
    return json.dumps([[name, shape, "float32"] for name, shape in names])


def _columns(population: Population, rows: Any, hashes: Any, layouts: pa.Array) -> dict[str, Any]:
    import pyarrow as pa

    count = len(rows)
    signature = population.signature[rows]
    floats = pa.array(population.sketches[rows].reshape(-1))
    matrix = np.tile([True, True, False, False], count)
    values = {
        "mean": np.zeros(count * TENSORS),
        "std": np.full(count * TENSORS, 0.02),
        "norm": np.repeat(np.sqrt(population.squared_norm[rows] / 2), TENSORS) * matrix,
        "kurtosis": np.repeat(population.kurtosis[rows], TENSORS),
        "zeros": np.repeat(population.zeros[rows], TENSORS) * matrix,
        "weight": np.ones(count * TENSORS, bool),
        "bits": np.repeat(population.bits[rows], TENSORS).astype(np.uint8),
        "levels": np.repeat(np.where(population.bits[rows] < 24, 2000, 4096), TENSORS).astype(np.uint16),
        "sketched": np.zeros(count * TENSORS, np.uint16),
        "profiled": np.zeros(count * TENSORS, np.uint16),
    }
    content = (
        np.repeat(hashes[population.copied[rows]], TENSORS, axis=0)
        + np.tile(np.arange(TENSORS, dtype=np.uint64), count)[:, None]
    )
    offsets = np.arange(count + 1, dtype=np.int64)
    batches = population.batches[rows]
    return {
        "id": [f"m{row}" for row in rows],
        "digest": [f"{row:064x}" for row in rows],
        "signature": [f"{number:016x}" for number in signature],
        "sketch": pa.LargeListArray.from_arrays(pa.array(offsets * WIDE), floats),
        "format": ["safetensors"] * count,
        "parameters": np.full(count, 2 * SIDE * SIDE + 2 * SIDE),
        "counters": [[] if np.isnan(one) else [("num_batches_tracked", float(one))] for one in batches],
        "layout": pa.DictionaryArray.from_arrays(pa.array(signature.astype(np.int32)), layouts),
        "hash": pa.LargeListArray.from_arrays(
            pa.array(offsets * TENSORS),
            pa.Array.from_buffers(pa.binary(16), count * TENSORS, [None, pa.py_buffer(content.tobytes())]),
        ),
        **{name: pa.LargeListArray.from_arrays(pa.array(offsets * TENSORS), pa.array(v)) for name, v in values.items()},
    }
