"""The settings of "Neural Lineage" (Yu & Wang, CVPR 2024, Sec. 4) in one zoo: who descends from whom, and how.

One *origin*, its fine-tunes as candidate parents, and children that are each fine-tuned from a random one of these, in
turn by every setting: with regularisation, on a few shots a class, on a long tail of classes, or on another kind of
task, of which only the backbone descends. The parents drift apart as the first generation of the recipe
``generations`` does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from lineage_graph.errors import ManifestError
from lineage_graph.sources.grow import generations
from lineage_graph.sources.grow.plan import MAX_MODELS, ROOT_TASK, TASKS, Dice, ModelPlan, training_seed


@dataclass(frozen=True, slots=True)
class Setting:
    """How children are trained.

    ``decayed``: with :data:`STRONG_DECAY`, else without weight decay. ``dropout``: with :data:`DROPOUT`. ``mixup``: α
    of the Beta distribution that images are mixed by, 0 for none. ``shots``: images a class, 0 for all. ``ratio``: how
    many times as many images the largest class has as the smallest. ``output``: ``classes``, or per pixel, or boxes.
    """

    decayed: bool = False
    dropout: bool = False
    mixup: float = 0.0
    shots: int = 0
    ratio: int = 1
    output: Literal["classes", "segmentation", "detection"] = "classes"


SETTINGS: Mapping[str, Setting] = {
    "plain": Setting(),
    "weight decay": Setting(decayed=True),
    "dropout": Setting(dropout=True),
    "mixup": Setting(mixup=0.4),
    **{f"{shots} shot{'s' * (shots > 1)}": Setting(shots=shots) for shots in (1, 5, 10, 20, 50)},
    **{f"imbalanced {ratio}": Setting(ratio=ratio) for ratio in (10, 100)},
    "segmentation": Setting(output="segmentation"),
    "detection": Setting(output="detection"),
}
"""By name, in the order in which they are dealt."""

STRONG_DECAY = {"sgd": 5e-3, "adamw": 0.5}
DROPOUT: Mapping[str, Mapping[str, float]] = {
    "test_resnet": {"drop_rate": 0.3},
    "test_vit": {"drop_rate": 0.3, "proj_drop_rate": 0.1},
}
"""By architecture, what timm takes."""

PARENTS = 8
"""Siblings, the candidates of the closed set."""
MIN_MODELS = 1 + PARENTS + len(SETTINGS)
CHILD_STEPS = (60, 75, 90)
DENSE_FACTOR = 2
"""How many times as many batches a child takes that answers per pixel or with boxes: its fresh head is larger."""


@dataclass(frozen=True, slots=True)
class Origin:
    """How the origin of an architecture is trained from scratch."""

    optimizer: str
    learning_rate: float
    weight_decay: float


ORIGINS: Mapping[str, Origin] = {
    "test_resnet": Origin("sgd", 0.1, 5e-4),
    "test_vit": Origin("adamw", 2e-3, 0.05),
}


@dataclass(frozen=True, slots=True)
class ChildPlan(ModelPlan):
    """``setting``: a key of :data:`SETTINGS`."""

    setting: str


def plan(models: int, seed: int, architecture: str) -> tuple[ModelPlan, ...]:
    """The zoo, parents first: the origin, :data:`PARENTS` parents, and children to whom the settings are dealt in turn.

    Names are dealt at random. Raises :class:`ManifestError` for an impossible number of models.
    """
    if not MIN_MODELS <= models <= MAX_MODELS:
        raise ManifestError(f"grow: models: {models} is not between {MIN_MODELS} and {MAX_MODELS}")
    dice = Dice(f"settings {architecture} {models} {seed}")
    width = max(2, len(str(models)))
    names = iter(dice.shuffled([f"m{number:0{width}}" for number in range(1, models + 1)]))
    origin = _origin(next(names), architecture, dice)
    parents = [generations.child(next(names), origin, dice) for _ in range(PARENTS)]
    return (origin, *parents, *_children(names, parents, dice))


def _origin(name: str, architecture: str, dice: Dice) -> ModelPlan:
    how = ORIGINS[architecture]
    return ModelPlan(
        name=name,
        parent=None,
        generation=0,
        architecture=architecture,
        task=ROOT_TASK,
        optimizer=how.optimizer,
        learning_rate=how.learning_rate,
        weight_decay=how.weight_decay,
        steps=generations.ORIGIN_STEPS,
        seed=training_seed(dice),
    )


def _children(names: Iterator[str], parents: list[ModelPlan], dice: Dice) -> Iterator[ChildPlan]:
    settings = list(SETTINGS.items())
    for number, name in enumerate(names):
        setting, how = settings[number % len(settings)]
        parent, optimizer = dice.pick(parents), dice.pick(("sgd", "adamw"))
        yield ChildPlan(
            name=name,
            parent=parent.name,
            generation=2,
            architecture=parent.architecture,
            task=dice.pick([task for task in TASKS if task != parent.task]),
            optimizer=optimizer,
            learning_rate=dice.between(*generations.RATES[optimizer]),
            weight_decay=STRONG_DECAY[optimizer] if how.decayed else 0.0,
            steps=dice.pick(CHILD_STEPS) * (1 if how.output == "classes" else DENSE_FACTOR),
            seed=training_seed(dice),
            setting=setting,
        )
