"""What tensor names tell: quirks as data, not as branches.

Names only ever decide which tensors are *left out* of a comparison, or which are tried first as partners; they are
never evidence of descent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import takewhile

HEAD_PARTS = frozenset(
    """head heads fc classifier classifiers cls logits lm_head score scores last_linear output output_layer predictions
    class_head classhead bboxhead landmarkhead action_net value_net segmentation_head decode_head auxiliary_head
    aux_classifier roi_heads box_predictor""".split()
)
"""Path components of a tensor's name that mark a task head: new tasks bring new heads, so heads say nothing."""

WRAPPER_PARTS = frozenset(
    """module _orig_mod model base_model backbone body trunk net network feature_extractor image_encoder""".split()
)
"""First components of a tensor's name that say no more than that the network lies within: a detector's backbone, what a
training loop wrapped."""

STATE_PARTS = frozenset("running_mean running_var num_batches_tracked".split())
"""Last components of running statistics: they describe the data that passed, not the weights."""

CONSTANT_PARTS = frozenset(
    """position_ids relative_position_index relative_coords_table attn_mask anchors anchor_grid stride strides
    inv_freq rotary_emb pos_embed_sincos num_batches_tracked masked_bias zigzag window mel_filters filterbank""".split()
)
"""Last components of constant buffers, equal in unrelated models: they are no evidence."""

COUNTER_PARTS = frozenset(["num_batches_tracked"])
"""Last components of scalar tensors that count training steps."""

_DIGITS = re.compile(r"(\d+)")


@lru_cache(maxsize=1 << 16)
def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key in which ``layers.2`` comes before ``layers.10``."""
    return tuple(
        (0, int(part), "") if part.isdigit() and part.isascii() else (1, 0, part) for part in _DIGITS.split(name)
    )


def parts(name: str) -> list[str]:
    """The components of a tensor's name, lower case (``a.b/c:0`` → ``a``, ``b``, ``c``)."""
    return [part for part in re.split(r"[./]", re.sub(r":\d+$", "", name).lower()) if part]


def module(name: str) -> str:
    """The module that a tensor belongs to (``a.b.weight`` → ``a.b``)."""
    return re.split(r"[./](?=[^./]*$)", name)[0]


def _names_head(name: str) -> bool:
    """A head stands beside the blocks; what has a running number before it (attention heads) lies within one."""
    before_numbers = takewhile(lambda part: not part.isdigit(), parts(name))
    return not HEAD_PARTS.isdisjoint(before_numbers)


def heads(names: Iterable[str], matrices: Iterable[str]) -> frozenset[str]:
    """Those of a model's tensor ``names`` that belong to its task head; ``matrices``: names of its weight matrices.

    A head by name, or, in a plain sequence of layers (names that differ in one running number: ``fc1``, ``fc2`` …), the
    last layer. A model that would be all head has none.
    """
    return _heads(tuple(names), tuple(matrices))


@lru_cache(maxsize=256)
def _heads(names: tuple[str, ...], matrices: tuple[str, ...]) -> frozenset[str]:
    """The same, once for all checkpoints of an architecture."""
    modules = sorted({module(name) for name in matrices}, key=natural_key)
    found = {name for name in names if _names_head(name)}
    if not found and len(modules) > 1 and len({_DIGITS.sub("#", one) for one in modules}) == 1:
        found = {name for name in names if module(name) == modules[-1]}
    return frozenset(found) if any(module(name) in modules for name in set(names) - found) else frozenset()


def is_state(name: str) -> bool:
    """Does the name say that the tensor is a running statistic or a constant buffer rather than a weight?"""
    pieces = parts(name)
    return bool(pieces) and (pieces[-1] in STATE_PARTS or pieces[-1] in CONSTANT_PARTS)


def is_counter(name: str) -> bool:
    """Does the name say that the tensor counts training steps?"""
    pieces = parts(name)
    return bool(pieces) and pieces[-1] in COUNTER_PARTS
