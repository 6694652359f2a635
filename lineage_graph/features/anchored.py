"""One Jacobian-vector product a model: linearized features at an anchor that all models of an architecture share.

Around a common anchor θ0 a network is f(θ0) + J(θ0)(θ - θ0) to first order: its distances between models are distances
of J(θ0)·θ, a fixed linear map of the weights. So each model contributes one vector, computed once and kept, and
function-space distances of all pairs are matrix arithmetic. Its features as they are, which cost one pass more, go with
them: near relatives differ in what no common anchor sees. The pairwise form of Neural Lineage (one linearization for
each candidate parent) is left for the pairs that survive.

The anchor depends on the architecture alone, never on the zoo: a model's vector stays when others come and go.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lineage_graph.errors import FeaturesUnavailableError
from lineage_graph.features.device import placed
from lineage_graph.features.folding import folded
from lineage_graph.features.linearize import Parameters, jvp
from lineage_graph.features.models import Network, load_network
from lineage_graph.features.probes import built_in, from_folder
from lineage_graph.features.reverse import double_vjp
from lineage_graph.features.settings import ProbeSettings
from lineage_graph.sketch import BLOCK, Projection
from lineage_graph.types import FloatArray, LinearizedFeatures

SEED = 20240614
SCHEMA = 4
"""Raise it when linearized features change their meaning."""


@dataclass(frozen=True, slots=True)
class FeatureTask:
    """What a worker needs: the checkpoint's path, and the timm name that the manifest gives, if any."""

    path: str
    architecture: str | None
    probes: ProbeSettings

    @property
    def paths(self) -> tuple[str, ...]:
        """Of the checkpoints that are read."""
        return (self.path,)


def compute(task: FeatureTask) -> LinearizedFeatures:
    """The model's linearized features; empty, with the reason, where no network can be built from the weights.

    Of a network that cannot be linearized at the anchor, ``anchored`` is all zeros: it takes part in pairs, and is
    neither near nor far from others at the anchor. Raises what reading the checkpoint raises.
    """
    try:
        network = placed(folded(load_network(Path(task.path), task.architecture)), task.probes.device)
        probes = probes_for(network, task.probes)
        with torch.no_grad():
            plain = network.features(network.layer(task.probes.depth), probes, pool=True)(network.parameters)
    except FeaturesUnavailableError as error:
        return LinearizedFeatures("", str(error).removeprefix(f"{task.path}: "))
    notes = [network.note]
    try:
        anchored, mode = at_anchor(network, probes, task.probes.depth)
        notes.append(mode)
    except FeaturesUnavailableError as error:
        anchored = torch.zeros_like(plain)
        notes.append(f"not linearized at the anchor: {error}")
    note = "; ".join(filter(None, notes))
    return LinearizedFeatures(network.group, note, sketched(anchored), sketched(plain))


def probes_for(network: Network, settings: ProbeSettings) -> Tensor:
    """The probes in the shape that the network takes, (count, channels, height, width); made once a process."""
    return _probes(network.input_shape, settings)


@lru_cache(maxsize=4)
def _probes(shape: tuple[int, int, int], settings: ProbeSettings) -> Tensor:
    if settings.folder:
        probes = from_folder(Path(settings.folder), shape, settings.count, settings.seed)
    else:
        probes = built_in(settings.count, shape, settings.seed)
    return probes.to(settings.device)


def at_anchor(network: Network, probes: Tensor, depth: float) -> tuple[Tensor, str]:
    """J(θ0)·θ on the probes, shape (probes, features); and why not by forward mode, empty where it is.

    Raises :class:`FeaturesUnavailableError` where neither forward nor reverse mode gives it.
    """
    shapes = {name: tuple(values.shape) for name, values in network.parameters.items()}
    start = {name: values.to(probes.device) for name, values in anchor(shapes).items()}
    common = replace(network, parameters=start, constants={})  # folded networks need no running statistics
    features = common.features(network.layer(depth), probes, pool=True)
    try:
        return jvp(features, start, network.parameters)[1], ""
    except FeaturesUnavailableError as error:
        return double_vjp(features, start, network.parameters), str(error)


def anchor(shapes: Mapping[str, tuple[int, ...]]) -> Parameters:
    """A fixed point in weight space: He-normal matrices, scales of 1, biases of 0 (He et al., ICCV 2015).

    Layer scales start at 1 too, not near 0 as in training: a branch that is switched off has no derivative.
    """
    generator = torch.Generator().manual_seed(SEED)
    parameters: Parameters = {}
    for name in sorted(shapes):
        shape = shapes[name]
        if len(shape) > 1:
            fan_in = int(np.prod(shape[1:]))
            parameters[name] = torch.randn(shape, generator=generator) * (2 / fan_in) ** 0.5
        else:
            parameters[name] = torch.zeros(shape) if name.endswith("bias") else torch.ones(shape)
    return {name: parameters[name] for name in shapes}


def sketched(features: Tensor) -> FloatArray:
    """A unit vector, shape (``sketch.WIDE``,), whose inner products estimate the cosine of features.

    ``features``: shape (probes, features); centred over the probes, since what all probes share says little.
    """
    flat = (features - features.mean(dim=0)).flatten().detach().cpu().numpy().astype(np.float32)
    projection = Projection()
    for start in range(0, flat.size, BLOCK):
        projection.add(flat[start : start + BLOCK])
    wide = projection.centred(0.0)
    length = float(np.linalg.norm(wide))
    return wide / np.float32(length) if length > 0 else wide


def to_bytes(features: LinearizedFeatures) -> bytes:
    """Serialise as safetensors."""
    from safetensors.numpy import save

    sketches = {"anchored": features.anchored, "plain": features.plain}
    return save(sketches, metadata={"group": features.group, "note": features.note})


def from_bytes(data: bytes) -> LinearizedFeatures:
    """The inverse of :func:`to_bytes`. Raises ``ValueError`` on bytes that are none."""
    import json

    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        sketches = load(data)
        metadata = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
        return LinearizedFeatures(metadata["group"], metadata["note"], sketches["anchored"], sketches["plain"])
    except (SafetensorError, KeyError, TypeError) as error:
        raise ValueError(f"no linearized features: {error}") from error
