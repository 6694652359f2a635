"""Zoos to train the lineage detector on: one architecture and one pace a zoo, strangers of one shape, four generations.

The seed decides the architecture and the pace in turn, so that consecutive seeds cover both evenly. The paces span the
learning rates of the recipes ``generations`` and ``digits``: children that stay near their parents, and children that
drift further than the parent's siblings.
"""

from __future__ import annotations

from collections.abc import Mapping

from lineage_graph.errors import ManifestError
from lineage_graph.sources.grow.plan import MAX_MODELS, ROOT_TASK, Dice, ModelPlan, fine_tune, training_seed

ARCHITECTURES: Mapping[str, tuple[str, ...]] = {
    "test_resnet": ("sgd", "adamw"),
    "test_vit": ("adamw",),
    "test_convnext": ("adamw",),
    "test_efficientnet": ("adamw",),
    "test_mambaout": ("adamw",),
    "test_byobnet": ("sgd", "adamw"),
}
"""timm name → the optimisers that its roots are trained with."""

PACES: tuple[Mapping[str, tuple[float, float]], ...] = (
    {"sgd": (0.02, 0.04), "adamw": (1.2e-4, 1.8e-4)},
    {"sgd": (0.03, 0.12), "adamw": (1.5e-4, 8e-4)},
    {"sgd": (0.06, 0.3), "adamw": (4e-4, 3e-3)},
)
"""Ranges of the children's learning rates, by optimiser."""

ROOTS = 3
"""The last one has no children."""
PROPORTIONS = (5, 8, 12)
"""Models of the generations 2 to 4 in a zoo of 28."""
MIN_MODELS = ROOTS + len(PROPORTIONS)
ROOT_STEPS = 200
STEPS = (60, 80, 100)
_ROOT_RATES = {"sgd": (0.05, 0.15), "adamw": (1.5e-3, 4e-3)}
_ROOT_DECAYS = {"sgd": (0.0, 5e-4), "adamw": (0.01, 0.05)}
_DECAYS = {"sgd": (0.0, 5e-4), "adamw": (0.0, 0.05, 0.3)}


def architecture(seed: int) -> str:
    """The timm name of all models of the zoo with this seed."""
    return list(ARCHITECTURES)[seed % len(ARCHITECTURES)]


def plan(models: int, seed: int) -> tuple[ModelPlan, ...]:
    """The zoo, parents first: strangers, then three generations, each model the child of a random one before.

    Names are dealt at random. Raises :class:`ManifestError` for an impossible number of models.
    """
    if not MIN_MODELS <= models <= MAX_MODELS:
        raise ManifestError(f"grow: models: {models} is not between {MIN_MODELS} and {MAX_MODELS}")
    dice = Dice(f"families {models} {seed}")
    pace = PACES[(seed + seed // len(ARCHITECTURES)) % len(PACES)]
    width = max(2, len(str(models)))
    names = iter(dice.shuffled([f"m{number:0{width}}" for number in range(1, models + 1)]))
    roots = [_root(next(names), architecture(seed), dice) for _ in range(ROOTS)]
    plans, parents = list(roots), roots[:-1]
    for size in _sizes(models - ROOTS):
        parents = [_child(next(names), dice.pick(parents), pace, dice) for _ in range(size)]
        plans += parents
    return tuple(plans)


def _sizes(children: int) -> list[int]:
    """Sizes of the generations from 2 on, in proportion, none of them empty."""
    whole = sum(PROPORTIONS)
    sizes = [max(1, children * share // whole) for share in PROPORTIONS[:-1]]
    return [*sizes, children - sum(sizes)]


def _root(name: str, timm_name: str, dice: Dice) -> ModelPlan:
    optimizer = dice.pick(ARCHITECTURES[timm_name])
    return ModelPlan(
        name=name,
        parent=None,
        generation=1,
        architecture=timm_name,
        task=ROOT_TASK,
        optimizer=optimizer,
        learning_rate=dice.between(*_ROOT_RATES[optimizer]),
        weight_decay=dice.pick(_ROOT_DECAYS[optimizer]),
        steps=ROOT_STEPS,
        seed=training_seed(dice),
    )


def _child(name: str, parent: ModelPlan, pace: Mapping[str, tuple[float, float]], dice: Dice) -> ModelPlan:
    return fine_tune(name, parent, dice, pace, _DECAYS, STEPS)
