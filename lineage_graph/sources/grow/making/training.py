"""Trainings: from scratch, from others' weights, on what a teacher answers, of backbones inside another network."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, kl_div, log_softmax, softmax

from lineage_graph.sources.grow import digits
from lineage_graph.sources.grow.making.networks import State, Towers, head_of, network, without_head
from lineage_graph.sources.grow.plan import TASKS
from lineage_graph.sources.grow.scarce import few_shot
from lineage_graph.sources.grow.steps import Distill, Train, Transplant

_TEMPERATURE = 2.0
"""That a teacher's answers are softened by."""


def train(step: Train, states: Sequence[State], architecture: str) -> State:
    """A training run from scratch, or from the one state that is given."""
    model = network(architecture, classes(step))
    if states:
        body = states[0] if not step.new_head else without_head(states[0], head_of(model))
        model.load_state_dict(body, strict=False)
    return trained(model, step, architecture)


def distill(step: Distill, states: Sequence[State], architecture: str) -> State:
    """A student from scratch; the one state is its teacher's."""
    (known,) = states
    rows = len(known[f"{head_of(network(architecture, 1))}.weight"])
    teacher, student = network(architecture, rows), network(architecture, rows)
    teacher.load_state_dict(known)
    teacher.eval()

    def answered(images: Tensor, _: Tensor) -> Tensor:
        with torch.no_grad():
            wanted = softmax(teacher(images) / _TEMPERATURE, dim=1)
        return kl_div(log_softmax(student(images) / _TEMPERATURE, dim=1), wanted, reduction="batchmean")

    return trained(student, step.course, architecture, answered)


def transplant(step: Transplant, states: Sequence[State], architecture: str) -> State:
    """The backbones of all states inside a new network, which is then trained."""
    model = Towers(architecture, step.prefixes, classes(step.course))
    for prefix, state in zip(step.prefixes, states, strict=True):
        backbone = getattr(model, prefix)
        backbone.load_state_dict({name: state[name] for name in backbone.state_dict()})
    return trained(model, step.course, architecture)


def classes(step: Train) -> int:
    """The number of outputs for a task."""
    return max(TASKS[step.task]) + 1


def trained(
    model: nn.Module, step: Train, architecture: str, measure: Callable[[Tensor, Tensor], Tensor] | None = None
) -> State:
    """The weights after the run. ``measure``: (images, labels) → the loss; without it, of the right classes."""
    images, labels = _images(step, architecture)
    parameters = list(model.parameters())
    for values in parameters[: round(step.frozen * len(parameters))]:
        values.requires_grad_(False)
    if step.recount:
        for name, buffer in model.named_buffers():
            if name.endswith("num_batches_tracked"):
                buffer.zero_()

    def loss() -> Tensor:
        batch = torch.randint(len(labels), (digits.BATCH,))
        if measure is not None:
            return measure(images[batch], labels[batch])
        return cross_entropy(model(images[batch]), labels[batch])

    if step.steps:
        digits.fit(model, step, loss, {f"{head_of(model)}.": step.head_rate}, step.stop)
    return dict(model.state_dict())


def _images(step: Train, architecture: str) -> tuple[Tensor, Tensor]:
    """What the run sees: images, and their classes."""
    images, labels = digits.task_data(architecture, step.task, training=True)
    first, every = step.share
    images, labels = images[first::every], labels[first::every]
    if step.shots:
        kept = few_shot(labels, step.shots)
        images, labels = images[kept], labels[kept]
    return images, labels
