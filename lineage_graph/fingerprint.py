"""One checkpoint → its :class:`Fingerprint`, in one pass over the weights.

A fingerprint holds content only, so it is the same for the same weights in another file, format, tensor order or (up to
rounding) type. Weights stream in pieces of 4 MiB: memory does not grow with the checkpoint.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xxhash

from lineage_graph import names, sketch
from lineage_graph.checkpoints import open_checkpoint
from lineage_graph.checkpoints.base import Reader
from lineage_graph.errors import NonFiniteWeightsError
from lineage_graph.types import Fingerprint, FloatArray, TensorFingerprint, TensorSpec

SCHEMA = 1
"""Raise it when any number in a fingerprint changes its meaning: stored fingerprints are then made anew."""

MATRIX_SIZE = 16
"""Elements from which a tensor of two or more dimensions counts as a weight matrix; smaller ones tell nothing."""

_SAMPLED_FROM = 1 << 20
_SAMPLED_STEP = 8
_NO_SKETCH: FloatArray = np.zeros(0, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class FingerprintTask:
    """What a worker needs: the path that ``open_checkpoint`` takes, and the digest of its bytes."""

    path: str
    digest: str


def compute(task: FingerprintTask) -> Fingerprint:
    """Read the checkpoint once and fingerprint it.

    Raises a :class:`~lineage_graph.errors.ModelError` where it cannot be read, and
    :class:`~lineage_graph.errors.NonFiniteWeightsError` where weights are NaN or infinite.
    """
    with open_checkpoint(Path(task.path)) as reader:
        specs = sorted(reader.tensors, key=lambda spec: names.natural_key(spec.name))
        tensors: list[TensorFingerprint] = []
        model = _ModelSketch()
        counters = dict(reader.counters)
        for spec in specs:
            if not is_float(spec.dtype):
                values = reader.read(spec.name)
                if names.is_counter(spec.name) and values.size == 1:
                    key = names.parts(spec.name)[-1]
                    counters[key] = max(counters.get(key, 0.0), float(values.reshape(-1)[0]))
                tensors.append(_integers(spec, values))
                continue
            fingerprint, wide = _floats(reader, spec, task.path)
            tensors.append(fingerprint)
            if wide is not None:
                model.add(fingerprint, wide)
        return Fingerprint(
            digest=task.digest,
            format=reader.format,
            architecture=reader.architecture,
            parameters=sum(s.size for s in specs if is_float(s.dtype) and not names.is_state(s.name)),
            signature=model.signature(),
            tensors=tuple(tensors),
            counters=counters,
            sketch=model.sketch(),
        )


def is_float(dtype: str) -> bool:
    """Is ``dtype`` a real-valued type (floating point, or quantised and read as float32)?"""
    return not dtype.startswith(("int", "uint", "bool", "complex"))


def is_matrix(tensor: TensorFingerprint) -> bool:
    """Is it a weight matrix, that is: does it carry evidence of descent?"""
    return tensor.sketch.size > 0


def _is_matrix_spec(spec: TensorSpec) -> bool:
    return len(spec.shape) >= 2 and spec.size >= MATRIX_SIZE and not names.is_state(spec.name)


def _integers(spec: TensorSpec, values: np.ndarray[Any, Any]) -> TensorFingerprint:
    real = values.real if np.iscomplexobj(values) else values
    digest = xxhash.xxh3_128_hexdigest(np.ascontiguousarray(real, dtype=np.int64).data)
    return TensorFingerprint(spec, digest, 0.0, 0.0, 0.0, 0.0, 0.0, _NO_SKETCH)


def _floats(reader: Reader, spec: TensorSpec, path: str) -> tuple[TensorFingerprint, FloatArray | None]:
    """Fingerprint one float tensor; the (``sketch.WIDE``,) sketch comes along if it is a weight matrix."""
    projection = sketch.Projection() if _is_matrix_spec(spec) else None
    moments = _Moments(spec.size)
    digest = xxhash.xxh3_128()
    for piece in reader.chunks(spec.name):
        values = np.ascontiguousarray(piece, dtype="<f4")
        digest.update(values.data)
        moments.add(values)
        if projection is not None:
            projection.add(values)
    if not moments.finite:
        raise NonFiniteWeightsError(f"{path}: tensor {spec.name!r} holds NaN or infinite values")
    std = moments.std
    wide = projection.centred(moments.mean) if projection is not None and std > 0 else None
    fingerprint = TensorFingerprint(
        spec=spec,
        hash=digest.hexdigest(),
        mean=moments.mean,
        std=std,
        norm=moments.squares**0.5,
        kurtosis=moments.kurtosis,
        zeros=moments.zeros,
        sketch=_NO_SKETCH if wide is None else sketch.narrow(wide),
    )
    return fingerprint, wide


class _Moments:
    """Running moments. Mean and norm use every value; shape and zeros use one block in eight of a large tensor."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.sum = self.squares = 0.0
        self.finite = True
        self._step = _SAMPLED_STEP if size > _SAMPLED_FROM else 1
        self._block = 0
        self._pivot: float | None = None
        self._sampled = 0
        self._zeros = 0
        self._powers = np.zeros(5)

    def add(self, values: FloatArray) -> None:
        for start in range(0, values.size, sketch.BLOCK):
            block = values[start : start + sketch.BLOCK]
            square = float(np.dot(block, block))
            if not np.isfinite(square):
                if self._only_mask(block):
                    block = np.where(np.isinf(block), np.float32(0), block)
                wide = block.astype(np.float64)
                square = float(np.dot(wide, wide))
                self.finite = self.finite and bool(np.isfinite(square))
            self.squares += square
            self.sum += float(block.sum(dtype=np.float64)) if block.size < 64 else float(block.sum())
            if self._block % self._step == 0:
                self._sample(block)
            self._block += 1

    @staticmethod
    def _only_mask(block: FloatArray) -> bool:
        """Attention masks are written as 0 and -inf: no weights, but no damage either."""
        return bool(np.all((block == 0) | np.isneginf(block)))

    def _sample(self, block: FloatArray) -> None:
        if self._pivot is None:
            self._pivot = float(block.mean())
        centred = block - np.float32(self._pivot)
        squared = centred * centred
        self._powers += [
            block.size,
            float(centred.sum()),
            float(squared.sum()),
            float(np.dot(squared, centred)),
            float(np.dot(squared, squared)),
        ]
        self._sampled += block.size
        self._zeros += block.size - int(np.count_nonzero(block))

    @property
    def mean(self) -> float:
        return self.sum / self.size

    @property
    def std(self) -> float:
        n, first, second = self._powers[:3]
        variance = float(second / n - (first / n) ** 2)
        # float32 sums of a constant tensor leave crumbs; below this, all values are equal.
        scale = abs(self._pivot or 0.0) + float(second / n) ** 0.5
        return variance**0.5 if variance > (1e-6 * scale) ** 2 else 0.0

    @property
    def kurtosis(self) -> float:
        n, first, second, third, fourth = self._powers
        m = first / n
        variance = second / n - m * m
        if self.std == 0:
            return 0.0
        return float((fourth / n - 4 * m * third / n + 6 * m * m * second / n - 3 * m**4) / variance**2)

    @property
    def zeros(self) -> float:
        return self._zeros / self._sampled


class _ModelSketch:
    """Adds up the sketches of a model's weight matrices, each standardised to root-mean-square 1.

    A matrix gets its own shift and signs from its shape and its rank among the matrices of that shape in natural order
    of names, so that renamed or reordered files of one architecture still meet. Heads are left out.
    """

    def __init__(self) -> None:
        self._items: list[tuple[TensorFingerprint, FloatArray]] = []

    def add(self, tensor: TensorFingerprint, wide: FloatArray) -> None:
        self._items.append((tensor, wide))

    def _backbone(self) -> list[tuple[TensorFingerprint, FloatArray]]:
        rest = [item for item in self._items if not names.is_head(item[0].spec.name)]
        return rest or self._items

    def signature(self) -> str:
        return shape_signature(tensor.spec.shape for tensor, _ in self._backbone())

    def sketch(self) -> FloatArray:
        total = np.zeros(sketch.WIDE, dtype=np.float64)
        seen: Counter[tuple[int, ...]] = Counter()
        for tensor, wide in self._backbone():
            shape = tensor.spec.shape
            seed = hashlib.sha256(json.dumps([shape, seen[shape]]).encode()).digest()
            seen[shape] += 1
            generator = np.random.default_rng(np.frombuffer(seed, dtype=np.uint32))
            signs = generator.choice(np.array([-1.0, 1.0]), size=sketch.WIDE)
            total += signs * np.roll(wide, int(generator.integers(sketch.WIDE))) / tensor.std
        length = float(np.linalg.norm(total))
        return (total / length if length > 0 else total).astype(np.float32)


def shape_signature(shapes: Iterable[tuple[int, ...]]) -> str:
    """16 hex digits that two models share when their weight matrices have the same shapes, in any order."""
    return hashlib.sha256(json.dumps(sorted(shapes)).encode()).hexdigest()[:16]


def to_bytes(fingerprint: Fingerprint) -> bytes:
    """Serialise as safetensors: the numbers as JSON metadata, the sketches as tensors."""
    from safetensors.numpy import save

    record = {
        "digest": fingerprint.digest,
        "format": fingerprint.format,
        "architecture": fingerprint.architecture,
        "parameters": fingerprint.parameters,
        "signature": fingerprint.signature,
        "counters": dict(fingerprint.counters),
        "tensors": [
            [t.spec.name, t.spec.shape, t.spec.dtype, t.hash, t.mean, t.std, t.norm, t.kurtosis, t.zeros, t.sketch.size]
            for t in fingerprint.tensors
        ],
    }
    sketches = np.concatenate([t.sketch for t in fingerprint.tensors] or [_NO_SKETCH])
    return save({"model": fingerprint.sketch, "tensors": sketches}, metadata={"fingerprint": json.dumps(record)})


def from_bytes(data: bytes) -> Fingerprint:
    """The inverse of :func:`to_bytes`. Raises ``ValueError`` on bytes that are no fingerprint."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays = load(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        record = json.loads(header["__metadata__"]["fingerprint"])
        tensors = []
        start = 0
        for name, shape, dtype, digest, mean, std, norm, kurtosis, zeros, size in record.pop("tensors"):
            spec = TensorSpec(name, tuple(shape), dtype)
            values = arrays["tensors"][start : start + size]
            tensors.append(TensorFingerprint(spec, digest, mean, std, norm, kurtosis, zeros, values))
            start += size
        return Fingerprint(**record, tensors=tuple(tensors), sketch=arrays["model"])
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"no fingerprint: {error}") from error
