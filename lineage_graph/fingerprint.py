"""One checkpoint → its :class:`Fingerprint`, in one pass over the weights.

A fingerprint holds content only, so it is the same for the same weights in another file, format, tensor order or (up to
rounding) type. Weights stream in pieces of 4 MiB: memory does not grow with the checkpoint.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xxhash

from lineage_graph import names, sketch
from lineage_graph.checkpoints import open_checkpoint
from lineage_graph.checkpoints.base import Reader
from lineage_graph.errors import NonFiniteWeightsError
from lineage_graph.grain import row_length
from lineage_graph.moments import Moments
from lineage_graph.types import Fingerprint, FloatArray, TensorFingerprint, TensorSpec

SCHEMA = 6
"""Raise it when any number in a fingerprint changes its meaning: stored fingerprints are then made anew."""

MATRIX_SIZE = 16
"""Elements from which a tensor of two or more dimensions counts as a weight matrix; smaller ones tell nothing."""

LARGEST_WEIGHT = 1e12
"""Root-mean-square beyond which values are limits or masks (``finfo.min``), not weights."""

_NUMBERS = ("hash", "mean", "std", "norm", "kurtosis", "zeros", "weight", "bits", "levels")
"""Fields of a tensor's fingerprint that are kept as JSON."""

_NONE: FloatArray = np.zeros(0, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class FingerprintTask:
    """What a worker needs: the path that ``open_checkpoint`` takes, and the digest of its bytes."""

    path: str
    digest: str

    @property
    def paths(self) -> tuple[str, ...]:
        """Of the checkpoints that are read."""
        return (self.path,)


def compute(task: FingerprintTask) -> Fingerprint:
    """Read the checkpoint once and fingerprint it.

    Raises a :class:`~lineage_graph.errors.ModelError` where it cannot be read, and
    :class:`~lineage_graph.errors.NonFiniteWeightsError` where weights are NaN or infinite.
    """
    with open_checkpoint(Path(task.path)) as reader:
        specs = sorted(reader.tensors, key=lambda spec: names.natural_key(spec.name))
        tensors: list[TensorFingerprint] = []
        model = sketch.ModelSketch()
        counters = dict(reader.counters)
        for spec in specs:
            if not spec.floating:
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
            parameters=sum(t.spec.size for t in tensors if t.weight),
            signature=model.signature(),
            tensors=tuple(tensors),
            counters=counters,
            sketch=model.sketch(),
        )


def _is_matrix_spec(spec: TensorSpec) -> bool:
    return len(spec.shape) >= 2 and spec.size >= MATRIX_SIZE and not names.is_state(spec.name)


def _integers(spec: TensorSpec, values: np.ndarray[Any, Any]) -> TensorFingerprint:
    real = values.real if np.iscomplexobj(values) else values
    digest = xxhash.xxh3_128_hexdigest(np.ascontiguousarray(real, dtype=np.int64).data)
    return TensorFingerprint(spec, digest, 0.0, 0.0, 0.0, 0.0, 0.0, weight=False, sketch=_NONE)


def _floats(reader: Reader, spec: TensorSpec, path: str) -> tuple[TensorFingerprint, FloatArray | None]:
    """Fingerprint one float tensor; the (``sketch.WIDE``,) sketch comes along if it is a weight matrix."""
    projection = sketch.Projection() if _is_matrix_spec(spec) else None
    moments = Moments(spec.size, 0 if projection is None else row_length(spec.shape))
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
    weight = _is_weight(spec, moments)
    wide = projection.centred(moments.mean) if projection is not None and std > 0 and weight else None
    fingerprint = TensorFingerprint(
        spec=spec,
        hash=digest.hexdigest(),
        mean=moments.mean,
        std=std,
        norm=moments.squares**0.5,
        kurtosis=moments.kurtosis,
        zeros=moments.zeros,
        weight=weight,
        sketch=_NONE if wide is None else sketch.narrow(wide),
        bits=moments.grain.bits,
        levels=moments.grain.levels,
        profile=_NONE if wide is None else moments.grain.profile,
    )
    return fingerprint, wide


def _is_weight(spec: TensorSpec, moments: Moments) -> bool:
    """Can it be a trained weight, by name and by content? Masks and limits are equal in unrelated models."""
    small = moments.squares <= LARGEST_WEIGHT**2 * spec.size
    mask = moments.masked or (len(spec.shape) >= 2 and moments.two_valued)
    return small and not mask and not names.is_state(spec.name)


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
            [
                *(t.spec.name, t.spec.shape, t.spec.dtype),
                *(getattr(t, name) for name in _NUMBERS),
                *(t.sketch.size, t.profile.size),
            ]
            for t in fingerprint.tensors
        ],
    }
    arrays = {
        "model": fingerprint.sketch,
        "tensors": np.concatenate([t.sketch for t in fingerprint.tensors] or [_NONE]),
        "profiles": np.concatenate([t.profile for t in fingerprint.tensors] or [_NONE]),
    }
    return save(arrays, metadata={"fingerprint": json.dumps(record)})


def from_bytes(data: bytes) -> Fingerprint:
    """The inverse of :func:`to_bytes`. Raises ``ValueError`` on bytes that are no fingerprint."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays = load(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        record = json.loads(header["__metadata__"]["fingerprint"])
        sketches, profiles = _Slices(arrays["tensors"]), _Slices(arrays["profiles"])
        tensors = []
        for name, shape, dtype, *numbers, sketched, profiled in record.pop("tensors"):
            spec = TensorSpec(name, tuple(shape), dtype)
            fields = dict(zip(_NUMBERS, numbers, strict=True))
            sketch_, profile = sketches.take(sketched), profiles.take(profiled)
            tensors.append(TensorFingerprint(spec, sketch=sketch_, profile=profile, **fields))
        return Fingerprint(**record, tensors=tuple(tensors), sketch=arrays["model"])
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"no fingerprint: {error}") from error


class _Slices:
    """Cuts an array, shape (n,), into consecutive parts."""

    def __init__(self, values: FloatArray) -> None:
        self._values = values
        self._start = 0

    def take(self, size: int) -> FloatArray:
        """The next ``size`` values."""
        self._start += size
        return self._values[self._start - size : self._start]
