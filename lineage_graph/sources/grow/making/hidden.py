"""Hidden units: which places of which tensors belong to them, and putting them in another order or at another scale."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from lineage_graph.sources.grow.making.networks import State
from lineage_graph.sources.grow.steps import Permute, Rescale


@dataclass(frozen=True)
class Place:
    """Where units lie in a tensor: along ``axis``, one after the other from ``start``."""

    name: str
    axis: int
    start: int = 0


@dataclass(frozen=True)
class Units:
    """Hidden units of one layer.

    ``into``: the matrices that make them; ``scaling``: what a factor goes to; ``along``: what else lies in their order;
    ``out``: what reads them, and takes the inverse factor. ``relu``: they pass a ReLU, so that factors can be undone.
    ``removable``: nothing else in the network has to have as many.
    """

    size: int
    into: tuple[Place, ...]
    scaling: tuple[Place, ...]
    along: tuple[Place, ...]
    out: tuple[Place, ...]
    relu: bool = False
    removable: bool = True

    @property
    def places(self) -> Iterator[Place]:
        """All of them, each once."""
        yield from dict.fromkeys((*self.into, *self.scaling, *self.along, *self.out))


def hidden_units(architecture: str, state: State) -> list[Units]:
    """The hidden units of a network of the architecture, as far as they are described here."""
    if architecture in ("mlp", "convnet"):
        return list(_plain(state))
    if architecture == "test_resnet":
        return list(_resnet(state))
    return [*_perceptrons(state), *(_attention(state) if architecture == "test_vit" else ())]


def permute(_: Permute, states: Sequence[State], architecture: str) -> State:
    """All hidden units in a random order."""
    (state,) = states
    for units in hidden_units(architecture, state):
        state = taken(state, units, torch.randperm(units.size))
    return state


def rescale(step: Rescale, states: Sequence[State], architecture: str) -> State:
    """All hidden units before a ReLU at a random scale."""
    (state,) = states
    for units in hidden_units(architecture, state):
        if units.relu:
            factors = torch.exp((2 * torch.rand(units.size) - 1) * torch.log(torch.tensor(step.spread)))
            state = dict(state)
            for places, times in ((units.scaling, factors), (units.out, 1 / factors)):
                for place in places:
                    values = state[place.name]
                    shape = [-1 if axis == place.axis else 1 for axis in range(values.dim())]
                    state[place.name] = values * times.reshape(shape)
    return state


def taken(state: State, units: Units, chosen: Tensor) -> State:
    """The state with just the ``chosen`` units, in their order."""
    changed = dict(state)
    for place in units.places:
        values = changed[place.name]
        order = torch.cat(
            [
                torch.arange(place.start),
                place.start + chosen,
                torch.arange(place.start + units.size, values.shape[place.axis]),
            ]
        )
        changed[place.name] = values.index_select(place.axis, order)
    return changed


def _places(names: Iterable[str], axis: int, start: int = 0) -> tuple[Place, ...]:
    return tuple(Place(name, axis, start) for name in names)


def _plain(state: State) -> Iterator[Units]:
    """Layers one after the other."""
    layers = [name.removesuffix(".weight") for name in state if name.endswith(".weight")]
    for layer, following in pairwise(layers):
        weight, bias = Place(f"{layer}.weight", 0), Place(f"{layer}.bias", 0)
        yield Units(len(state[bias.name]), (weight,), (weight, bias), (), (Place(f"{following}.weight", 1),), relu=True)


_NORM = ("weight", "bias", "running_mean", "running_var")
_RESNET = (
    ("conv1.0", "conv1.1", "conv1.3"),
    ("conv1.3", "conv1.4", "conv1.6"),
    ("conv1.6 layer1.0.conv2", "bn1 layer1.0.bn2", "layer1.0.conv1 layer2.0.conv1 layer2.0.downsample.1"),
    ("layer1.0.conv1", "layer1.0.bn1", "layer1.0.conv2"),
    ("layer2.0.conv1", "layer2.0.bn1", "layer2.0.conv2"),
    (
        "layer2.0.conv2 layer2.0.downsample.1",
        "layer2.0.bn2 layer2.0.downsample.2",
        "layer3.0.conv1 layer3.0.downsample.1",
    ),
    ("layer3.0.conv1", "layer3.0.bn1", "layer3.0.conv2"),
    ("layer3.0.conv2", "layer3.0.bn2", "layer3.0.conv3"),
    (
        "layer3.0.conv3 layer3.0.downsample.1",
        "layer3.0.bn3 layer3.0.downsample.2",
        "layer4.0.conv1 layer4.0.downsample.1",
    ),
    ("layer4.0.conv1", "layer4.0.bn1", "layer4.0.conv2"),
    ("layer4.0.conv2 layer4.0.downsample.1", "layer4.0.bn2 layer4.0.downsample.2", "fc"),
)
"""Of test_resnet: the layers that make the units, their norms, and the layers that read them. A sum over a shortcut is
made by several, and all of them are scaled alike."""


def _resnet(state: State) -> Iterator[Units]:
    for makers, norms, readers in _RESNET:
        into = _places((f"{maker}.weight" for maker in makers.split()), 0)
        yield Units(
            size=len(state[into[0].name]),
            into=into,
            scaling=_places((f"{norm}.{part}" for norm in norms.split() for part in _NORM[:2]), 0),
            along=_places((f"{norm}.{part}" for norm in norms.split() for part in _NORM[2:]), 0),
            out=_places((f"{reader}.weight" for reader in readers.split()), 1),
            relu=True,
        )


def _perceptrons(state: State) -> Iterator[Units]:
    """The hidden layer of each block's perceptron."""
    for name in state:
        if name.endswith("mlp.fc1.weight"):
            stem = name.removesuffix("fc1.weight")
            weight, bias = Place(name, 0), Place(f"{stem}fc1.bias", 0)
            yield Units(len(state[name]), (weight,), (weight, bias), (), (Place(f"{stem}fc2.weight", 1),))


_HEADS = 2
"""Of test_vit."""


def _attention(state: State) -> Iterator[Units]:
    """What every block adds to, and in each head the keys with the queries, and the values."""
    width = state["cls_token"].shape[-1]
    reading = [name for name in state if re.search(r"(qkv|fc1|^head)\.weight$", name)]
    making = [name for name in state if re.search(r"(proj|fc2)\.weight$", name)]
    norms = [name for name in state if "norm" in name]
    along = [name.replace("weight", "bias") for name in making] + norms
    yield Units(
        size=width,
        into=_places(making, 0),
        scaling=(),
        along=(*_places(along, 0), *_places(("cls_token", "pos_embed"), 2)),
        out=_places(reading, 1),
        removable=False,
    )
    each = width // _HEADS
    for name in state:
        if name.endswith("attn.qkv.weight"):
            pair = (name, name.replace("weight", "bias"))
            for start in range(0, width, each):
                query, key, value = (_places(pair, 0, part * width + start) for part in range(3))
                yield Units(each, query[:1], (), (*query, *key), (), removable=False)
                out = Place(name.replace("qkv", "proj"), 1, start)
                yield Units(each, value[:1], (), value, (out,), removable=False)
