"""The blocks of a network, from the names and shapes of its tensors alone.

A block is what repeats: the deepest numbered part of the names that holds several weight matrices (``blocks.3``,
``layer2.0``, ``stages.1.blocks.0``). What lies beside the blocks is grouped by the shortest name that no block shares
(``patch_embed``, ``stages.1.downsample.1``, in a plain sequence ``features.3``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from lineage_graph import names
from lineage_graph.types import Fingerprint, TensorFingerprint

LEAST_MATRICES = 2
"""Weight matrices from which a numbered part is a block: one alone is a layer within a block, or of a plain sequence.
"""

FIRST = frozenset(
    """stem conv_stem conv patch_embed patch_embedding embed embeddings embedding embed_tokens tok_embeddings wte wpe
    conv_proj class_token cls_token dist_token reg_token mask_token pos_embed pos_embedding position_embedding
    position_embeddings rel_pos_bias norm_pre""".split()
)
LAST = frozenset("norm ln_f final_layer_norm final_norm conv_head pooler pre_logits pre_head fc_norm neck".split())
"""Parts of names, without numbers, of what stands before the blocks and after them."""

Shapes = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Block:
    """``name``: the common part of its tensors' names. ``matrices``: its weight matrices, in an order that answers to
    that of any other block of the same ``shapes``: by shape, then by name within the block.
    """

    name: str
    matrices: tuple[TensorFingerprint, ...]

    @property
    def shapes(self) -> Shapes:
        """Blocks can be compared where these are equal, at any depth."""
        return tuple(tensor.spec.shape for tensor in self.matrices)

    @property
    def size(self) -> int:
        """Elements of its matrices."""
        return sum(tensor.spec.size for tensor in self.matrices)


def blocks(fingerprint: Fingerprint) -> tuple[Block, ...]:
    """The backbone's blocks in network order; the head is left out, and so is what has no weight matrix."""
    matrices = [tensor for tensor in fingerprint.backbone if tensor.is_matrix]
    grouped = _grouped(tuple((tensor.spec.name, tensor.spec.shape) for tensor in matrices))
    return tuple(Block(name, tuple(matrices[place] for place in places)) for name, places in grouped)


@lru_cache(maxsize=1024)  # most models of a zoo share their names with many others
def _grouped(matrices: tuple[tuple[str, tuple[int, ...]], ...]) -> list[tuple[str, list[int]]]:
    """The blocks' names in network order, with the places of their matrices. ``matrices``: names and shapes."""
    paths = [_path(name) for name, _ in matrices]
    repeated = _repeated(paths)
    above = {block[:length] for block in repeated for length in range(len(block))}
    found: dict[tuple[str, ...], list[int]] = {}
    for place, path in enumerate(paths):
        inside = next((path[:length] for length in range(1, len(path)) if path[:length] in repeated), None)
        found.setdefault(inside or _beside(path, above), []).append(place)
    return [(".".join(path), sorted(found[path], key=_within(path, matrices))) for path in sorted(found, key=_depth)]


def _path(name: str) -> tuple[str, ...]:
    """A tensor's name in its components, as they are written."""
    return tuple(name.replace("/", ".").split("."))


def _repeated(paths: Sequence[tuple[str, ...]]) -> set[tuple[str, ...]]:
    """Numbered parts of several matrices that hold no other such part."""
    held = Counter(prefix for path in paths for prefix in _numbered(path))
    several = {prefix for prefix, count in held.items() if count >= LEAST_MATRICES}
    return {one for one in several if not any(other[: len(one)] == one and other != one for other in several)}


def _numbered(path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    return (path[:length] for length in range(1, len(path)) if path[length - 1][-1:].isdigit())


def _beside(path: tuple[str, ...], above: set[tuple[str, ...]]) -> tuple[str, ...]:
    """The shortest part of ``path`` that holds no block, with the numbers that follow it."""
    length = next((length for length in range(1, len(path)) if path[:length] not in above), len(path))
    while length < len(path) - 1 and path[length].isdigit():
        length += 1
    return path[:length]


def _within(path: tuple[str, ...], matrices: Sequence[tuple[str, tuple[int, ...]]]) -> Callable[[int], Any]:
    start = len(".".join(path))
    return lambda place: (matrices[place][1], names.natural_key(matrices[place][0][start:]))


def _depth(path: tuple[str, ...]) -> tuple[int, Any]:
    """The order of a network, as far as names tell it."""
    said = {part.rstrip("0123456789_").lower() for part in path}
    place = -1 if said & FIRST else 1 if said & LAST else 0
    return place, names.natural_key(".".join(path))
