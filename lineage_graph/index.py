"""The index of a built zoo: everything that was read of its models, for the next build and for one more model.

One file that is mapped, not read: a search over the sketches of many models touches these alone, and a model's tensors
are decoded when they are asked for. Its columns are described in :mod:`lineage_graph.index_schema`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lineage_graph import fingerprint
from lineage_graph.errors import IndexFileError
from lineage_graph.index_rows import claims, decoded, rectangle, specs
from lineage_graph.index_schema import ABOUT, INDEX, NUMBERS, ROWS, VERSION, schema
from lineage_graph.sketch import WIDE
from lineage_graph.store import replacing
from lineage_graph.types import (
    Fingerprint,
    FloatArray,
    Model,
    TensorSpec,
)

if TYPE_CHECKING:
    import pyarrow as pa

Rows = npt.NDArray[np.int64]

AGAIN = "build the zoo again"
"""What every message ends with."""


def order(model: Model) -> tuple[str, str]:
    """The order of the rows: by content, and by id only between equal bytes."""
    return model.fingerprint.digest, model.id


def write(folder: Path, models: Sequence[Model], about: Mapping[str, Any]) -> Path:
    """Write the index of ``models`` into ``folder``: the same bytes for the same models, in whatever order they come.

    ``about``: facts of the zoo as a whole, as JSON has them; :attr:`Index.about` gives them back. A batch of rows is
    held at a time, so ``models`` may decode its items as they are asked for. Raises
    :class:`~lineage_graph.errors.OutputError`.
    """
    import pyarrow as pa

    ordered = sorted(range(len(models)), key=lambda row: order(models[row]))
    facts = {"version": VERSION, "fingerprint": fingerprint.SCHEMA, **about}
    columns = schema(json.dumps(facts, sort_keys=True).encode())
    layouts: dict[str, int] = {}
    for row in ordered:
        layouts.setdefault(_layout(models[row].fingerprint), len(layouts))
    named = pa.array(list(layouts), pa.string())
    path = folder / INDEX
    with replacing(path) as file, pa.ipc.new_file(file, columns) as writer:
        for start in range(0, len(ordered), ROWS):
            batch = [models[row] for row in ordered[start : start + ROWS]]
            writer.write_batch(_batch(batch, columns, layouts, named, folder))
    return path


def _layout(one: Fingerprint) -> str:
    return json.dumps([[t.spec.name, t.spec.shape, t.spec.dtype] for t in one.tensors], separators=(",", ":"))


def _batch(
    models: Sequence[Model], columns: pa.Schema, layouts: Mapping[str, int], named: pa.Array, folder: Path
) -> pa.RecordBatch:
    import pyarrow as pa

    rows = {**_facts(models, folder), **_tensors(models)}
    numbers = pa.array([layouts[_layout(model.fingerprint)] for model in models], pa.int32())
    layout = pa.DictionaryArray.from_arrays(numbers, named)
    made = [
        layout if name == "layout" else _column(rows[name], kind)
        for name, kind in zip(columns.names, columns.types, strict=True)
    ]
    return pa.RecordBatch.from_arrays(made, schema=columns)


def _column(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Lists of arrays are joined, rather than taken apart into Python's numbers."""
    import pyarrow as pa

    if not values or not isinstance(values[0], np.ndarray):
        return pa.array(values, kind)
    offsets = np.cumsum([0, *(len(one) for one in values)], dtype=np.int64)
    joined = pa.array(np.concatenate(values), kind.value_type)
    return pa.LargeListArray.from_arrays(pa.array(offsets), joined, type=kind)


def _facts(models: Sequence[Model], folder: Path) -> dict[str, list[Any]]:
    """What is one value a model."""
    checkpoints = [model.checkpoint for model in models]
    prints = [model.fingerprint for model in models]
    features = [model.features for model in models]
    nothing = np.zeros(0, dtype=np.float32)
    return {
        "id": [one.id for one in checkpoints],
        "digest": [one.digest for one in checkpoints],
        "signature": [one.signature for one in prints],
        "sketch": [one.sketch for one in prints],
        "path": [_relative(one.path, folder) for one in checkpoints],
        "source": [one.source for one in checkpoints],
        "arch": [one.arch for one in checkpoints],
        "created": [one.created for one in checkpoints],
        "declared_parents": [list(one.declared_parents) for one in checkpoints],
        "claims": [claims(one) for one in checkpoints],
        "format": [one.format for one in prints],
        "architecture": [one.architecture for one in prints],
        "parameters": [one.parameters for one in prints],
        "counters": [sorted(one.counters.items()) for one in prints],
        "features_group": [one.group if one is not None else None for one in features],
        "features_note": [one.note if one is not None else None for one in features],
        "features_anchored": [one.anchored if one is not None else nothing for one in features],
        "features_plain": [one.plain if one is not None else nothing for one in features],
    }


def _tensors(models: Sequence[Model]) -> dict[str, list[Any]]:
    """What is one value a tensor, and their sketches and profiles one after the other."""
    prints = [model.fingerprint.tensors for model in models]
    nothing = np.zeros(0, dtype=np.float32)
    return {
        "hash": [[bytes.fromhex(t.hash) for t in tensors] for tensors in prints],
        **{name: [np.array([getattr(t, name) for t in ts], dtype=float) for ts in prints] for name in NUMBERS},
        "weight": [[t.weight for t in tensors] for tensors in prints],
        "bits": [[t.bits for t in tensors] for tensors in prints],
        "levels": [[t.levels for t in tensors] for tensors in prints],
        "sketched": [[t.sketch.size for t in tensors] for tensors in prints],
        "profiled": [[t.profile.size for t in tensors] for tensors in prints],
        "tensor_sketch": [np.concatenate([t.sketch for t in tensors] or [nothing]) for tensors in prints],
        "profile": [np.concatenate([t.profile for t in tensors] or [nothing]) for tensors in prints],
    }


def _relative(path: str, folder: Path) -> str:
    """Outputs may be handed on together with the models beside them."""
    return Path(os.path.relpath(path, folder)).as_posix()


class Index:
    """An index that was opened; rows are in the :func:`order` of the models. Close it, or use it in a ``with`` block.

    ``about``: what the writer told of the zoo, beside the versions.
    """

    def __init__(self, folder: Path) -> None:
        """Raises :class:`~lineage_graph.errors.IndexFileError`: none there, damaged, or of another version."""
        import pyarrow as pa

        self.path = folder / INDEX
        self._folder = folder
        try:
            self._map = pa.memory_map(str(self.path))
            self._reader = pa.ipc.open_file(self._map)
            self.about = _about(self.path, self._reader.schema)
            batches = [self._reader.get_batch(number) for number in range(self._reader.num_record_batches)]
            for batch in batches:
                batch.validate(full=True)  # offsets and texts: what would lead a reader out of the file
        except FileNotFoundError as error:
            raise IndexFileError(f"{folder} holds no {INDEX}; {AGAIN}") from error
        except (pa.ArrowException, OSError) as error:
            raise IndexFileError(f"{self.path}: damaged ({' '.join(str(error).split())}); {AGAIN}") from error
        self._batches = batches
        self._starts = np.cumsum([0, *(batch.num_rows for batch in batches)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __enter__(self) -> Index:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; arrays and models that were taken from it stay valid."""
        self._batches = []
        self._map.close()

    def column(self, name: str) -> list[Any]:
        """A column of plain values (``id``, ``digest``, ``signature`` …), by row."""
        return [value for batch in self._batches for value in batch.column(name).to_pylist()]

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The columns as they lie in the file, batch by batch, for those who work on columns."""
        yield from self._batches

    def sketches(self, name: str = "sketch") -> Iterator[tuple[int, FloatArray]]:
        """The sketches as they lie in the file, batch by batch: the first row, and shape (rows, d). ``name``:
        ``sketch``, ``features_anchored`` or ``features_plain``. Rows without one are zeros, in a copy.
        """
        for start, batch in zip(self._starts, self._batches, strict=False):
            yield int(start), rectangle(batch.column(name))

    def vectors(self, rows: Rows) -> FloatArray:
        """The models' sketches of some ``rows``, in a copy, shape (rows, ``sketch.WIDE``); zeros where one has none."""
        found = np.zeros((len(rows), WIDE), dtype=np.float32)
        for start, sketches in self.sketches():
            inside = (rows >= start) & (rows < start + len(sketches))
            if sketches.shape[1]:
                found[inside] = sketches[rows[inside] - start]
        return found

    def layouts(self) -> tuple[list[tuple[TensorSpec, ...]], Rows]:
        """The tensors that there are, by name, shape and type, and for each row which of these layouts it has."""
        if not self._batches:
            return [], np.zeros(0, np.int64)
        named = self._batches[0].column("layout").dictionary.to_pylist()
        codes = np.concatenate([batch.column("layout").indices.to_numpy() for batch in self._batches])
        return [specs(layout) for layout in named], codes.astype(np.int64)

    def codes(self, name: str) -> Rows:
        """By row, a number that stands for the text in a column: equal for equal texts."""
        found: Rows = self._texts(name).dictionary_encode().indices.to_numpy().astype(np.int64)
        return found

    def text(self, name: str, row: int) -> str:
        """The text of one row in a column."""
        found: str = self._texts(name)[row].as_py()
        return found

    def rows(self, ids: Collection[str]) -> list[int]:
        """The rows of the models with these ids, ascending; of those that are there."""
        import pyarrow as pa
        import pyarrow.compute as pc

        named = pa.array(sorted(ids), pa.string())
        found: list[int] = np.flatnonzero(pc.is_in(self._texts("id"), value_set=named).to_numpy(False)).tolist()
        return found

    def _texts(self, name: str) -> pa.Array:
        import pyarrow as pa

        return pa.concat_arrays([batch.column(name) for batch in self._batches] or [pa.array([], pa.string())])

    def models(self, rows: Sequence[int] | None = None) -> list[Model]:
        """All models, or those of ``rows`` in that order, decoded; their arrays lie in the file.

        Raises :class:`~lineage_graph.errors.IndexFileError` where what is there is no model.
        """
        wanted = np.arange(len(self)) if rows is None else np.asarray(rows, dtype=np.int64)
        found: dict[int, Model] = {}
        for start, batch in zip(self._starts, self._batches, strict=False):
            inside = np.unique(wanted[(wanted >= start) & (wanted < start + batch.num_rows)])
            if not len(inside):
                continue
            try:
                found |= zip(inside.tolist(), decoded(batch, inside - start, self._folder), strict=True)
            except (ValueError, TypeError, OverflowError) as error:
                raise IndexFileError(f"{self.path}: damaged ({error}); {AGAIN}") from error
        return [found[row] for row in wanted.tolist()]


def _about(path: Path, columns: pa.Schema) -> dict[str, Any]:
    """Raises :class:`~lineage_graph.errors.IndexFileError` where this version cannot read the columns."""
    try:
        about: dict[str, Any] = json.loads((columns.metadata or {})[ABOUT])
        versions = (about["version"], about["fingerprint"])
    except (KeyError, TypeError, ValueError) as error:
        raise IndexFileError(f"{path}: no index of a zoo; {AGAIN}") from error
    if versions != (VERSION, fingerprint.SCHEMA) or not columns.equals(schema(b"")):
        raise IndexFileError(f"{path}: written by another version of lgraph; {AGAIN}")
    return about
