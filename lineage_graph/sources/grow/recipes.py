"""The recipes that a manifest may name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from lineage_graph.sources.grow import digits, families, generations, settings, tuned
from lineage_graph.sources.grow.plan import ModelPlan, plan


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a kind of zoo is grown.

    ``schema``: to be raised with every change that gives other weights. ``needs``: a module that is imported only
    here, and the ``extra`` of lgraph that brings it. ``plan``: (models, seed) → the zoo, parents first. ``train``: the
    module-level function that makes one model's file.
    """

    schema: int
    needs: str
    extra: str
    plan: Callable[[int, int], tuple[ModelPlan, ...]]
    train: Callable[[digits.Training], bytes]


def _settings(architecture: str) -> Recipe:
    """``models``: an origin, eight parents, and children to whom the settings are dealt in turn."""
    return Recipe(
        schema=1,
        needs="sklearn",
        extra="demo",
        plan=partial(settings.plan, architecture=architecture),
        train=tuned.train,
    )


RECIPES: Mapping[str, Recipe] = {
    "digits": Recipe(schema=1, needs="sklearn", extra="demo", plan=plan, train=digits.train),
    "generations": Recipe(schema=1, needs="sklearn", extra="demo", plan=generations.plan, train=digits.train),
    "families": Recipe(schema=1, needs="sklearn", extra="demo", plan=families.plan, train=digits.train),
    "settings": _settings("test_resnet"),
    "settings-vit": _settings("test_vit"),
}
