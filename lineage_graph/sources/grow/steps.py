"""What is done to make a model of others: plain records, so that a plan is data; :mod:`.making` does them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Method = Literal["linear", "slerp", "arithmetic", "ties"]
"""Of merging."""


@dataclass(frozen=True, slots=True)
class Train:
    """A training run: from the weights given, or from scratch where there are none.

    ``optimizer``: ``sgd`` (with momentum) or ``adamw``. ``steps``: batches of the whole run; ``stop``: after how many
    it is left, for a snapshot. ``new_head``: on weights that are given, the head starts afresh. ``head_rate``: how many
    times the rate the head learns at. ``shots``: images a class, 0 for all. ``share``: (i, n): every n-th image from
    the i-th. ``frozen``: the share of the parameters' tensors, from the first, that stand still. ``recount``:
    batch-norm counters start at 0 again.
    """

    task: str
    optimizer: str
    learning_rate: float
    weight_decay: float
    steps: int
    stop: int | None = None
    new_head: bool = True
    head_rate: float = 1.0
    shots: int = 0
    share: tuple[int, int] = (0, 1)
    frozen: float = 0.0
    recount: bool = False


@dataclass(frozen=True, slots=True)
class Distill:
    """A student trained from scratch on what a teacher answers (Hinton et al., 2015, Sec. 2). ``course``: its run."""

    course: Train


@dataclass(frozen=True, slots=True)
class Quantize:
    """Fewer values. ``int8``, ``int4``: a lattice for each output channel, kept as floats; ``float16``, ``bfloat16``:
    the element type; ``scaled``: integers times a power of two that is not undone, kept as floats.
    """

    to: Literal["int8", "int4", "float16", "bfloat16", "scaled"]


@dataclass(frozen=True, slots=True)
class Sparsify:
    """The smallest weights of each matrix become 0. ``share``: of them, 0 to 1."""

    share: float


@dataclass(frozen=True, slots=True)
class Narrow:
    """Hidden units with the smallest weights are taken out. ``share``: of them, 0 to 1."""

    share: float


@dataclass(frozen=True, slots=True)
class Adapt:
    """LoRA (Hu et al., ICLR 2022): low-rank updates of the linear layers are trained, and a new head.

    ``form``: ``merged`` into the weights, ``wrapped`` (base and update side by side in one file), or ``alone``.
    """

    course: Train
    rank: int
    form: Literal["merged", "wrapped", "alone"]


@dataclass(frozen=True, slots=True)
class Relayout:
    """The same function stored otherwise. ``transposed``: matrices turned, under other names; ``split-qkv``: one matrix
    each for query, key and value; ``fused-norm``: batch norms multiplied into the convolutions before them.
    """

    to: Literal["transposed", "split-qkv", "fused-norm"]


@dataclass(frozen=True, slots=True)
class Merge:
    """Several models in one, tensor by tensor.

    ``linear``: Σ weights·models. ``slerp``: on the arc from the first to the second, at ``weights[0]``. ``arithmetic``
    (Ilharco et al., ICLR 2023) and ``ties`` (Yadav et al., NeurIPS 2023): the first is the base; ``weights``: of the
    others' differences from it. ``density``: the share of each difference that TIES keeps.
    """

    method: Method
    weights: tuple[float, ...]
    density: float = 0.3


@dataclass(frozen=True, slots=True)
class Splice:
    """Blocks of several models in one. ``blocks``: (block here, number of the donor, block there); what belongs to no
    block comes from the first donor.
    """

    blocks: tuple[tuple[str, int, str], ...]


@dataclass(frozen=True, slots=True)
class Transplant:
    """Backbones inside a new network, side by side under ``prefixes``, with a new neck and head; then trained."""

    prefixes: tuple[str, ...]
    course: Train


@dataclass(frozen=True, slots=True)
class Permute:
    """Hidden units in another order; the outputs stay the same."""


@dataclass(frozen=True, slots=True)
class Rescale:
    """Hidden units before a ReLU times a positive factor, undone after it; the outputs stay the same.

    ``spread``: factors lie between 1/spread and spread.
    """

    spread: float


@dataclass(frozen=True, slots=True)
class Noise:
    """Gaussian noise on each matrix. ``level``: in units of its root mean square."""

    level: float


Step = (
    Train
    | Distill
    | Quantize
    | Sparsify
    | Narrow
    | Adapt
    | Relayout
    | Merge
    | Splice
    | Transplant
    | Permute
    | Rescale
    | Noise
)


def changes_layout(step: Step) -> bool:
    """Whether the result no longer has the names and shapes of its architecture."""
    return isinstance(step, Narrow | Relayout | Transplant) or (isinstance(step, Adapt) and step.form != "merged")
