"""The training: AdamW on questions drawn at random, watched on other zoos, resumed where it was stopped.

Every draw follows from the seed and the number of the step alone, so that a training that is killed and goes on ends in
the same detector as one that is not.
"""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lineage_graph.detector import card
from lineage_graph.detector.augment import augmented
from lineage_graph.detector.dataset import Question, draw
from lineage_graph.detector.images import Plane, gather, plane
from lineage_graph.detector.neural.network import MODES, Detector, Shape, collate
from lineage_graph.detector.score import KINDS, nearest_scalars
from lineage_graph.detector.zoos import FamilyZoo
from lineage_graph.sources.grow.digits import reproducible
from lineage_graph.store import Store, artefact_key

Tell = Callable[[str], None]
"""Takes a line about how far the training is."""

SCHEMA = 2
"""Raise it with every change of what is drawn, or how it is learned: an unfinished training is then begun anew."""
STATE = "detector-training"
"""Kind of the artefact that holds an unfinished training."""
_WARM_UP = 100
_CLIP = 1.0
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """``mode``: weights, representation or both. ``steps``: batches, at most; ``batch``: questions in one; ``most``:
    candidates of one. Every ``every`` steps the detector is held against ``watched`` questions; ``patience``: times
    without a better loss after which it stops.
    """

    mode: str = "both"
    steps: int = 1500
    batch: int = 16
    most: int = 12
    rate: float = 1.5e-3
    decay: float = 0.02
    every: int = 100
    watched: int = 300
    patience: int = 8
    seed: int = 0


@dataclass(slots=True)
class _State:
    step: int
    best: float
    best_step: int
    kept: dict[str, Tensor]


def train(
    settings: TrainingSettings, zoos: Sequence[FamilyZoo], watched: Sequence[FamilyZoo], store: Store, tell: Tell
) -> Detector:
    """The detector with the lowest loss on the ``watched`` zoos; it learns from ``zoos``.

    The state is kept in ``store`` at every look at the watched zoos.
    """
    with reproducible(settings.seed):
        return _train(settings, zoos, watched, store, tell)


def _train(
    settings: TrainingSettings, zoos: Sequence[FamilyZoo], watched: Sequence[FamilyZoo], store: Store, tell: Tell
) -> Detector:
    detector = Detector(Shape(mode=settings.mode))
    optimizer = torch.optim.AdamW(detector.parameters(), settings.rate, weight_decay=settings.decay)
    content = [[zoo.digest for zoo in part] for part in (zoos, watched)]
    key = artefact_key(STATE, SCHEMA, card.SCHEMA, asdict(settings), content)
    state = _resumed(store.get(STATE, key), detector, optimizer) or _State(0, math.inf, 0, detector.state_dict())
    questions = [draw(watched, _dice(settings.seed, -1 - number), settings.most) for number in range(settings.watched)]
    while state.step < settings.steps and state.step - state.best_step <= settings.patience * settings.every:
        losses = []
        for step in range(state.step, min(state.step + settings.every, settings.steps)):
            losses.append(_step(detector, optimizer, settings, zoos, step))
        state.step = step + 1
        loss, accuracy = examine(detector, questions)
        if loss < state.best:
            state.best, state.best_step = loss, state.step
            state.kept = {name: values.clone() for name, values in detector.state_dict().items()}
        store.put(STATE, key, _frozen(state, detector, optimizer))
        tell(
            f"step {state.step} of {settings.steps}: loss {np.mean(losses):.3f}, "
            f"on other zoos {loss:.3f}, accuracy {accuracy:.3f}"
        )
    detector.load_state_dict(state.kept)
    return detector.eval()


def _dice(seed: int, number: int) -> np.random.Generator:
    """A stream of its own for every step (from 0) and every watched question (below 0)."""
    return np.random.default_rng([seed, int(number < 0), abs(number)])


def _step(
    detector: Detector,
    optimizer: torch.optim.Optimizer,
    settings: TrainingSettings,
    zoos: Sequence[FamilyZoo],
    step: int,
) -> float:
    dice = _dice(settings.seed, step)
    for group in optimizer.param_groups:
        warm = min(1.0, (step + 1) / _WARM_UP)
        group["lr"] = settings.rate * warm * (0.51 + 0.49 * math.cos(math.pi * step / settings.steps))
    planes, targets = lesson(settings, zoos, dice)
    torch.manual_seed(step)  # dropout's
    detector.train()
    optimizer.zero_grad()
    loss: Any = nn.functional.cross_entropy(detector(collate(planes)), places(targets))
    loss.backward()
    nn.utils.clip_grad_norm_(detector.parameters(), _CLIP)
    optimizer.step()
    return float(loss.detach())


def lesson(
    settings: TrainingSettings, zoos: Sequence[FamilyZoo], dice: np.random.Generator
) -> tuple[list[list[Plane]], list[tuple[int, int]]]:
    """One batch of questions, augmented, each with a layer to look at; their (target, number of candidates)."""
    planes: list[list[Plane]] = []
    targets: list[tuple[int, int]] = []
    while len(planes) < settings.batch:
        question = draw(zoos, dice, settings.most)
        layers = gather(question.child, question.candidates)
        layers = augmented(layers, question.target, dice) if layers else []
        if usable([one.kind for one in layers], settings.mode):
            planes.append([plane(layer) for layer in layers])
            targets.append((question.target, len(question.candidates)))
    return planes, targets


def shown(settings: TrainingSettings, zoos: Sequence[FamilyZoo]) -> dict[str, dict[str, list[float]]]:
    """The ranges of ``card.Ranges`` over the first :data:`_SHOWN` batches of the training."""
    seen: dict[str, dict[str, list[float]]] = {}
    for step in range(min(_SHOWN, settings.steps)):
        for one in itertools.chain.from_iterable(lesson(settings, zoos, _dice(settings.seed, step))[0]):
            ranges = seen.setdefault(KINDS[one.kind], {})
            for name, value in nearest_scalars(one).items():
                low, high = ranges.get(name, [value, value])
                ranges[name] = [min(low, value), max(high, value)]
    return seen


def usable(kinds: Sequence[int], mode: str) -> bool:
    """Is there a layer that a detector of this mode looks at?"""
    return not set(MODES[mode]).isdisjoint(kinds)


def places(targets: Sequence[tuple[int, int]]) -> Tensor:
    """(target, candidates) of each question → the column of the logits that is right."""
    widest = max(count for _, count in targets)
    return torch.tensor([widest if target == count else target for target, count in targets])


def examine(detector: Detector, questions: Sequence[Question], batch: int = 32) -> tuple[float, float]:
    """Mean cross-entropy, and the share of right answers, of the questions that have a layer to look at."""
    detector.eval()
    total, right, count = 0.0, 0, 0
    for start in range(0, len(questions), batch):
        planes: list[list[Plane]] = []
        targets: list[tuple[int, int]] = []
        for question in questions[start : start + batch]:
            made = [plane(layer) for layer in gather(question.child, question.candidates)]
            if usable([one.kind for one in made], detector.shape.mode):
                planes.append(made)
                targets.append((question.target, len(question.candidates)))
        if planes:
            with torch.inference_mode():
                logits, wanted = detector(collate(planes)), places(targets)
                total += float(nn.functional.cross_entropy(logits, wanted, reduction="sum"))
                right += int((logits.argmax(dim=1) == wanted).sum())
                count += len(planes)
    return total / max(1, count), right / max(1, count)


def _frozen(state: _State, detector: Detector, optimizer: torch.optim.Optimizer) -> bytes:
    buffer = io.BytesIO()
    record = asdict(state) | {"detector": detector.state_dict(), "optimizer": optimizer.state_dict()}
    torch.save(record, buffer)
    return buffer.getvalue()


def _resumed(data: bytes | None, detector: Detector, optimizer: torch.optim.Optimizer) -> _State | None:
    if data is None:
        return None
    record: dict[str, Any] = torch.load(io.BytesIO(data), weights_only=True)
    detector.load_state_dict(record.pop("detector"))
    optimizer.load_state_dict(record.pop("optimizer"))
    return _State(**record)
