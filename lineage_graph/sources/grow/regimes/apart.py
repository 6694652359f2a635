"""What is not descent, however alike it looks: strangers of one config, one initialisation, teachers and students."""

from __future__ import annotations

from dataclasses import replace

from lineage_graph.sources.grow.draft import MEDIUM, Draft
from lineage_graph.sources.grow.plan import ROOT_TASK, TASKS
from lineage_graph.sources.grow.regimes.tunes import ARCHITECTURES
from lineage_graph.sources.grow.steps import Distill

_SHARED = 4
"""Trainings from one initialisation, and the students of one teacher, at most."""


def strangers(draft: Draft, models: int) -> None:
    """Trainings of one architecture with the same settings and on the same images, each from its own seed."""
    architecture = draft.dice.pick(ARCHITECTURES)
    course = draft.scratch(architecture)
    for _ in range(models):
        draft.add(architecture, course)


def shared_init(draft: Draft, models: int) -> None:
    """Trainings from one initialisation, which is not in the zoo: on the same images, on other images, on other tasks.

    Each initialisation gives up to four, and the last model of five is a fine-tune of one of them.
    """
    while models > 0:
        architecture = draft.dice.pick(ARCHITECTURES)
        course = draft.scratch(architecture)
        start = draft.add(architecture, replace(course, steps=0), hidden=True)
        ways = (
            replace(course, new_head=False),
            replace(course, new_head=False, share=(0, 2)),
            replace(course, new_head=False, share=(1, 2)),
            replace(course, task=draft.dice.pick([task for task in TASKS if task != ROOT_TASK])),
        )
        made = [draft.add(architecture, how, inputs=(start,), parents=()) for how in ways[: min(_SHARED, models)]]
        models -= len(made)
        if models > 0:
            draft.child(draft.dice.pick(made), MEDIUM)
            models -= 1


def distilled(draft: Draft, models: int) -> None:
    """Teachers, each with a fine-tune and up to four students: from scratch, and so no descendants of it."""
    while models > 0:
        architecture = draft.dice.pick(ARCHITECTURES)
        teacher = draft.root(architecture)
        models -= 1
        if models > 0:
            draft.child(teacher, MEDIUM)
            models -= 1
        for _ in range(min(_SHARED, models)):
            draft.add(architecture, Distill(draft.scratch(architecture)), inputs=(teacher,), parents=())
            models -= 1
