"""The columns of one or several indexes that the stages work on: one row a model, in the order of digests, then ids.

Of a model's tensors only sums and means over its backbone's weight matrices are kept. Sketches stay in the file, which
is mapped, and are gathered where they are needed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lineage_graph import names
from lineage_graph.errors import IndexFileError
from lineage_graph.fingerprint import MATRIX_SIZE
from lineage_graph.grain import LEVEL_SAMPLE
from lineage_graph.index import Index
from lineage_graph.scoring import CUES
from lineage_graph.signals.lattice import CROWDED, HALF_CROWDED, MOST_LEVELS
from lineage_graph.sketch import BLOCK, WIDE
from lineage_graph.types import FloatArray, TensorSpec

if TYPE_CHECKING:
    import pyarrow as pa

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

COUNTERS = tuple(name.removeprefix("counter.") for name in CUES if name.startswith("counter."))
"""Names of the counters that say something of the direction."""

LEAST_LEVELS_BITS, MOST_LEVELS_BITS = 8, 11
"""Digits between which a lattice of few levels may also be a floating-point type (see ``signals.lattice``)."""


@dataclass(frozen=True, slots=True)
class Population:
    """``group``: number of the shape signature, -1 where there is no sketch. ``content``: equal for equal weights.

    Over the backbone's matrices: ``elements``; ``squared_norm``, ‖·‖²; ``kurtosis``, mean; and by size, mean ``zeros``
    (0 to 1), ``bits`` and ``digits`` (of the type and of a value, see ``signals.lattice``), and the share on ``few``
    levels. ``counters``: by name, NaN where a model has none. All of shape (models,).
    """

    facts: Facts
    sketches: Sketches
    group: Ints
    content: Ints
    elements: Floats
    squared_norm: Floats
    kurtosis: Floats
    zeros: Floats
    bits: Floats
    digits: Floats
    few: Floats
    counters: Mapping[str, Floats]

    def __len__(self) -> int:
        return len(self.group)


class Sketches:
    """The models' sketches as they lie in mapped files, in pieces of shape (rows, ``WIDE``)."""

    def __init__(self, pieces: Sequence[FloatArray], order: Ints) -> None:
        """``order``: of each model, its row in the ``pieces`` one after the other."""
        self._pieces = pieces
        self._starts = np.cumsum([0, *(len(piece) for piece in pieces)])
        self._order = order

    def take(self, rows: Ints) -> FloatArray:
        """Those of some models, in a copy, shape (rows, ``WIDE``)."""
        lying = self._order[rows]
        taken = np.empty((len(rows), WIDE), dtype=np.float32)
        piece = np.searchsorted(self._starts, lying, side="right") - 1
        by_piece = np.argsort(piece, kind="stable")
        numbers, first = np.unique(piece[by_piece], return_index=True)
        for number, places in zip(numbers, np.split(by_piece, first[1:]), strict=True):
            taken[places] = self._pieces[number][lying[places] - self._starts[number]]
        return taken


class Facts:
    """What is only written down in the end, read when it is asked for: ids, digests, formats …"""

    def __init__(self, table: pa.Table, order: Ints) -> None:
        # In one piece: to take rows from a column in pieces joins them anew each time.
        self._table = table.take(order).combine_chunks()

    def column(self, name: str, rows: Ints) -> list[Any]:
        """The column's values for some models."""
        values: list[Any] = self._table.column(name).take(rows).to_pylist()
        return values

    def written_order(self, family: Ints, generation: Ints) -> Ints:
        """The models by family, generation and id, as every output lists them."""
        import pyarrow as pa
        import pyarrow.compute as pc

        table = pa.table({"family": family, "generation": generation, "id": self._table.column("id")})
        found: Ints = pc.sort_indices(table, [(name, "ascending") for name in table.column_names]).to_numpy()
        return found.astype(np.int64)

    def numbers(self, ids: Sequence[str]) -> Ints:
        """The models of these ``ids``; -1 where there is none."""
        import pyarrow as pa
        import pyarrow.compute as pc

        rows = pc.index_in(pa.array(ids, pa.string()), value_set=self._table.column("id"))
        found: Ints = pc.fill_null(rows, -1).to_numpy().astype(np.int64)
        return found


FACTS = (
    "id",
    "digest",
    "signature",
    "source",
    "arch",
    "format",
    "architecture",
    "parameters",
    "declared_parents",
    "created",
)


def load(indexes: Sequence[Index]) -> Population:
    """The models of all ``indexes``, which stay open as long as the population is used.

    Raises :class:`~lineage_graph.errors.IndexFileError` where two of them hold different models of one id.
    """
    import pyarrow as pa

    batches = [batch for index in indexes for batch in index.batches()]
    table = pa.Table.from_batches([batch.select(FACTS) for batch in batches])
    _no_id_twice(table, len(indexes))
    order = _order(table)
    parts = [_summary(batch) for batch in batches]
    columns = {name: np.concatenate([part[name] for part in parts])[order] for name in parts[0]}
    pieces = [piece for index in indexes for _, piece in index.sketches()]
    return Population(
        facts=Facts(table, order),
        sketches=Sketches([one if one.shape[1] else np.zeros((len(one), WIDE), np.float32) for one in pieces], order),
        group=np.where(columns["sketched"], _codes(table, "signature")[order], -1),
        content=_codes_of(columns.pop("content_low"), columns.pop("content_high")),
        counters={name: columns[f"counter.{name}"] for name in COUNTERS},
        **{name: columns[name] for name in _SUMS},
    )


_SUMS = ("elements", "squared_norm", "kurtosis", "zeros", "bits", "digits", "few")


def _no_id_twice(table: pa.Table, indexes: int) -> None:
    """Of one index this is known."""
    import pyarrow.compute as pc

    if indexes > 1 and pc.count_distinct(table.column("id")).as_py() < table.num_rows:
        counts = pc.value_counts(table.column("id"))
        first = min(item["values"] for item in counts.to_pylist() if item["counts"] > 1)
        raise IndexFileError(f"two of the indexes hold a model called {first!r}: an id stands for one model")


def _order(table: pa.Table) -> Ints:
    import pyarrow.compute as pc

    order: Ints = pc.sort_indices(table, [("digest", "ascending"), ("id", "ascending")]).to_numpy().astype(np.int64)
    return order


def _codes(table: pa.Table, name: str) -> Ints:
    """Numbers of the distinct texts of a column, in their alphabetical order."""
    import pyarrow.compute as pc

    coded = table.column(name).combine_chunks().dictionary_encode()
    rank = np.argsort(pc.sort_indices(coded.dictionary).to_numpy())
    codes: Ints = rank[coded.indices.to_numpy()].astype(np.int64)
    return codes


def _codes_of(low: npt.NDArray[np.uint64], high: npt.NDArray[np.uint64]) -> Ints:
    both = np.rec.fromarrays([low, high])
    codes: Ints = np.unique(both, return_inverse=True)[1].astype(np.int64).reshape(-1)
    return codes


def _summary(batch: pa.RecordBatch) -> dict[str, npt.NDArray[Any]]:
    """The columns of one batch, and ``content`` as two halves of 128 bits."""
    specs = _layouts(batch.column("layout"))
    size = np.concatenate([one.size for one in specs])
    matrix = np.concatenate([one.matrix for one in specs])
    rows = _Rows(batch)
    zeros, levels, bits = rows.values("zeros"), rows.values("levels").astype(float), rows.values("bits").astype(float)
    crowding = crowdings(size, zeros, levels)
    between = (bits >= LEAST_LEVELS_BITS) & (bits <= MOST_LEVELS_BITS)
    few = np.where(between, (crowding > HALF_CROWDED) & (levels <= MOST_LEVELS), crowding > CROWDED)
    share = size * matrix
    elements = rows.sum(share)
    whole = np.maximum(elements, 1.0)
    found: dict[str, npt.NDArray[Any]] = {
        "elements": elements,
        "squared_norm": rows.sum(matrix * rows.values("norm") ** 2),
        "kurtosis": rows.sum(matrix * rows.values("kurtosis")) / np.maximum(rows.sum(matrix.astype(float)), 1.0),
        "zeros": rows.sum(share * zeros) / whole,
        "bits": rows.sum(share * bits) / whole,
        "digits": rows.sum(share * np.where(crowding > CROWDED, np.log2(levels + 1), bits)) / whole,
        "few": rows.sum(share * few) / whole,
        "sketched": np.diff(batch.column("sketch").offsets.to_numpy()) == WIDE,
    }
    halves = np.frombuffer(rows.hashes(), dtype="<u8").reshape(-1, 2) * rows.values("weight")[:, None]
    # Sums of well-mixed numbers do not depend on the order of tensors; a factor keeps the halves from being one.
    mixed = halves[:, 0] ^ (halves[:, 1] * np.uint64(0x9E3779B97F4A7C15))
    found |= {"content_low": rows.sum(halves[:, 0] * (mixed | np.uint64(1))), "content_high": rows.sum(mixed)}
    return found | {f"counter.{name}": values for name, values in _counters(batch)}


def crowdings(size: Floats, zeros: Floats, levels: Floats) -> Floats:
    """:func:`~lineage_graph.grain.crowding` of many tensors."""
    counted = np.minimum(LEVEL_SAMPLE, np.rint(np.minimum(size, BLOCK) * (1 - zeros)))
    return np.where(levels > 0, np.maximum(counted / np.maximum(levels, 1), 1.0), 1.0)


class _Rows:
    """The lists of one batch as flat arrays, summed up row by row."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        self._batch = batch
        offsets = batch.column("norm").offsets.to_numpy().astype(np.int64)
        self._held = np.flatnonzero(np.diff(offsets) > 0)
        self._starts = (offsets - offsets[0])[:-1][self._held]
        self._count = batch.num_rows

    def values(self, name: str) -> npt.NDArray[Any]:
        found: npt.NDArray[Any] = self._batch.column(name).flatten().to_numpy(zero_copy_only=False)
        return found

    def hashes(self) -> memoryview:
        flat = self._batch.column("hash").flatten()
        return memoryview(flat.buffers()[1])[flat.offset * 16 : (flat.offset + len(flat)) * 16]

    def sum(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Row by row; 0 where a row has no tensors. Whole numbers wrap around."""
        sums = np.zeros(self._count, dtype=values.dtype)
        if len(self._held):
            sums[self._held] = np.add.reduceat(values, self._starts)
        return sums


@dataclass(frozen=True, slots=True)
class _Layout:
    """``size`` of each tensor, and whether it is a weight matrix of the backbone, as far as its name and shape tell."""

    size: Floats
    matrix: Flags


def _layouts(column: pa.DictionaryArray) -> list[_Layout]:
    """By row. Of the file's layouts only those are looked at that occur here."""
    used, places = np.unique(column.indices.to_numpy(), return_inverse=True)
    made = [_layout(text) for text in column.dictionary.take(used).to_pylist()]
    return [made[place] for place in places]


@lru_cache(maxsize=4096)
def _layout(text: str) -> _Layout:
    specs = [TensorSpec(name, tuple(shape), dtype) for name, shape, dtype in json.loads(text)]
    weights = [spec for spec in specs if spec.floating and not names.is_state(spec.name)]
    matrices = [spec.name for spec in weights if len(spec.shape) >= 2 and spec.size >= MATRIX_SIZE]
    kept = set(matrices) - names.heads([spec.name for spec in weights], matrices)
    return _Layout(
        np.array([float(spec.size) for spec in specs]), np.array([spec.name in kept for spec in specs], bool)
    )


def _counters(batch: pa.RecordBatch) -> Iterator[tuple[str, Floats]]:
    counters = batch.column("counters")
    lengths = np.diff(counters.offsets.to_numpy())
    rows = np.repeat(np.arange(batch.num_rows), lengths)
    first, last = counters.offsets[0].as_py(), counters.offsets[-1].as_py()
    keys = np.array(counters.keys.slice(first, last - first).to_pylist(), dtype=object)
    items = counters.items.slice(first, last - first).to_numpy(zero_copy_only=False)
    for name in COUNTERS:
        values = np.full(batch.num_rows, np.nan)
        chosen = keys == name if len(keys) else np.zeros(0, bool)
        values[rows[chosen]] = items[chosen]
        yield name, values
