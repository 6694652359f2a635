"""Fine-tunes: families near and far, long chains, few images, and families of which someone is missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lineage_graph.sources.grow.derivation import Derivation
from lineage_graph.sources.grow.draft import FAR, MEDIUM, NEAR, Draft, Pace

TIMM = ("test_resnet", "test_vit", "test_convnext", "test_efficientnet")
ARCHITECTURES = (*TIMM, "convnet", "mlp")
SHOTS = (1, 2, 5, 10, 20, 50)
_MODELS_PER_ROOT = 5
_LENGTHS = (4, 5, 6)
"""Of chains, in generations."""


def near(draft: Draft, models: int) -> None:
    """Strangers' families of two architectures, of children that stay near."""
    _families(draft, models, lambda _: NEAR)


def far(draft: Draft, models: int) -> None:
    """The same, of children that go as far as their parents are large, and further."""
    _families(draft, models, FAR.__getitem__)


def two_architectures(draft: Draft) -> list[str]:
    """Two of :data:`ARCHITECTURES` for the whole zoo, the first one timm's."""
    first = draft.dice.pick(TIMM)
    return [first, draft.dice.pick([one for one in ARCHITECTURES if one != first])]


def _families(draft: Draft, models: int, pace: Callable[[str], Pace]) -> None:
    pair = two_architectures(draft)
    families = [[draft.root(pair[number % 2])] for number in range(max(1, round(models / _MODELS_PER_ROOT)))]
    with_children = families[:-1] or families
    for _ in range(models - len(families)):
        family = draft.dice.pick(with_children)
        family.append(draft.child(draft.dice.pick(family), pace(family[0].architecture)))


def chains(draft: Draft, models: int) -> None:
    """Chains of four to six generations; a link has one child or two, and one of them goes on."""
    pair = two_architectures(draft)
    left = models
    while left > 0:
        link = draft.root(pair[left % 2])
        left -= 1
        for _ in range(draft.dice.pick(_LENGTHS) - 1):
            children = [draft.child(link, MEDIUM) for _ in range(min(left, draft.dice.pick((1, 1, 2))))]
            left -= len(children)
            link = draft.dice.pick(children or [link])


def few_shot(draft: Draft, models: int) -> None:
    """Two families of one architecture whose children saw 1 to 50 images of each class, in turn."""
    architecture = draft.dice.pick(ARCHITECTURES)
    roots = [draft.root(architecture) for _ in range(min(2, models))]
    for number in range(models - len(roots)):
        parent = draft.dice.pick(roots)
        how = replace(draft.tuning(parent, MEDIUM), shots=SHOTS[number % len(SHOTS)])
        draft.add(architecture, how, inputs=(parent,))


def orphans(draft: Draft, models: int) -> None:
    """Families without their root (siblings, nephews and cousins), and families without an inner parent, in turn."""
    pair = two_architectures(draft)
    number = 0
    while models > 0:
        take = min(models, 6)
        (_headless if number % 2 == 0 else _broken)(draft, pair[number // 2 % 2], take)
        models -= take
        number += 1


def _headless(draft: Draft, architecture: str, models: int) -> None:
    """Siblings of a hidden root, then children of two of them: cousins."""
    root = draft.root(architecture, hidden=True)
    siblings = [draft.child(root, MEDIUM) for _ in range(min(3, models))]
    for number in range(models - len(siblings)):
        draft.child(siblings[number % 2], MEDIUM)


def _broken(draft: Draft, architecture: str, models: int) -> None:
    """A root, a child of it, and the children of another, hidden child."""
    root = draft.root(architecture)
    if models > 1:
        draft.child(root, MEDIUM)
    hidden: Derivation = draft.child(root, MEDIUM, hidden=True)
    for _ in range(models - 2):
        draft.child(hidden, MEDIUM)
