"""The networks that zoos are made of: timm's small ones, and two plain ones whose hidden units a ReLU follows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from lineage_graph.timm_compat import import_timm

State = dict[str, Tensor]
"""A model's weights by name."""


class Mlp(nn.Module):
    """Three hidden layers over 8×8 grey pixels."""

    default_cfg: ClassVar[Mapping[str, str]] = {"classifier": "head"}
    WIDTHS = (64, 160, 128, 96)

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        pairs = zip(self.WIDTHS[:-1], self.WIDTHS[1:], strict=True)
        self.layers = nn.Sequential(*(part for pair in pairs for part in (nn.Linear(*pair), nn.ReLU())))
        self.head = nn.Linear(self.WIDTHS[-1], num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """(n, 3, side, side) → logits (n, num_classes)."""
        grey = nn.functional.adaptive_avg_pool2d(images, 8).mean(1).flatten(1)
        logits: Tensor = self.head(self.layers(grey))
        return logits


class ConvNet(nn.Module):
    """Four convolutions, each with a ReLU and no norm, and the average over positions."""

    default_cfg: ClassVar[Mapping[str, str]] = {"classifier": "head"}
    WIDTHS = (3, 24, 48, 64, 96)

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        pairs = enumerate(zip(self.WIDTHS[:-1], self.WIDTHS[1:], strict=True))
        convolutions = [nn.Conv2d(*pair, 3, stride=1 + number % 2, padding=1) for number, pair in pairs]
        self.layers = nn.Sequential(*(part for one in convolutions for part in (one, nn.ReLU())))
        self.head = nn.Linear(self.WIDTHS[-1], num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """(n, 3, side, side) → logits (n, num_classes)."""
        logits: Tensor = self.head(self.layers(images).mean((2, 3)))
        return logits


class Towers(nn.Module):
    """Backbones side by side, under the given names, and a neck and a head over all their features."""

    default_cfg: ClassVar[Mapping[str, str]] = {"classifier": "head"}
    WIDTH = 48

    def __init__(self, architecture: str, prefixes: tuple[str, ...], num_classes: int) -> None:
        super().__init__()
        for prefix in prefixes:
            setattr(self, prefix, import_timm().create_model(architecture, num_classes=0))
        self._prefixes = prefixes
        self.neck = nn.Linear(sum(getattr(self, prefix).num_features for prefix in prefixes), self.WIDTH)
        self.head = nn.Linear(self.WIDTH, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """(n, 3, side, side) → logits (n, num_classes)."""
        features = torch.cat([getattr(self, prefix)(images) for prefix in self._prefixes], dim=1)
        logits: Tensor = self.head(nn.functional.relu(self.neck(features)))
        return logits


def network(architecture: str, classes: int) -> nn.Module:
    """A network with fresh weights; ``default_cfg["classifier"]`` is its head's name."""
    if architecture == "mlp":
        return Mlp(classes)
    if architecture == "convnet":
        return ConvNet(classes)
    deeper = {"depth": 9} if architecture == "vit9" else {}
    name = "test_vit" if architecture == "vit9" else architecture
    model: nn.Module = import_timm().create_model(name, num_classes=classes, **deeper)
    return model


def in_order(state: State, architecture: str) -> State:
    """The weights in the order of the network, which files do not keep; what it does not have comes last."""
    known = network(architecture, 1).state_dict()
    return {name: state[name] for name in [*known, *(name for name in state if name not in known)]}


def head_of(model: nn.Module) -> str:
    """The name of a classifier's last layer."""
    return str(model.default_cfg["classifier"])  # type: ignore[index]


def without_head(state: State, head: str) -> State:
    """The weights of all but the head."""
    return {name: values for name, values in state.items() if name.rpartition(".")[0] != head}
