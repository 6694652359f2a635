"""A zoo while it is being planned: names are dealt at random, models are added parents first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lineage_graph.errors import ManifestError
from lineage_graph.sources.grow import families
from lineage_graph.sources.grow.derivation import Derivation
from lineage_graph.sources.grow.plan import MAX_MODELS, ROOT_TASK, TASKS, Dice, training_seed
from lineage_graph.sources.grow.steps import Adapt, Step, Train


@dataclass(frozen=True, slots=True)
class Pace:
    """How far fine-tunes go. ``rates``, ``decays``: by optimiser; ``head_rate``: how many times as fast as the rest the
    new head learns.
    """

    rates: Mapping[str, tuple[float, float]]
    decays: Mapping[str, Sequence[float]]
    steps: Sequence[int]
    head_rate: float = 1.0


_DECAYS = {"sgd": (0.0, 5e-4), "adamw": (0.0, 0.05, 0.3)}
NEAR = Pace(families.PACES[0], _DECAYS, (50, 65, 80), head_rate=20.0)
MEDIUM = Pace(families.PACES[1], _DECAYS, (50, 65, 80), head_rate=5.0)
FAR: Mapping[str, Pace] = {
    architecture: Pace({"sgd": sgd, "adamw": adamw}, _DECAYS, (80, 100))
    for architecture, sgd, adamw in (
        ("test_resnet", (0.7, 1.2), (0.012, 0.02)),
        ("test_efficientnet", (0.9, 1.5), (0.02, 0.035)),
        ("test_vit", (0.35, 0.6), (3e-3, 5e-3)),
        ("test_convnext", (0.35, 0.7), (3e-3, 6e-3)),
        ("convnet", (0.3, 0.5), (5e-3, 9e-3)),
        ("mlp", (0.3, 0.5), (9e-3, 0.014)),
    )
}
"""By architecture, so that children go about as far as the parent's weights are large."""

ROOT_OPTIMIZERS: Mapping[str, tuple[str, ...]] = {
    "test_resnet": ("sgd", "adamw"),
    "test_efficientnet": ("adamw",),
    "test_vit": ("adamw",),
    "test_convnext": ("adamw",),
    "convnet": ("adamw",),
    "mlp": ("adamw",),
    "vit9": ("adamw",),
}
"""Architecture → the optimisers that it is trained with from scratch."""

_ROOT_RATES = {"sgd": (0.05, 0.15), "adamw": (1.5e-3, 4e-3)}
_ROOT_DECAYS = {"sgd": (0.0, 5e-4), "adamw": (0.01, 0.05)}
ROOT_STEPS = 150
_RECOUNTED = 0.3
"""Share of the children whose training script starts batch-norm counters at 0 again."""
_FROZEN = (0.0, 0.0, 0.0, 0.4)
"""Shares of the tensors that stand still in a child's training, to be picked from."""


class Draft:
    """The plan of a zoo, in the making. ``dice``: for all choices."""

    def __init__(self, recipe: str, models: int, seed: int) -> None:
        self.dice = Dice(f"{recipe} {models} {seed}")
        self._prefix = f"{recipe}-{seed}"
        width = max(2, len(str(models)))
        self._names = iter(self.dice.shuffled([f"m{number:0{width}}" for number in range(1, models + 1)]))
        self._plans: list[Derivation] = []

    @property
    def plans(self) -> tuple[Derivation, ...]:
        """What was added, parents first."""
        return tuple(self._plans)

    def add(
        self,
        architecture: str,
        *steps: Step,
        inputs: Sequence[Derivation] = (),
        parents: Sequence[Derivation] | None = None,
        kind: str = "finetune",
        **options: Any,
    ) -> Derivation:
        """One more model; ``parents``: all inputs where they are not given. ``options``: of the record."""
        parents = inputs if parents is None else parents
        hidden = options.get("hidden", False)
        name = f"hidden{sum(plan.hidden for plan in self._plans) + 1}" if hidden else next(self._names)
        alone = any(isinstance(step, Adapt) and step.form == "alone" for step in steps)
        plan = Derivation(
            name=name,
            architecture=architecture,
            inputs=tuple(one.name for one in inputs),
            parents=tuple(one.name for one in parents),
            kind=kind,
            generation=1 + max((one.generation for one in parents), default=0),
            steps=steps,
            seed=options.pop("seed", None) or training_seed(self.dice),
            base=f"{self._prefix}/{inputs[0].name}" if alone else "",
            **options,
        )
        self._plans.append(plan)
        return plan

    def root(self, architecture: str, *, task: str = ROOT_TASK, **options: Any) -> Derivation:
        """A model trained from scratch."""
        return self.add(architecture, self.scratch(architecture, task), **options)

    def child(self, parent: Derivation, pace: Pace, **options: Any) -> Derivation:
        """A fine-tune of ``parent``, on another task."""
        return self.add(parent.architecture, self.tuning(parent, pace), inputs=(parent,), **options)

    def scratch(self, architecture: str, task: str = ROOT_TASK) -> Train:
        """How a model is trained from scratch."""
        optimizer = self.dice.pick(ROOT_OPTIMIZERS[architecture])
        rate, decay = self.dice.between(*_ROOT_RATES[optimizer]), self.dice.pick(_ROOT_DECAYS[optimizer])
        return Train(task, optimizer, rate, decay, ROOT_STEPS)

    def tuning(self, parent: Derivation, pace: Pace) -> Train:
        """How a model is fine-tuned on another task than its parent's last."""
        optimizer = self.dice.pick(("sgd", "adamw"))
        last = task_of(parent)
        return Train(
            task=self.dice.pick([task for task in TASKS if task != last]),
            optimizer=optimizer,
            learning_rate=self.dice.between(*pace.rates[optimizer]),
            weight_decay=self.dice.pick(pace.decays[optimizer]),
            steps=self.dice.pick(pace.steps),
            head_rate=pace.head_rate,
            frozen=self.dice.pick(_FROZEN),
            recount=self.dice.random() < _RECOUNTED,
        )

    def continued(self, parent: Derivation, pace: Pace, share: tuple[int, int] = (0, 1)) -> Train:
        """How a model is trained further on its own task with its own head, perhaps on a ``share`` of the images."""
        return replace(self.tuning(parent, pace), task=task_of(parent), new_head=False, head_rate=1.0, share=share)


def task_of(plan: Derivation) -> str:
    """The task that a model was last trained on, as far as its own steps say."""
    courses = (step if isinstance(step, Train) else getattr(step, "course", None) for step in plan.steps)
    return next((course.task for course in reversed([*courses]) if course is not None), ROOT_TASK)


Populate = Callable[[Draft, int], None]
"""Adds as many models to a draft."""


def plan_of(models: int, seed: int, recipe: str, populate: Populate, least: int) -> tuple[Derivation, ...]:
    """The zoo of a recipe, parents first. Raises :class:`ManifestError` for an impossible number of models."""
    if not least <= models <= MAX_MODELS:
        raise ManifestError(f"grow: models: {models} is not between {least} and {MAX_MODELS}")
    draft = Draft(recipe, models, seed)
    populate(draft, models)
    return draft.plans
