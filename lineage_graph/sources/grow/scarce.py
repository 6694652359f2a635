"""Which images of a data set a child sees: a few of each class, or a long tail of classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def few_shot(labels: Tensor, shots: int) -> Tensor:
    """Indices of ``shots`` random images of each class, shape (classes · shots,)."""
    return _drawn(labels, [shots] * _classes(labels))


def long_tail(labels: Tensor, ratio: float) -> Tensor:
    """Indices of random images, of which the largest class has ``ratio`` times as many as the smallest.

    In between, the classes, in a random order, lie on an exponential curve (Cui et al., CVPR 2019, Sec. 5.1). The
    largest keeps as many as the data's smallest class has, and each at least one.
    """
    import torch

    classes = _classes(labels)
    most, ranks = int(torch.bincount(labels).min()), torch.randperm(classes).tolist()
    return _drawn(labels, [max(1, round(most * ratio ** (-rank / max(classes - 1, 1)))) for rank in ranks])


def _classes(labels: Tensor) -> int:
    return int(labels.max()) + 1


def _drawn(labels: Tensor, counts: Sequence[int]) -> Tensor:
    """So many random images of each class."""
    import torch

    order = torch.randperm(len(labels))
    return torch.cat([order[labels[order] == label][:count] for label, count in enumerate(counts)])
