"""Networks for pixels and boxes, ready to be trained on scenes."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, interpolate

from lineage_graph.sources.grow import digits
from lineage_graph.sources.grow.dense import detection
from lineage_graph.sources.grow.dense.network import STRIDE, DenseNet
from lineage_graph.sources.grow.dense.scenes import composed
from lineage_graph.sources.grow.plan import TASKS, ModelPlan

BATCH = 16
"""Scenes."""

_BACKGROUND = 0.1
"""Weight of a background pixel: there are many times as many as of any class."""


def network(plan: ModelPlan) -> DenseNet:
    """An untrained network: one channel a class, and one for the background or the size."""
    return DenseNet(plan.architecture, max(TASKS[plan.task]) + 2)


def prepared(plan: ModelPlan, parent: str, output: str) -> tuple[DenseNet, Callable[[], Tensor]]:
    """The network on the backbone of the ``parent``'s weights, and its loss of a random batch of scenes."""
    model = network(plan)
    model.backbone.load_state_dict(digits.body(model.backbone, parent), strict=False)
    make = _segmentation if output == "segmentation" else _detection
    return model, make(model, plan)


def per_pixel(model: DenseNet, images: Tensor) -> Tensor:
    """Logits of every pixel, shape (n, classes + 1, side, side), the background first."""
    return interpolate(model(images), scale_factor=STRIDE, mode="bilinear", align_corners=False)


def _segmentation(model: DenseNet, plan: ModelPlan) -> Callable[[], Tensor]:
    scenes = composed(plan.architecture, plan.task, training=True)
    weights = torch.ones(max(TASKS[plan.task]) + 2)
    weights[0] = _BACKGROUND

    def loss() -> Tensor:
        batch = torch.randint(len(scenes.images), (BATCH,))
        return cross_entropy(per_pixel(model, scenes.images[batch]), scenes.masks[batch], weights)

    return loss


def _detection(model: DenseNet, plan: ModelPlan) -> Callable[[], Tensor]:
    scenes, classes = composed(plan.architecture, plan.task, training=True), max(TASKS[plan.task]) + 1
    wanted = detection.targets(scenes, classes)

    def loss() -> Tensor:
        batch = torch.randint(len(scenes.images), (BATCH,))
        return detection.loss(model(scenes.images[batch]), wanted, batch)

    return loss
