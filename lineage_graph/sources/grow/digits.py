"""Training on scikit-learn's digits: 1,797 grey images of 8×8, handwritten, ten classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from lineage_graph.sources.grow.plan import TASKS, ModelPlan
from lineage_graph.timm_compat import import_timm

if TYPE_CHECKING:
    import torch

TRAINING_IMAGES = 1400
"""The first ones of a fixed shuffle; nothing is trained on the rest."""

BATCH = 32
_PIXEL_MEAN, _PIXEL_STD = 4.9, 6.0
"""Of the grey values, 0 to 16; constants, since a computed mean would depend on the number of threads."""
_MOMENTUM = 0.9
_WARM_UP = 0.1
_CLIP = 1.0
"""Largest gradient norm: without it, a child moves up to 20 times as far from one parent as from another."""
_IMAGE_SIZE = dict.fromkeys(("test_resnet", "test_efficientnet", "test_mambaout", "test_byobnet", "convnet", "mlp"), 16)
"""Pixels a side by architecture, where less than :data:`_DEFAULT_SIZE` is enough for its strides."""
_DEFAULT_SIZE = 32


@dataclass(frozen=True, slots=True)
class Training:
    """One training run. ``parent``: the parent's weights file, ``None`` for a root."""

    plan: ModelPlan
    parent: str | None


def train(training: Training) -> bytes:
    """Train one model; the content of its safetensors file.

    The same bytes for the same run on one machine, whatever the process and its number of threads. Beside the weights
    the file says the architecture and nothing else: one metadata key, since the order of several is not fixed.
    """
    import torch
    from safetensors.torch import save

    plan = training.plan
    with reproducible(plan.seed):
        model = classifier(plan, training.parent)
        images, labels = task_data(plan.architecture, plan.task, training=True)

        def loss() -> Any:
            batch = torch.randint(len(labels), (BATCH,))
            return torch.nn.functional.cross_entropy(model(images[batch]), labels[batch])

        fit(model, plan, loss)
    return save(model.state_dict(), metadata={"architecture": plan.architecture})


class Course(Protocol):
    """How a network is trained."""

    @property
    def optimizer(self) -> str:
        """``sgd`` or ``adamw``."""

    @property
    def learning_rate(self) -> float:
        """The largest one of the schedule."""

    @property
    def weight_decay(self) -> float:
        """As the optimiser takes it."""

    @property
    def steps(self) -> int:
        """Batches."""


def fit(
    model: Any,
    plan: Course,
    loss: Callable[[], Any],
    faster: Mapping[str, float] = MappingProxyType({}),
    stop: int | None = None,
) -> None:
    """Train for the planned steps; ``loss`` draws a batch and gives its loss.

    ``faster``: by prefix of parameters' names, how many times the planned rate they learn at. ``stop``: the number of
    steps after which the run is left, as if its weights were saved on the way.
    """
    import torch

    optimizer, schedule = _optimizer(model, plan, faster)
    model.train()
    for _ in range(plan.steps if stop is None else stop):
        optimizer.zero_grad()
        loss().backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), _CLIP)
        optimizer.step()
        schedule.step()


@contextmanager
def reproducible(seed: int) -> Iterator[None]:
    """One thread, deterministic kernels and a random stream of our own; the caller's are as before afterwards."""
    import torch

    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield
    finally:
        torch.use_deterministic_algorithms(strict)
        torch.set_num_threads(threads)


def classifier(plan: ModelPlan, parent: str | None, **options: float) -> Any:
    """A fresh network, or the parent's with a fresh head. ``options``: of the architecture, for timm."""
    model = import_timm().create_model(plan.architecture, num_classes=max(TASKS[plan.task]) + 1, **options)
    if parent is not None:
        model.load_state_dict(body(model, parent), strict=False)
    return model


def body(model: Any, weights: str) -> dict[str, torch.Tensor]:
    """A classifier's ``weights`` file without its head; ``model``: a network of its architecture."""
    from safetensors.torch import load

    head = model.default_cfg["classifier"]
    found = load(Path(weights).read_bytes())
    return {name: values for name, values in found.items() if name.rpartition(".")[0] != head}


def _optimizer(model: Any, plan: Course, faster: Mapping[str, float]) -> tuple[Any, Any]:
    """The optimiser, and its learning rate's schedule: a short warm-up, then down along a cosine."""
    import torch

    groups, decay = _groups(model, plan.learning_rate, faster), plan.weight_decay
    optimizer: torch.optim.Optimizer
    if plan.optimizer == "sgd":
        optimizer = torch.optim.SGD(groups, momentum=_MOMENTUM, weight_decay=decay, fused=True)
    else:
        optimizer = torch.optim.AdamW(groups, weight_decay=decay, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        [group["lr"] for group in groups],
        total_steps=plan.steps + 1,
        pct_start=_WARM_UP,
        anneal_strategy="cos",
        cycle_momentum=False,
    )
    return optimizer, schedule


def _groups(model: Any, rate: float, faster: Mapping[str, float]) -> list[dict[str, Any]]:
    """Parameters by learning rate."""
    found: dict[float, list[Any]] = {}
    for name, values in model.named_parameters():
        factor = next((times for prefix, times in faster.items() if name.startswith(prefix)), 1.0)
        found.setdefault(rate * factor, []).append(values)
    return [{"params": parameters, "lr": own} for own, parameters in found.items()]


def task_data(architecture: str, task: str, *, training: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """The images that the task keeps, shape (images, 3, side, side), and their classes, shape (images,)."""
    import torch

    images, digits = _data(_IMAGE_SIZE.get(architecture, _DEFAULT_SIZE))
    part = slice(TRAINING_IMAGES) if training else slice(TRAINING_IMAGES, None)
    labels = torch.tensor(TASKS[task])[digits[part]]
    kept = labels >= 0
    return images[part][kept], labels[kept]


@cache
def _data(side: int) -> tuple[torch.Tensor, torch.Tensor]:
    """All images, resized, standardised and grey repeated as three channels, and their digits, in a fixed shuffle."""
    import torch
    from sklearn.datasets import load_digits

    bunch = load_digits()
    order = torch.randperm(len(bunch.target), generator=torch.Generator().manual_seed(0))
    images = (torch.from_numpy(bunch.images).float()[order, None] - _PIXEL_MEAN) / _PIXEL_STD
    resized = torch.nn.functional.interpolate(images, size=(side, side), mode="bilinear", align_corners=False)
    return resized.repeat(1, 3, 1, 1), torch.from_numpy(bunch.target)[order]
