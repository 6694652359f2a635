"""Models whose weights were rearranged so that they do not look like their parents'."""

from __future__ import annotations

from lineage_graph.sources.grow.draft import MEDIUM, NEAR, Draft
from lineage_graph.sources.grow.steps import Noise, Permute, Rescale, Sparsify, Step

_WITH_RELU = ("mlp", "convnet", "test_resnet")
ARCHITECTURES = (*_WITH_RELU, "test_vit")
_MODELS_PER_FAMILY = 8
_RESCALE, _NOISE, _SPARSE = Rescale(4.0), Noise(0.05), Sparsify(0.4)

WAYS: tuple[tuple[str, tuple[Step, ...], bool], ...] = (
    ("duplicate", (Permute(),), False),
    ("duplicate", (_RESCALE,), False),
    ("duplicate", (Permute(), _RESCALE), False),
    ("finetune", (Permute(), _NOISE), False),
    ("prune", (Permute(), _SPARSE), False),
    ("finetune", (_NOISE,), False),
    ("finetune", (Permute(),), True),
    ("prune", (_RESCALE, _SPARSE), False),
    ("finetune", (_RESCALE, Permute(), _NOISE), False),
    ("prune", (_SPARSE, _NOISE), False),
)
"""Kind of the edge, the steps, and whether a fine-tuning on another task follows. Only networks with ReLU are rescaled.
Noise after zeros leaves no zero: the pruned weights are then small."""


def laundered(draft: Draft, models: int) -> None:
    """Families of a root and fine-tunes of it, and laundered copies of their members, in turn."""
    kinds = draft.dice.shuffled(ARCHITECTURES)
    count = max(2, round(models / _MODELS_PER_FAMILY))
    members = [draft.root(kinds[number % len(kinds)]) for number in range(min(count, models))]
    members += [draft.child(root, MEDIUM) for root in members[: models - len(members)]]
    for number in range(models - len(members)):
        kind, steps, tuned = WAYS[number % len(WAYS)]
        able = [one for one in members if one.architecture in _WITH_RELU or not any(map(_rescales, steps))]
        source = draft.dice.pick(able)
        after = (draft.tuning(source, NEAR),) if tuned else ()
        draft.add(source.architecture, *steps, *after, inputs=(source,), kind=kind)


def _rescales(step: Step) -> bool:
    return isinstance(step, Rescale)
