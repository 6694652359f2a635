"""The recipes that a manifest may name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lineage_graph.sources.grow import digits, families, generations
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


RECIPES: Mapping[str, Recipe] = {
    "digits": Recipe(schema=1, needs="sklearn", extra="demo", plan=plan, train=digits.train),
    "generations": Recipe(schema=1, needs="sklearn", extra="demo", plan=generations.plan, train=digits.train),
    "families": Recipe(schema=1, needs="sklearn", extra="demo", plan=families.plan, train=digits.train),
}
