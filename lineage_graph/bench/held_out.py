"""What the children of the recipe ``settings`` have learned, on images that nothing was trained on.

Heavy libraries are imported by the worker that measures.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lineage_graph.sources.grow.settings import SETTINGS, ChildPlan

if TYPE_CHECKING:
    from torch import Tensor

    from lineage_graph.sources.grow.dense.detection import Found
    from lineage_graph.sources.grow.dense.scenes import Scenes

SCHEMA = 1
"""Raise it when a number changes its meaning."""

OVERLAP = 0.5
"""Least intersection over union of a box that counts as found."""


@dataclass(frozen=True, slots=True)
class HeldOutTask:
    """A child's plan and weights file, and its parent's."""

    plan: ChildPlan
    child: str
    parent: str


@dataclass(frozen=True, slots=True)
class HeldOut:
    """``quality``: 0 to 1, of classifiers the mean recall of the classes, of segmentation the mean intersection over
    union of the classes without the background, of detection the mean average precision at :data:`OVERLAP`.
    ``chance``: what guessing gives. ``drift``: relative distance of the backbone's parameters from the parent's.
    """

    quality: float
    chance: float
    drift: float


def measure(task: HeldOutTask) -> HeldOut:
    """How well the child does. Raises :class:`~lineage_graph.errors.ModelError`."""
    import torch

    output = SETTINGS[task.plan.setting].output
    with torch.no_grad():
        if output == "classes":
            quality, chance = _classification(task.plan, task.child)
        elif output == "segmentation":
            quality, chance = _segmentation(task.plan, task.child)
        else:
            quality, chance = _detection(task.plan, task.child), 0.0
    return HeldOut(quality, chance, _drift(task))


def _filled(model: Any, weights: str) -> Any:
    from safetensors.torch import load

    model.load_state_dict(load(Path(weights).read_bytes()))
    return model.eval()


def _classification(plan: ChildPlan, weights: str) -> tuple[float, float]:
    from lineage_graph.sources.grow import digits

    images, labels = digits.task_data(plan.architecture, plan.task, training=False)
    answers = _filled(digits.classifier(plan, None), weights)(images).argmax(dim=1)
    recalls = [(answers[labels == label] == label).float().mean().item() for label in range(int(labels.max()) + 1)]
    return sum(recalls) / len(recalls), 1 / len(recalls)


def _segmentation(plan: ChildPlan, weights: str) -> tuple[float, float]:
    """And what drawing classes evenly would give: a class is met in a pixel by chance in one of so many."""
    import torch

    from lineage_graph.sources.grow.dense import training
    from lineage_graph.sources.grow.dense.scenes import composed

    scenes = composed(plan.architecture, plan.task, training=False)
    answers = training.per_pixel(_filled(training.network(plan), weights), scenes.images).argmax(dim=1)
    kinds = int(scenes.masks.max()) + 1
    guesses = torch.randint(kinds, answers.shape, generator=torch.Generator().manual_seed(0))
    return _overlap(answers, scenes.masks, kinds), _overlap(guesses, scenes.masks, kinds)


def _overlap(answers: Tensor, masks: Tensor, kinds: int) -> float:
    """Mean intersection over union of the classes, 1 to ``kinds`` - 1."""
    shares = []
    for kind in range(1, kinds):
        said, true = answers == kind, masks == kind
        shares.append((said & true).sum().item() / max((said | true).sum().item(), 1))
    return sum(shares) / len(shares)


def _detection(plan: ChildPlan, weights: str) -> float:
    from lineage_graph.sources.grow.dense import detection, training
    from lineage_graph.sources.grow.dense.scenes import composed

    scenes = composed(plan.architecture, plan.task, training=False)
    found = detection.decode(_filled(training.network(plan), weights)(scenes.images))
    return average_precision(found, scenes)


def average_precision(found: Found, scenes: Scenes) -> float:
    """Mean over the classes of the area under precision over recall (Everingham et al., IJCV 2010, Sec. 4.2).

    From the best score down, a box is right if it overlaps one of its class, in its image, that is not found yet.
    """
    precisions = []
    for label in range(int(scenes.classes.max()) + 1):
        wanted = int((scenes.classes == label).sum())
        places = (found.classes == label).nonzero().tolist()
        places.sort(key=lambda place: -float(found.scores[place[0], place[1]]))
        taken: set[tuple[int, int]] = set()
        right, area = 0, 0.0
        for rank, (image, number) in enumerate(places, start=1):
            slots = [slot for slot in range(4) if scenes.classes[image, slot] == label and (image, slot) not in taken]
            overlaps = [(_union(found.boxes[image, number], scenes.boxes[image, slot]), slot) for slot in slots]
            best, slot = max(overlaps, default=(0.0, -1))
            if best >= OVERLAP:
                taken.add((image, slot))
                right += 1
                area += right / rank
        precisions.append(area / max(wanted, 1))
    return sum(precisions) / len(precisions)


def _union(a: Tensor, b: Tensor) -> float:
    """Intersection over union of two boxes."""
    import torch

    common = (torch.minimum(a[2:], b[2:]) - torch.maximum(a[:2], b[:2])).clamp(min=0).prod()
    areas = (a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod()
    return float(common / (areas - common))


def _drift(task: HeldOutTask) -> float:
    import torch

    from lineage_graph.features.models import load_network

    parent, child = (load_network(Path(path), task.plan.architecture).parameters for path in (task.parent, task.child))
    whole = torch.cat([values.flatten() for values in parent.values()])
    moved = torch.cat([(child[name] - values).flatten() for name, values in parent.items()])
    return float(moved.norm() / whole.norm())


def to_bytes(found: HeldOut) -> bytes:
    """Serialise as JSON."""
    return json.dumps([found.quality, found.chance, found.drift]).encode()


def from_bytes(data: bytes) -> HeldOut:
    """The inverse of :func:`to_bytes`. Raises ``ValueError`` on bytes that are none."""
    values = json.loads(data)
    if not isinstance(values, list) or len(values) != 3:
        raise ValueError(f"not what a child has learned: {values!r}")
    return HeldOut(*values)
