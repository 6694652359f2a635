"""A detector's figures on zoos that it has not seen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from lineage_graph.detector import dataset
from lineage_graph.detector.dataset import Question
from lineage_graph.detector.score import TrainedDetector, answer
from lineage_graph.detector.zoos import FamilyZoo

FALSE_PARENTS = 0.01
"""The share of strangers' children to which a parent may be given."""


@dataclass(frozen=True, slots=True)
class Figures:
    """All but ``questions`` are shares, 0 to 1; ``None`` without cases. An abstention counts as a wrong answer.

    ``closed``: of Tab. 1's questions, those whose likeliest candidate is the ancestor, whatever is said of *no parent*;
    ``cells``: the same by generations, ``"1-2"`` … ``opened``: the likeliest candidate is the parent, among all models
    but the child's descendants. ``found``: as in ``opened``, and with a probability beyond the one that
    :data:`FALSE_PARENTS` of the children reach among ``strangers``, of which there are so many. ``orphans``: of the
    children whose ancestors were all taken out, while siblings and their like stayed, those for which *no parent* is
    the likeliest. ``abstained``: of all questions.
    """

    questions: int
    closed: float | None
    cells: dict[str, float]
    opened: float | None
    found: float | None
    strangers: int
    orphans: float | None
    abstained: float | None


def measure(detector: TrainedDetector, zoos: Sequence[FamilyZoo], mode: str | None = None) -> Figures:
    """The figures of ``detector`` on ``zoos``; ``mode`` as in ``score.answer``."""
    cells: dict[str, list[bool]] = defaultdict(list)
    abstained: list[bool] = []
    for zoo in zoos:
        for old, young, question in dataset.closed(zoo):
            right, _, silent = _reply(detector, question, mode)
            cells[f"{old}-{young}"].append(right)
            abstained.append(silent)
    opened = [_reply(detector, question, mode) for zoo in zoos for question in dataset.opened(zoo)]
    alone = [_reply(detector, question, mode) for zoo in zoos for question in dataset.strangers(zoo)]
    orphans = [_reply(detector, question, mode) for zoo in zoos for question in dataset.orphans(zoo)]
    bound = float(np.quantile([sure for _, sure, _ in alone], 1 - FALSE_PARENTS)) if alone else 1.0
    abstained += [silent for _, _, silent in (*opened, *alone, *orphans)]
    return Figures(
        questions=len(abstained),
        closed=_share(right for cell in cells.values() for right in cell),
        cells={name: sum(cell) / len(cell) for name, cell in sorted(cells.items())},
        opened=_share(right for right, _, _ in opened),
        found=_share(right and sure > bound for right, sure, _ in opened) if alone else None,
        strangers=len(alone),
        orphans=_share(right for right, _, _ in orphans),
        abstained=_share(abstained),
    )


def _reply(detector: TrainedDetector, question: Question, mode: str | None) -> tuple[bool, float, bool]:
    """Whether the answer is right, how likely the likeliest candidate is, and whether the detector abstained.

    Where the right answer is a candidate, the likeliest candidate is the answer, whatever is said of *no parent*.
    """
    given = answer(detector, question.child, question.candidates, mode)
    best = int(np.argmax(given.probabilities))
    sure = float(given.probabilities[best])
    right = given.none > sure if question.target == len(question.candidates) else best == question.target
    return right and not given.abstained, sure, bool(given.abstained)


def _share(cases: Iterable[bool]) -> float | None:
    found = list(cases)
    return sum(found) / len(found) if found else None
