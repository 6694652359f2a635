"""A few slices of a checkpoint's weights: enough to tell that it is no relative of any other, without the rest of them.

Of each model the same few matrices are taken, as far as it has them: those with the smallest hashes of shape and rank
among the matrices of that shape, so that models which share most of their layers share most of the chosen ones, too
(min-wise sampling: Broder, "On the resemblance and containment of documents", 1997). Of each comes one stretch, as
ranks (Spearman, 1904): scaling, rounding and a single wild value hardly move them. Slices speak of weights in their
places; a few whole vectors (biases, scales, running statistics), sorted, tell copies whose units were reordered.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from lineage_graph import names
from lineage_graph.candidates import CandidateSettings, nearest
from lineage_graph.checkpoints.base import CHUNK, Reader
from lineage_graph.fingerprint import MATRIX_SIZE
from lineage_graph.sketch import shape_signature
from lineage_graph.types import FloatArray, TensorSpec

SCHEMA = 3
"""Raise it when anything in a sample changes its meaning."""

SLICES, LENGTH = 8, 2048
"""Slices of a model, and elements of each: ranks of strangers agree with a standard deviation of 0.022."""

VECTORS, QUANTILES = 2, 16
"""Sorted vectors of a model, and how many of their quantiles are kept."""

LEAST_VECTOR, MOST_VECTOR = 32, 1 << 14
"""Elements of a vector that is worth its request."""

ALIKE = 0.15
"""Agreement of ranks in one slice from which two models may be relatives, -1 to 1."""

SAME = 0.1
"""Distance of sorted vectors up to which they may be the same, where two samples of one distribution are about 1 apart
(root-mean-square over the quantiles, in standard deviations over the square root of the number of elements)."""

IN_PLACE = frozenset(["safetensors", "pytorch"])
"""Formats that keep a matrix as the network has it; others may lay it out anew."""

Slicer = Callable[[str, int, int], FloatArray]
"""Tensor, first element, number of elements → these values."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What is known of a checkpoint from its header and its slices.

    ``format``, ``architecture``, ``parameters``, ``signature``, ``counters``: as in a fingerprint. ``layers``: name and
    shape of each weight matrix behind which there is no head, in natural order. ``keys``: of the slices, equal in
    models that can be compared by them; none where the weights are not kept in their places as floating point.
    ``slices``: shape (keys, ``LENGTH``), unit vectors of centred ranks. ``sorted_keys``, ``quantiles``: the same of the
    vectors, shape (sorted_keys, ``QUANTILES``), so that the distance of ``SAME`` is that of Euclid.
    """

    format: str
    architecture: str
    parameters: int
    signature: str
    counters: Mapping[str, float]
    layers: tuple[tuple[str, tuple[int, ...]], ...]
    keys: tuple[str, ...]
    slices: FloatArray
    sorted_keys: tuple[str, ...]
    quantiles: FloatArray

    @property
    def outline(self) -> str:
        """16 hex digits that models share whose matrices have the same sizes, however each is laid out."""
        return shape_signature(tuple(sorted(n for n in shape if n > 1)) for _, shape in self.layers)


def take(
    specs: Sequence[TensorSpec], form: str, architecture: str, counters: Mapping[str, float], values: Slicer
) -> Sample:
    """The sample of a checkpoint with the tensors ``specs``; raises what ``values`` raises, which gives the slices."""
    ordered = sorted(specs, key=lambda spec: names.natural_key(spec.name))
    weights = [spec for spec in ordered if not names.is_state(spec.name)]
    matrices = [spec for spec in weights if len(spec.shape) >= 2 and spec.size >= MATRIX_SIZE]
    heads = names.heads([spec.name for spec in ordered], [spec.name for spec in matrices])
    trunk = [spec for spec in matrices if spec.name not in heads]
    vectors = [spec for spec in ordered if len(spec.shape) == 1 and spec.floating and spec.name not in heads]
    plain = form in IN_PLACE and all(spec.floating for spec in trunk)
    chosen = _chosen([spec for spec in trunk if plain], LENGTH, None, SLICES)
    found = _measured(chosen, lambda spec: _ranks(values(spec.name, (spec.size - LENGTH) // 2, LENGTH)))
    chosen = _chosen([spec for spec in vectors if plain], LEAST_VECTOR, MOST_VECTOR, VECTORS)
    spread = _measured(chosen, lambda spec: _quantiles(values(spec.name, 0, spec.size)))
    return Sample(
        format=form,
        architecture=architecture,
        parameters=sum(spec.size for spec in weights if spec.floating),
        signature=shape_signature(spec.shape for spec in trunk),
        counters=counters,
        layers=tuple((spec.name, spec.shape) for spec in trunk),
        keys=tuple(found),
        slices=np.array(list(found.values()), dtype=np.float32).reshape(-1, LENGTH),
        sorted_keys=tuple(spread),
        quantiles=np.array(list(spread.values()), dtype=np.float32).reshape(-1, QUANTILES),
    )


def slicer(reader: Reader) -> Slicer:
    """The values of a checkpoint on this disk: reads a tensor's pieces up to the stretch that is asked for."""

    def values(name: str, start: int, count: int) -> FloatArray:
        found = []
        for first, piece in zip(range(0, start + count, CHUNK), reader.chunks(name), strict=False):
            found.append(piece[max(start - first, 0) : max(start + count - first, 0)].copy())
        return np.concatenate(found)

    return values


def _chosen(specs: Sequence[TensorSpec], least: int, most: int | None, count: int) -> list[tuple[str, TensorSpec]]:
    """The ``count`` tensors with the smallest hashes, each under its key; with ``least`` to ``most`` elements."""
    seen: Counter[tuple[int, ...]] = Counter()
    keyed = []
    for spec in specs:
        key = json.dumps([spec.shape, seen[spec.shape]])
        seen[spec.shape] += 1
        if least <= spec.size <= (most or spec.size):
            keyed.append((hashlib.sha256(key.encode()).hexdigest(), key, spec))
    return [(key, spec) for _, key, spec in sorted(keyed, key=lambda one: one[0])[:count]]


def _measured(
    chosen: Sequence[tuple[str, TensorSpec]], measure: Callable[[TensorSpec], FloatArray | None]
) -> dict[str, FloatArray]:
    """What ``measure`` gives of each, by key; those left out of which it gives nothing."""
    return {key: found for key, spec in chosen if (found := measure(spec)) is not None}


def _ranks(values: FloatArray) -> FloatArray | None:
    """Centred ranks as a unit vector; ``None`` for values that are all alike, or no numbers."""
    from scipy.stats import rankdata

    if not np.isfinite(values).all():
        return None
    ranks = rankdata(values) - (len(values) + 1) / 2
    length = float(np.linalg.norm(ranks))
    return (ranks / length).astype(np.float32) if length > 0 else None


def _quantiles(values: FloatArray) -> FloatArray | None:
    """See ``SAME``; ``None`` for values that are all alike, or no numbers."""
    if not np.isfinite(values).all() or np.ptp(values) == 0:
        return None
    wide = values.astype(np.float64)
    spread = np.quantile(wide, (np.arange(QUANTILES) + 0.5) / QUANTILES) / np.std(wide)
    scaled: FloatArray = (spread * np.sqrt(len(values) / QUANTILES)).astype(np.float32)
    return scaled


def akin(samples: Sequence[Sample], digests: Sequence[str]) -> list[bool]:
    """Which models may have a relative among the others: by slices or vectors, or because these cannot tell.

    ``digests``: of their weights; equal ones are one model. Slices cannot tell of a model that has none, of one whose
    matrices have the sizes of one without slices, and of one that could be another with units left out.
    """
    wanted = {row for row, sample in enumerate(samples) if not sample.keys}
    blind = {samples[row].outline for row in wanted}
    wanted |= {row for row, sample in enumerate(samples) if sample.outline in blind}
    alike = {
        *_by_slices(samples, _owners(digests, (sample.keys for sample in samples))),
        *_by_quantiles(samples, _owners(digests, (sample.sorted_keys for sample in samples))),
    }
    contents = {digests[row] for row in alike}
    wanted |= {row for row, digest in enumerate(digests) if digest in contents}
    wanted |= set(_cut(samples))
    return [row in wanted for row in range(len(samples))]


Owners = Mapping[str, Sequence[tuple[int, int]]]
"""By key: the models that have it, one of each content, and which of their keys it is."""


def _owners(digests: Sequence[str], keys: Iterable[tuple[str, ...]]) -> Owners:
    found: dict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
    for row, own in enumerate(keys):
        for place, key in enumerate(own):
            found[key].setdefault(digests[row], (row, place))
    return {key: list(of_digest.values()) for key, of_digest in found.items()}


def _by_slices(samples: Sequence[Sample], owners: Owners) -> Iterator[int]:
    for rows in owners.values():
        vectors = np.stack([samples[row].slices[place] for row, place in rows])
        for one, other, agreement in nearest(vectors, CandidateSettings(neighbours=1)):
            if agreement >= ALIKE:
                yield from (rows[one][0], rows[other][0])


def _by_quantiles(samples: Sequence[Sample], owners: Owners) -> Iterator[int]:
    from scipy.spatial import KDTree

    for rows in owners.values():
        points = np.stack([samples[row].quantiles[place] for row, place in rows])
        distances, _ = KDTree(points).query(points, k=2)
        yield from (row for (row, _), near in zip(rows, distances[:, 1] <= SAME, strict=True) if near)


def _cut(samples: Sequence[Sample]) -> Iterator[int]:
    """Models whose layers are named and ordered alike, and none of one wider than in the other, and the other way."""
    groups: dict[object, dict[tuple[int, ...], list[int]]] = defaultdict(lambda: defaultdict(list))
    for row, sample in enumerate(samples):
        sizes = tuple(n for _, shape in sample.layers for n in shape)
        groups[tuple((name, len(shape)) for name, shape in sample.layers)][sizes].append(row)
    for by_sizes in groups.values():
        every = np.array(list(by_sizes))
        for sizes, rows in by_sizes.items():
            inside = (every <= np.array(sizes)).all(axis=1) | (every >= np.array(sizes)).all(axis=1)
            if inside.sum() > 1:
                yield from rows


def to_bytes(sample: Sample) -> bytes:
    """Serialise as safetensors: the facts as JSON metadata, what was measured as tensors."""
    from safetensors.numpy import save

    arrays = {"slices": sample.slices, "quantiles": sample.quantiles}
    facts = {name: value for name, value in asdict(sample).items() if name not in arrays}
    return save(arrays, metadata={"sample": json.dumps(facts)})


def from_bytes(data: bytes) -> Sample:
    """The inverse of :func:`to_bytes`. Raises ``ValueError`` on bytes that are no sample."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        facts = json.loads(header["__metadata__"]["sample"])
        facts |= {name: tuple(facts[name]) for name in ("keys", "sorted_keys")}
        facts["layers"] = tuple((name, tuple(shape)) for name, shape in facts["layers"])
        return Sample(**(facts | load(data)))
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"no sample: {error}") from error
