"""Four generations of one small ResNet, after the zoo of "Neural Lineage" (Yu & Wang, CVPR 2024, Tab. 1).

As there, each model is fine-tuned from a random one of the generation before, on another task. The first generation
here are fine-tunes of one *origin*, which counts as generation 0: nets trained from scratch on their own would be told
apart by any measure. Learning rates lie within a factor of two, so that a child drifts about as far from its parent as
the parent's siblings are away: of a child that went much further, features say nothing.
"""

from __future__ import annotations

from lineage_graph.errors import ManifestError
from lineage_graph.sources.grow.plan import MAX_MODELS, ROOT_TASK, Dice, ModelPlan, fine_tune, training_seed

ARCHITECTURE = "test_resnet"
PROPORTIONS = (5, 12, 20, 30)
"""Models of the generations 1 to 4 in a zoo of 68."""

MIN_MODELS = 1 + len(PROPORTIONS)
ORIGIN_STEPS = 200
STEPS = (70, 90)
RATES = {"sgd": (0.02, 0.04), "adamw": (1.2e-4, 1.8e-4)}
DECAYS = {"sgd": (0.0, 5e-4), "adamw": (0.0, 0.05, 0.3)}
_ORIGIN_RATE, _ORIGIN_DECAY = 0.1, 5e-4


def plan(models: int, seed: int) -> tuple[ModelPlan, ...]:
    """The zoo, parents first: the origin, then generations 1 to 4 in :data:`PROPORTIONS`.

    Names are dealt at random. Raises :class:`ManifestError` for an impossible number of models.
    """
    if not MIN_MODELS <= models <= MAX_MODELS:
        raise ManifestError(f"grow: models: {models} is not between {MIN_MODELS} and {MAX_MODELS}")
    dice = Dice(f"generations {models} {seed}")
    width = max(2, len(str(models)))
    names = iter(dice.shuffled([f"m{number:0{width}}" for number in range(1, models + 1)]))
    origin = ModelPlan(
        name=next(names),
        parent=None,
        generation=0,
        architecture=ARCHITECTURE,
        task=ROOT_TASK,
        optimizer="sgd",
        learning_rate=_ORIGIN_RATE,
        weight_decay=_ORIGIN_DECAY,
        steps=ORIGIN_STEPS,
        seed=training_seed(dice),
    )
    plans = [origin]
    parents = plans
    for size in _sizes(models - 1):
        parents = [child(next(names), dice.pick(parents), dice) for _ in range(size)]
        plans = plans + parents
    return tuple(plans)


def _sizes(models: int) -> list[int]:
    """Sizes of the generations from 1 on, in proportion, none of them empty."""
    whole = sum(PROPORTIONS)
    sizes = [max(1, models * share // whole) for share in PROPORTIONS[:-1]]
    return [*sizes, models - sum(sizes)]


def child(name: str, parent: ModelPlan, dice: Dice) -> ModelPlan:
    """A fine-tune of ``parent`` on another task, which stays near it."""
    return fine_tune(name, parent, dice, RATES, DECAYS, STEPS)
