"""Which models of a large index are worth decoding to place one more, by its columns: all others stay in the file.

A build proposes all models among all. For one more only those matter that could be proposed with it, by the same signs
as in ``candidates``, ``invariants`` and ``narrowed``: the sketch of the whole, sketches of single matrices, and what no
layout and no order of units changes. Of each sign the nearest are kept; which of them are compared is decided among
them as in a build. Where fewer compete, a pair may be compared that a build would have left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lineage_graph.candidates import CandidateSettings
from lineage_graph.index import Index
from lineage_graph.index_rows import rectangle
from lineage_graph.invariants import LEAST, moments
from lineage_graph.types import Fingerprint, FloatArray, Model, TensorFingerprint, TensorSpec

if TYPE_CHECKING:
    import pyarrow as pa

WHOLE = 512
"""Models up to which all are decoded."""

MOST: Mapping[str, int] = {"whole": 512, "matrices": 64, "moments": 64, "quantiles": 64}
"""Models that each sign keeps at most: a family by the sketch of the whole; the others find what that does not see."""

Places = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.floating[Any]]
Found = tuple[str, Places, Numbers]
"""A sign, rows, and how near each of these is by it: the larger, the nearer."""


def worth(kept: Index, model: Model, rows: Places) -> list[int]:
    """Those of the ``rows``, ascending, that are worth decoding to place ``model``: all, where they are few.

    Raises :class:`~lineage_graph.errors.IndexFileError`.
    """
    if len(rows) <= WHOLE:
        return [int(row) for row in rows]
    seen: dict[str, list[tuple[Places, Numbers]]] = defaultdict(list)
    search = _Search(kept, model.fingerprint)
    start = 0
    for batch in kept.batches():
        inside = rows[(rows >= start) & (rows < start + batch.num_rows)] - start
        for sign, places, nearness in search.signs(batch, inside):
            seen[sign].append((places + start, nearness))
        start += batch.num_rows
    return sorted({row for sign, parts in seen.items() for row in _nearest(parts, MOST[sign])})


def _nearest(parts: Sequence[tuple[Places, Numbers]], most: int) -> list[int]:
    """The rows of the largest numbers; of equal ones the first."""
    rows, nearness = (np.concatenate(side) for side in zip(*parts, strict=True))
    found: list[int] = rows[np.argsort(-nearness, kind="stable")[:most]].tolist()
    return found


class _Search:
    """For the models that are like one ``fingerprint``."""

    def __init__(self, kept: Index, fingerprint: Fingerprint) -> None:
        self._layouts, _ = kept.layouts()
        self._own = fingerprint
        self._settings = CandidateSettings()
        self._matrices = _matrices(fingerprint)
        self._numbers = {
            name: np.array([getattr(one, name) for one in self._matrices]) for name in ("norm", "mean", "kurtosis")
        }
        self._profiles = np.array([one.profile for one in self._matrices])
        self._sketches: dict[tuple[int, ...], list[FloatArray]] = defaultdict(list)
        largest = sorted(self._matrices, key=lambda one: (-one.spec.size, one.hash))
        for one in largest[: self._settings.matrices]:
            self._sketches[one.spec.shape].append(one.sketch / max(float(np.linalg.norm(one.sketch)), 1e-30))
        self._examples: dict[bytes, Fingerprint] = {}

    def signs(self, batch: pa.RecordBatch, places: Places) -> Iterator[Found]:
        """What speaks for the rows ``places`` of a batch."""
        same = _equal(batch.column("signature"), self._own.signature)[places]
        if np.any(self._own.sketch) and same.any():
            cosines = rectangle(batch.column("sketch"))[places[same]] @ self._own.sketch
            near = cosines >= self._settings.least_similarity
            yield "whole", places[same][near], cosines[near]
        for group in self._groups(batch, places):
            if group.signature != self._own.signature:
                yield from self._by_matrix(group)
            if group.matrices and len(group.matrices) == len(self._matrices):
                yield from self._invariant(group)

    def _groups(self, batch: pa.RecordBatch, places: Places) -> Iterator[_Group]:
        """Rows of one layout whose tensors have sketches, profiles and weights alike."""
        codes = batch.column("layout").indices.to_numpy()[places]
        for code in np.unique(codes):
            members = places[codes == code]
            flags = np.concatenate(
                [_table(batch, name, members) for name in ("sketched", "profiled", "weight")], axis=1
            )
            if (flags == flags[0]).all():  # nearly always, and cheaper to see than to sort
                first, which = np.zeros(1, np.int64), np.zeros(len(flags), np.int64)
            else:
                _, first, which = np.unique(flags, axis=0, return_index=True, return_inverse=True)
            for number, row in enumerate(first):
                key = code.tobytes() + flags[row].tobytes()
                if key not in self._examples:
                    signature = batch.column("signature")[int(members[row])].as_py()
                    self._examples[key] = _example(self._layouts[code], flags[row], signature)
                yield _Group(batch, members[which.reshape(-1) == number], self._examples[key])

    def _by_matrix(self, group: _Group) -> Iterator[Found]:
        votes = np.zeros(len(group.places))
        for number, one in enumerate(group.matrices):
            own = self._sketches.get(one.spec.shape)
            if own:
                cosines = (group.sketch(number) @ np.stack(own).T).max(axis=1)
                votes += np.where(cosines >= self._settings.least_matrix_similarity, cosines * one.spec.size, 0.0)
        near = votes > 0
        yield "matrices", group.places[near], votes[near]

    def _invariant(self, group: _Group) -> Iterator[Found]:
        """Moments where the matrices have the same sizes, in whatever shapes; quantiles where there are as many."""
        sizes = np.array([float(one.spec.size) for one in group.matrices])
        own_sizes = np.array([float(one.spec.size) for one in self._matrices])
        if np.array_equal(np.sort(sizes), np.sort(own_sizes)):
            numbers = {name: group.table(name) for name in self._numbers}
            yield "moments", group.places, _nearness(_moments(sizes, numbers), _moments(own_sizes, self._numbers))
        yield "quantiles", group.places, _nearness(_upper(group.profiles()), _upper(self._profiles))


def _example(specs: Sequence[TensorSpec], flags: Places, signature: str) -> Fingerprint:
    """What models of one layout have in common whose tensors have so many values in sketches and profiles, and are
    weights or not (``flags``: these three, one after the other); without any value.
    """
    sketched, profiled, weight = flags.reshape(3, -1).tolist()
    zeros = [np.zeros(size, dtype=np.float32) for size in (*sketched, *profiled)]
    each = zip(specs, weight, zeros[: len(specs)], zeros[len(specs) :], strict=True)
    tensors = tuple(
        TensorFingerprint(spec, "", 0.0, 0.0, 0.0, 0.0, 0.0, bool(flag), sketch, profile=profile)
        for spec, flag, sketch, profile in each
    )
    return Fingerprint("", "", "", 0, signature, tensors, {}, zeros[0])


def _matrices(fingerprint: Fingerprint) -> list[TensorFingerprint]:
    """Those of the backbone that have a profile, in the order of names."""
    return [one for one in fingerprint.backbone if one.is_matrix and one.profile.size]


def _moments(sizes: Numbers, numbers: Mapping[str, Numbers]) -> Numbers:
    """As in ``invariants``, by sizes and norms; shape (…, matrices, 3)."""
    order = np.lexsort((numbers["norm"], np.broadcast_to(sizes, numbers["norm"].shape)), axis=-1)
    norm, mean, kurtosis = (np.take_along_axis(numbers[name], order, axis=-1) for name in ("norm", "mean", "kurtosis"))
    found: Numbers = moments(np.sort(sizes), norm, mean, kurtosis)
    return found


def _upper(profiles: Numbers) -> Numbers:
    """Ln of the upper quantiles over their mean; shape (…, matrices, quantiles)."""
    upper = profiles[..., profiles.shape[-1] // 2 :] + 1e-6
    found: Numbers = np.log(upper / upper.mean(axis=-1, keepdims=True))
    return found


def _nearness(theirs: Numbers, own: Numbers) -> Numbers:
    """Minus the mean ln of the distances of the matrices; shape (rows,)."""
    apart = np.abs(theirs - own).mean(axis=-1)
    found: Numbers = -np.log(np.maximum(apart, LEAST)).mean(axis=-1)
    return found


class _Group:
    """Rows ``places`` of a batch whose tensors are those of the ``example``, with other numbers. ``matrices``: its."""

    def __init__(self, batch: pa.RecordBatch, places: Places, example: Fingerprint) -> None:
        self._batch = batch
        self.places = places
        self.signature = example.signature
        self.matrices = _matrices(example)
        position = {one.spec.name: place for place, one in enumerate(example.tensors)}
        self._columns = [position[one.spec.name] for one in self.matrices]
        self._starts = {
            "tensor_sketch": np.cumsum([0, *(one.sketch.size for one in example.tensors)]),
            "profile": np.cumsum([0, *(one.profile.size for one in example.tensors)]),
        }

    def table(self, name: str) -> Numbers:
        """A number of each matrix, shape (rows, matrices)."""
        return _table(self._batch, name, self.places)[:, self._columns]

    def sketch(self, number: int) -> FloatArray:
        """The sketches of one matrix as unit vectors, shape (rows, ``sketch.NARROW``)."""
        sketches = self._piece("tensor_sketch", self._columns[number])
        unit: FloatArray = sketches / np.maximum(np.linalg.norm(sketches, axis=1, keepdims=True), 1e-30)
        return unit

    def profiles(self) -> FloatArray:
        """Shape (rows, matrices, quantiles)."""
        return np.stack([self._piece("profile", column) for column in self._columns], axis=1)

    def _piece(self, name: str, tensor: int) -> FloatArray:
        column = self._batch.column(name)
        first, end = self._starts[name][tensor : tensor + 2]
        rows = column.offsets.to_numpy()[self.places]
        found: FloatArray = column.values.to_numpy()[rows[:, None] + np.arange(first, end)]
        return found


def _table(batch: pa.RecordBatch, name: str, places: Places) -> Numbers:
    """A column of lists that are equally long in these rows, shape (rows, list)."""
    column = batch.column(name)
    offsets = column.offsets.to_numpy()
    length = offsets[places[0] + 1] - offsets[places[0]]
    values = column.values.to_numpy(zero_copy_only=False)
    found: Numbers = values[offsets[places][:, None] + np.arange(length)]
    return found


def _equal(column: pa.StringArray, text: str) -> npt.NDArray[np.bool_]:
    import pyarrow.compute as pc

    found: npt.NDArray[np.bool_] = pc.equal(column, text).to_numpy(zero_copy_only=False)
    return found
