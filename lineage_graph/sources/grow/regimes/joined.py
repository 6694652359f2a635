"""Models of several parents: merges, splices of blocks, backbones inside other networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from lineage_graph.sources.grow.derivation import Derivation
from lineage_graph.sources.grow.draft import MEDIUM, NEAR, Draft, Pace
from lineage_graph.sources.grow.plan import ROOT_TASK, TASKS
from lineage_graph.sources.grow.steps import Merge, Method, Splice, Step, Transplant

_MERGED = ("test_resnet", "test_vit", "test_convnext", "convnet")
_SIBLINGS = 4
_TWO_BASES = 12
"""Models from which on there are two bases."""
_MERGE_WAYS: tuple[tuple[Method, int, bool], ...] = (
    ("linear", 2, False),
    ("slerp", 2, False),
    ("arithmetic", 2, False),
    ("ties", 3, False),
    ("linear", 3, False),
    ("linear", 2, True),
    ("slerp", 2, True),
    ("arithmetic", 3, False),
    ("ties", 2, True),
)
"""Method, how many siblings, whether the merge is trained a little further."""

BLOCKS: Mapping[str, tuple[str, ...]] = {
    "test_vit": tuple(f"blocks.{number}" for number in range(6)),
    "vit9": tuple(f"blocks.{number}" for number in range(9)),
    "test_resnet": ("layer1", "layer2", "layer3", "layer4"),
    "test_convnext": ("stages.0", "stages.1", "stages.2", "stages.3"),
}
"""Architecture → its blocks, in the order of the network. Those of the ViTs can stand in one another's places."""

_DONORS = 4


def merges(draft: Draft, models: int) -> None:
    """A base or two, siblings of each on the base's own task, and merges of these in turn by every method."""
    per_base = [models] if models < _TWO_BASES else [models // 2, models - models // 2]
    kinds = draft.dice.shuffled(_MERGED)
    number = 0
    for architecture, share in zip(kinds, per_base, strict=False):
        base = draft.root(architecture)
        count = min(_SIBLINGS, share // 2)
        pieces = [(place, count) for place in range(count)]
        courses = [draft.continued(base, MEDIUM, piece) for piece in pieces]
        siblings = [draft.add(architecture, replace(one, frozen=0.0), inputs=(base,)) for one in courses]
        for _ in range(share - 1 - count):
            method, several, tuned = _MERGE_WAYS[number % len(_MERGE_WAYS)]
            _merge(draft, base, draft.dice.shuffled(siblings)[:several], method, tuned)
            number += 1


def _merge(draft: Draft, base: Derivation, parts: Sequence[Derivation], method: Method, tuned: bool) -> None:
    """One merge; the base is a parent of those by task arithmetic and TIES."""
    on_base = method in ("arithmetic", "ties")
    if method == "linear":
        raw = [draft.dice.between(0.5, 2.0) for _ in parts]
        weights = tuple(round(one / sum(raw), 3) for one in raw[:-1])
        weights = (*weights, round(1 - sum(weights), 3))
    elif method == "slerp":
        weights = (draft.dice.between(0.3, 0.7),)
    else:
        weights = tuple(draft.dice.between(0.3, 0.8) for _ in parts)
    steps: list[Step] = [Merge(method, weights)]
    if tuned:
        steps.append(replace(draft.continued(base, NEAR), steps=20, frozen=0.0))
    inputs = (base, *parts) if on_base else tuple(parts)
    draft.add(base.architecture, *steps, inputs=inputs, kind="merge")


def hybrids(draft: Draft, models: int) -> None:
    """Donors of one architecture with a fine-tune each, and in turn: splices, one backbone under a new head, two."""
    architecture = draft.dice.pick(("test_vit", "test_vit", "test_resnet", "test_convnext"))
    donors = [draft.root(architecture, task=task) for task in _tasks(draft, min(_DONORS, models - 2))]
    relatives = [draft.child(donor, NEAR) for donor in donors[: max(0, min(2, models - len(donors) - 3))]]
    for number in range(models - len(donors) - len(relatives)):
        if number % 4 < 2:
            several = min(len(donors), 2 + number // 4 % 3)
            spliced(draft, draft.dice.shuffled(donors)[:several], MEDIUM, moved=number % 8 == 1)
        else:
            _transplanted(draft, draft.dice.shuffled([*donors, *relatives])[: number % 4 - 1])


def _tasks(draft: Draft, count: int) -> list[str]:
    """A task for each donor, all different, the first one the usual."""
    return [ROOT_TASK, *draft.dice.shuffled([task for task in TASKS if task != ROOT_TASK])][:count]


def spliced(draft: Draft, donors: Sequence[Derivation], pace: Pace, *, moved: bool = False) -> None:
    """One model of the donors' blocks, fine-tuned. Each donor gives at least one block, if there are enough, the first
    one also what belongs to no block. ``moved``: in a ViT, two blocks take each other's places.
    """
    architecture = donors[0].architecture
    names = BLOCKS[architecture]
    numbers = list(range(min(len(donors), len(names))))
    dealt = draft.dice.shuffled([*numbers, *(draft.dice.pick(numbers) for _ in range(len(names) - len(numbers)))])
    there = list(names)
    if moved and names[0].startswith("blocks"):
        first, second = draft.dice.shuffled(range(len(names)))[:2]
        there[first], there[second] = there[second], there[first]
    step = Splice(tuple(zip(names, dealt, there, strict=True)))
    course = replace(draft.tuning(donors[0], pace), frozen=0.0)
    draft.add(architecture, step, course, inputs=donors, kind="splice")


def _transplanted(draft: Draft, donors: Sequence[Derivation]) -> None:
    """Backbones inside another network; of one alone, the rest is new, and it is a fine-tune like any other."""
    course = replace(draft.tuning(donors[0], MEDIUM), frozen=0.0)
    prefixes = ("encoder",) if len(donors) == 1 else ("left", "right")
    kind = "finetune" if len(donors) == 1 else "splice"
    draft.add(donors[0].architecture, Transplant(prefixes, course), inputs=donors, kind=kind)


def vits(draft: Draft, models: int) -> None:
    """Nine vision transformers, each trained on its own with its own task and settings, and hybrids of all nine."""
    tasks = [*_tasks(draft, len(TASKS)), ROOT_TASK]
    donors = [draft.root("vit9", task=task) for task in tasks]
    for number in range(models - len(donors)):
        spliced(draft, draft.dice.shuffled(donors), NEAR, moved=number % 2 == 1)
