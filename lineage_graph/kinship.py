"""Records of what a model has from several others; they pass from the stages after scoring to the assembly."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

Node = TypeVar("Node", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Blend:
    """A model that is a weighted sum of others, tensor by tensor.

    ``method``: ``linear`` (coefficients add up to 1, the same everywhere), ``slerp`` (on the arc between two),
    ``task-arithmetic`` (a base plus scaled differences from it) or ``ties`` (the same, trimmed: the sum explains most
    of the model, not all). ``parents``: ids, the base of task arithmetic too. ``coefficients``, ``uncertainties``:
    one number a parent, the latter in the same unit (spread over the tensors). ``residual``: ‖child - Σ‖² over the
    squared distance to the nearest single parent, 0 to 1. ``confidence``: 0 to 1, that the child is a blend of these.
    ``base``: the parent whose fine-tunes the others are, where the sum says so (it is taken off, or stands where all
    updates were trimmed); else empty.
    """

    child: str
    method: str
    parents: tuple[str, ...]
    coefficients: tuple[float, ...]
    uncertainties: tuple[float, ...]
    residual: float
    confidence: float
    base: str = ""


@dataclass(frozen=True, slots=True)
class BlockOrigin:
    """Where one block of a model comes from.

    ``block``: the common part of its tensors' names (``blocks.3``), in the order of the network. ``model``, ``there``:
    the model of the zoo and its block that it most probably comes from; empty where no block of the zoo agrees beyond
    chance. ``probability``: 0 to 1, of that origin among all blocks of the zoo and *none*. ``cosine``: centred, of the
    two blocks' matrices. ``runners``: the next likely (model, block, probability), at most three.
    """

    block: str
    model: str
    there: str
    probability: float
    cosine: float
    runners: tuple[tuple[str, str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Splice:
    """A model that was put together from blocks of several others. ``blocks``: by parent's id, what came from it.

    ``confidence``: 0 to 1, that the blocks come from just these.
    """

    child: str
    blocks: tuple[tuple[str, tuple[str, ...]], ...]
    confidence: float


def parents(one: Blend | Splice) -> tuple[str, ...]:
    """Ids of the parents."""
    return one.parents if isinstance(one, Blend) else tuple(parent for parent, _ in one.blocks)


def ancestors(first: Iterable[Node], above: Mapping[Node, Sequence[Node]]) -> set[Node]:
    """``first``, and whatever they descend from. ``above``: the parents of each that has any."""
    found: set[Node] = set()
    waiting = list(first)
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += above.get(node, ())
    return found
