"""Synthetic fingerprints for tests that need no file."""

from __future__ import annotations

import hashlib

import numpy as np

from lineage_graph import names, sketch
from lineage_graph.grain import row_length
from lineage_graph.moments import Moments
from lineage_graph.types import Checkpoint, Fingerprint, Model, TensorFingerprint, TensorSpec


def tensor(name, values):
    """The fingerprint of one float32 tensor."""
    values = np.asarray(values, dtype=np.float32)
    projection = sketch.Projection()
    projection.add(values.reshape(-1))
    moments = Moments(values.size, row_length(values.shape) if values.ndim >= 2 else 0)
    moments.add(values.reshape(-1))
    wide = projection.centred(moments.mean)
    weight = not names.is_state(name)
    matrix = values.ndim >= 2 and moments.std > 0 and weight
    return TensorFingerprint(
        spec=TensorSpec(name, values.shape, "float32"),
        hash=hashlib.sha256(values.tobytes()).hexdigest()[:32],
        mean=moments.mean,
        std=moments.std,
        norm=moments.squares**0.5,
        kurtosis=moments.kurtosis,
        zeros=moments.zeros,
        weight=weight,
        sketch=sketch.narrow(wide) if matrix else np.zeros(0, np.float32),
        bits=moments.grain.bits,
        levels=moments.grain.levels,
        profile=moments.grain.profile if matrix else np.zeros(0, np.float32),
    ), wide


def fingerprint(state, counters=None):
    """The fingerprint of a state dict of arrays."""
    model = sketch.ModelSketch()
    tensors = []
    for name, values in state.items():
        one, wide = tensor(name, values)
        tensors.append(one)
        if one.sketch.size:
            model.add(one, wide)
    digest = hashlib.sha256("".join(t.hash for t in tensors).encode()).hexdigest()
    return Fingerprint(
        digest=digest,
        format="safetensors",
        architecture="",
        parameters=sum(t.spec.size for t in tensors),
        signature=model.signature(),
        tensors=tuple(tensors),
        counters=counters or {},
        sketch=model.sketch(),
    )


def model(id_, state, counters=None, **claims):
    """A model with the given weights."""
    one = fingerprint(state, counters)
    return Model(Checkpoint(id_, f"/nowhere/{id_}", one.digest, "path", **claims), one)
