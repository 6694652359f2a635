"""Training of the recipe ``settings``: the origin and the parents as any other, children by their setting."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lineage_graph.sources.grow import digits
from lineage_graph.sources.grow.digits import BATCH, Training
from lineage_graph.sources.grow.scarce import few_shot, long_tail
from lineage_graph.sources.grow.settings import DROPOUT, SETTINGS, ChildPlan, Setting

if TYPE_CHECKING:
    from torch import Tensor

HEAD_RATE = 20.0
"""How many times the planned rate the fresh head learns at: the rates are small, so that children stay near."""

Loss = Callable[[], Any]
"""Draws a batch and gives its loss."""


def train(training: Training) -> bytes:
    """Train one model; the content of its safetensors file, as ``digits.train``.

    A classifier has timm's names; of a network for pixels or boxes, ``backbone.`` stands before them, and the rest is
    its ``head.``.
    """
    plan = training.plan
    if not isinstance(plan, ChildPlan) or training.parent is None:
        return digits.train(training)
    from safetensors.torch import save

    setting = SETTINGS[plan.setting]
    with digits.reproducible(plan.seed):
        if setting.output == "classes":
            model, loss = _classifier(plan, training.parent, setting)
            head = model.default_cfg["classifier"]
        else:
            from lineage_graph.sources.grow.dense.training import prepared

            model, loss = prepared(plan, training.parent, setting.output)
            head = "head"
        digits.fit(model, plan, loss, {f"{head}.": HEAD_RATE})
    return save(model.state_dict(), metadata={"architecture": plan.architecture})


def _classifier(plan: ChildPlan, parent: str, setting: Setting) -> tuple[Any, Loss]:
    import torch

    model = digits.classifier(plan, parent, **(DROPOUT[plan.architecture] if setting.dropout else {}))
    images, labels = training_images(plan, setting)

    def loss() -> Any:
        batch = torch.randint(len(labels), (BATCH,))
        if not setting.mixup:
            return torch.nn.functional.cross_entropy(model(images[batch]), labels[batch])
        return _mixed(model, images[batch], labels[batch], setting.mixup)

    return model, loss


def training_images(plan: ChildPlan, setting: Setting) -> tuple[Tensor, Tensor]:
    """The images that a child sees, shape (images, 3, side, side), and their classes; drawn by torch's random stream"""
    images, labels = digits.task_data(plan.architecture, plan.task, training=True)
    if setting.shots:
        kept = few_shot(labels, setting.shots)
    elif setting.ratio > 1:
        kept = long_tail(labels, setting.ratio)
    else:
        return images, labels
    return images[kept], labels[kept]


def _mixed(model: Any, images: Tensor, labels: Tensor, alpha: float) -> Any:
    """Mixup (Zhang et al., ICLR 2018, eq. 1): every image and its label, mixed with another of the batch."""
    import torch

    share = float(torch.distributions.Beta(alpha, alpha).sample())
    other = torch.randperm(len(labels))
    logits = model(share * images + (1 - share) * images[other])
    entropy = torch.nn.functional.cross_entropy
    return share * entropy(logits, labels) + (1 - share) * entropy(logits, labels[other])
