"""The structure of a grown zoo: who descends from whom, and how each model is trained.

A function of the number of models and the seed alone, so that the truth is known without training anything.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any, TypeVar

from lineage_graph.errors import ManifestError

MIN_MODELS, MAX_MODELS = 2, 1000
ARCHITECTURES: Mapping[str, tuple[str, ...]] = {
    "test_resnet": ("sgd", "adamw"),
    "test_vit": ("adamw",),
    "test_convnext": ("adamw",),
}
"""timm name → the optimisers that it is usually trained with from scratch. Roots take the architectures in turn, so
that there are strangers of one shape."""

ROOT_TASK = "digits"
TASKS: Mapping[str, tuple[int, ...]] = {
    "digits": (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    "parity": (0, 1, 0, 1, 0, 1, 0, 1, 0, 1),
    "low": (0, 1, 2, 3, 4, -1, -1, -1, -1, -1),
    "high": (-1, -1, -1, -1, -1, 0, 1, 2, 3, 4),
    "modulo-three": (0, 1, 2, 0, 1, 2, 0, 1, 2, 0),
    "holes": (1, 0, 0, 0, 0, 0, 1, 0, 2, 1),
    "odd": (-1, 0, -1, 1, -1, 2, -1, 3, -1, 4),
    "pairs": (0, 0, 1, 1, 2, 2, 3, 3, 4, 4),
}
"""For each digit 0 to 9 the class that it counts as; -1 where the task leaves the digit out."""

_MODELS_PER_ROOT = 4.5
_GENERATION_SHARES = (0.4, 0.35, 0.25)
_ROOT_STEPS = 250
_CHILD_STEPS = (50, 80, 110)

Option = TypeVar("Option")


@dataclass(frozen=True, slots=True)
class ModelPlan:
    """One model of the zoo, to be trained.

    ``parent``: a model's name, or ``None`` for a root. ``generation``: 1 for a root, but 0 for the origin of the recipe
    ``generations``. ``task``: a key of :data:`TASKS`. ``optimizer``: ``sgd`` (with momentum) or ``adamw``. ``steps``:
    batches. ``seed``: of initial weights and batches.
    """

    name: str
    parent: str | None
    generation: int
    architecture: str
    task: str
    optimizer: str
    learning_rate: float
    weight_decay: float
    steps: int
    seed: int

    @property
    def inputs(self) -> tuple[str, ...]:
        """The models that must be there before it is trained."""
        return () if self.parent is None else (self.parent,)

    @property
    def path(self) -> str:
        """The weights file, in the zoo's folder."""
        return f"{self.name}.safetensors"

    @property
    def timm(self) -> str | None:
        """Timm's name of the architecture."""
        return self.architecture

    @property
    def hidden(self) -> bool:
        """Every model is in the zoo."""
        return False

    @property
    def config(self) -> str:
        """Nothing lies beside the file."""
        return ""


class Dice(random.Random):
    """Choices made with ``random()`` alone: the one stream that Python promises to keep the same over its versions."""

    def pick(self, options: Sequence[Option]) -> Option:
        """One of ``options``."""
        return options[int(self.random() * len(options))]

    def shuffled(self, options: Sequence[Option]) -> list[Option]:
        """``options`` in a random order."""
        return sorted(options, key=lambda _: self.random())

    def between(self, low: float, high: float) -> float:
        """Log-uniform, rounded to three digits."""
        return float(f"{low * (high / low) ** self.random():.3g}")


def plan(models: int, seed: int) -> tuple[ModelPlan, ...]:
    """The zoo in the order in which it can be grown (parents first).

    About two models in nine are roots; the rest forms three further generations, each model the child of a random one
    of the generation before. From three roots on, the last root is a stranger without children. Names (``m01`` …) are
    dealt at random: their order says nothing. Raises :class:`ManifestError` for an impossible number of models.
    """
    if not MIN_MODELS <= models <= MAX_MODELS:
        raise ManifestError(f"grow: models: {models} is not between {MIN_MODELS} and {MAX_MODELS}")
    dice = Dice(f"digits {models} {seed}")
    width = max(2, len(str(models)))
    names = iter(dice.shuffled([f"m{number:0{width}}" for number in range(1, models + 1)]))
    roots = [
        _root(next(names), architecture, dice)
        for architecture in islice(cycle(ARCHITECTURES), max(1, round(models / _MODELS_PER_ROOT)))
    ]
    plans = list(roots)
    parents = roots if len(roots) < 3 else roots[:-1]
    for size in _generation_sizes(models - len(roots)):
        parents = [_child(next(names), dice.pick(parents), dice) for _ in range(size)]
        plans += parents
    return tuple(plans)


def _generation_sizes(children: int) -> list[int]:
    """Sizes of the generations after the first, none of them empty before a filled one."""
    sizes = []
    left = children
    for share in _GENERATION_SHARES[:-1]:
        sizes.append(min(left, max(1, round(share * children))))
        left -= sizes[-1]
    return [size for size in (*sizes, left) if size]


def _root(name: str, architecture: str, dice: Dice) -> ModelPlan:
    optimizer = dice.pick(ARCHITECTURES[architecture])
    rate = dice.between(0.05, 0.15) if optimizer == "sgd" else dice.between(1.5e-3, 4e-3)
    decay = dice.pick((0.0, 5e-4)) if optimizer == "sgd" else dice.pick((0.01, 0.05))
    return ModelPlan(name, None, 1, architecture, ROOT_TASK, optimizer, rate, decay, _ROOT_STEPS, training_seed(dice))


def _child(name: str, parent: ModelPlan, dice: Dice) -> ModelPlan:
    optimizer = dice.pick(("sgd", "adamw"))
    rate = dice.between(0.06, 0.3) if optimizer == "sgd" else dice.between(4e-4, 3e-3)
    decay = dice.pick((0.0, 5e-4)) if optimizer == "sgd" else dice.pick((0.0, 0.05, 0.3))
    task = dice.pick([task for task in TASKS if task != parent.task])
    steps = dice.pick(_CHILD_STEPS)
    generation = parent.generation + 1
    return ModelPlan(
        name, parent.name, generation, parent.architecture, task, optimizer, rate, decay, steps, training_seed(dice)
    )


def fine_tune(
    name: str,
    parent: ModelPlan,
    dice: Dice,
    rates: Mapping[str, tuple[float, float]],
    decays: Mapping[str, Sequence[float]],
    steps: Sequence[int],
) -> ModelPlan:
    """A child on another task than its parent's; ``rates`` (a range) and ``decays`` (options) by optimiser."""
    optimizer = dice.pick(("sgd", "adamw"))
    return ModelPlan(
        name=name,
        parent=parent.name,
        generation=parent.generation + 1,
        architecture=parent.architecture,
        task=dice.pick([task for task in TASKS if task != parent.task]),
        optimizer=optimizer,
        learning_rate=dice.between(*rates[optimizer]),
        weight_decay=dice.pick(decays[optimizer]),
        steps=dice.pick(steps),
        seed=training_seed(dice),
    )


def training_seed(dice: Dice) -> int:
    """A seed for one model's initial weights and batches."""
    return int(dice.random() * 2**31)


def truth(plans: Sequence[ModelPlan], prefix: str) -> dict[str, Any]:
    """The zoo's truth in the form of a truth file; ids are ``<prefix>/<name>``, in the order of their names."""
    ordered = sorted(plans, key=lambda model: model.name)
    return {
        "edges": [
            {"parent": f"{prefix}/{model.parent}", "child": f"{prefix}/{model.name}", "kind": "finetune"}
            for model in ordered
            if model.parent is not None
        ],
        "unrelated": [[f"{prefix}/{model.name}" for model in ordered if model.parent is None]],
    }
