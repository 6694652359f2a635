"""The recipes that a manifest may name.

=============  =====  =========================================================================================
recipe         least  grows
=============  =====  =========================================================================================
digits             2  roots of three architectures, three generations of fine-tunes on other tasks
generations        5  four generations of one ResNet below one origin (Neural Lineage, Tab. 1)
families           6  one architecture and one pace, three roots, three generations: to train the detector on
settings          22  children of eight siblings by every setting of the paper; ``settings-vit``: of a ViT
near               4  strangers' families of two architectures, children that stay near
far                4  the same, at a relative distance of about 0.5 to 1.3
chains             4  chains of four to six generations, one child or two at each link
few-shot           4  children that saw 1 to 50 images of each class
orphans            6  families without their root, and families without an inner parent
snapshots          4  runs from scratch and fine-tuning runs, each at three to five of its steps
strangers          2  trainings of one architecture with the same settings; no edge
shared-init        4  trainings from one initialisation, which is not in the zoo, and a few fine-tunes of them
distilled          3  teachers, fine-tunes of them, and students from scratch, who descend from nobody
typed              4  quantised, pruned, adapted by LoRA (merged, wrapped, alone), copied, stored otherwise
merges             4  linear, SLERP, task arithmetic and TIES, of siblings; some trained a little further
hybrids            5  splices of several donors' blocks, and backbones inside other networks; then fine-tuned
laundered          4  hidden units permuted or rescaled, weights sparsified or noised, and several of these at once
lineage300        20  five roots, four generations; 300 models are the zoo of Fig. 5
vits              10  nine vision transformers, and hybrids of the blocks of all nine (Fig. 6)
heap              51  some of everything
=============  =====  =========================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from lineage_graph.sources.grow import descent, digits, families, generations, settings, tuned
from lineage_graph.sources.grow import plan as planning
from lineage_graph.sources.grow.derive import Work, derive
from lineage_graph.sources.grow.draft import Populate, plan_of
from lineage_graph.sources.grow.plan import ModelPlan
from lineage_graph.sources.grow.regimes import apart, joined, large, laundered, runs, tunes, typed


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a kind of zoo is grown.

    ``schema``: to be raised with every change that gives other weights. ``plan``: (models, seed) → the zoo, parents
    first; ``work``: (one of these, its inputs' files) → the record that ``make``, a module-level function, turns into
    the content of the model's file. ``truth``: (plans, prefix of ids) → the truth file. ``needs``: a module that is
    imported only here, and the ``extra`` of lgraph that brings it.
    """

    schema: int
    plan: Callable[[int, int], tuple[Any, ...]]
    work: Callable[[Any, tuple[str, ...]], Any]
    make: Callable[[Any], bytes]
    truth: Callable[[Sequence[Any], str], dict[str, Any]]
    needs: str = "sklearn"
    extra: str = "demo"


def _trained(
    plan: Callable[[int, int], tuple[ModelPlan, ...]], make: Callable[[digits.Training], bytes] = digits.train
) -> Recipe:
    """Every model is a training run, of at most one parent."""
    return Recipe(schema=1, plan=plan, work=_training, make=make, truth=planning.truth)


def _training(plan: ModelPlan, inputs: tuple[str, ...]) -> digits.Training:
    return digits.Training(plan, inputs[0] if inputs else None)


def _settings(architecture: str) -> Recipe:
    """``models``: an origin, eight parents, and children to whom the settings are dealt in turn."""
    return _trained(partial(settings.plan, architecture=architecture), tuned.train)


def _derived(name: str, populate: Populate, least: int) -> Recipe:
    """Models are made of one another in several ways. ``least``: the smallest number of models."""
    return Recipe(
        schema=1,
        plan=partial(plan_of, recipe=name, populate=populate, least=least),
        work=Work,
        make=derive,
        truth=descent.truth,
    )


_REGIMES: Mapping[str, tuple[Populate, int]] = {
    "near": (tunes.near, 4),
    "far": (tunes.far, 4),
    "chains": (tunes.chains, 4),
    "few-shot": (tunes.few_shot, 4),
    "orphans": (tunes.orphans, 6),
    "snapshots": (runs.snapshots, 4),
    "strangers": (apart.strangers, 2),
    "shared-init": (apart.shared_init, 4),
    "distilled": (apart.distilled, 3),
    "typed": (typed.typed, 4),
    "merges": (joined.merges, 4),
    "hybrids": (joined.hybrids, 5),
    "laundered": (laundered.laundered, 4),
    "lineage300": (large.lineage300, 20),
    "vits": (joined.vits, 10),
    "heap": (large.heap, large.HEAP_LEAST),
}

RECIPES: Mapping[str, Recipe] = {
    "digits": _trained(planning.plan),
    "generations": _trained(generations.plan),
    "families": _trained(families.plan),
    "settings": _settings("test_resnet"),
    "settings-vit": _settings("test_vit"),
    **{name: _derived(name, *regime) for name, regime in _REGIMES.items()},
}


def block_origins(recipe: str, models: int, seed: int) -> dict[str, dict[str, tuple[str, str]]]:
    """Where the blocks of the spliced and transplanted models of a grown zoo come from, by
    :func:`~lineage_graph.sources.grow.descent.block_origins`; ids are those of the zoo. For recipes of models that are
    made of several others; raises ``ManifestError`` for an impossible number of models.
    """
    return descent.block_origins(RECIPES[recipe].plan(models, seed), f"{recipe}-{seed}")
