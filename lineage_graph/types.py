"""Frozen records that pass between the stages; numpy only, no torch.

Read from top to bottom, the records follow the pipeline of ``build.py``:
``Checkpoint`` → ``Fingerprint`` → ``CandidatePair`` → ``PairEvidence`` → ``ScoredPair`` → ``LineageGraph``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from lineage_graph import names
from lineage_graph.declarations import Card, Claim, Finding

if TYPE_CHECKING:
    import networkx as nx

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """What is known of a tensor before any of its values is read.

    ``dtype`` is the stored type's usual name (``float32``, ``bfloat16``, ``int64``, ``q4_0`` …).
    """

    name: str
    shape: tuple[int, ...]
    dtype: str

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def floating(self) -> bool:
        """Real-valued: floating point, or quantised and read as float32."""
        return not self.dtype.startswith(("int", "uint", "bool", "complex"))


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One model of the zoo as files on disk.

    ``digest`` is the SHA-256 of the weights' bytes in hex: of the file itself, or, for a folder, of the lines
    ``<sha256>  <relative name>`` of its weight files in name order. ``path``: absolute, what ``open_checkpoint`` takes.
    ``created``, ``card``, ``claims`` and ``declared_parents`` (the claims by id, or by name where the zoo lacks them)
    are what people say, never trusted.
    """

    id: str
    path: str
    digest: str
    source: str
    arch: str | None = None
    created: date | None = None
    declared_parents: tuple[str, ...] = ()
    card: Card | None = None
    claims: tuple[Claim, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """A model that could not be used: ``error`` is the exception's class name, ``message`` one line."""

    id: str
    error: str
    message: str
    stage: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class TensorFingerprint:
    """One tensor's share of a fingerprint.

    ``hash``: XXH3-128 of the values as little-endian float32 in C order (integers as int64), so that the same values
    in another format or a wider type hash alike. ``mean``, ``std``, ``norm`` (L2 of the raw values) and ``kurtosis``
    (normal: 3) are over all elements, or a sample of a large tensor's. ``zeros``: share of exact zeros, 0 to 1.
    ``weight``: whether it can be a trained weight; not so for integers, running statistics, masks, limits and constant
    buffers of two values. ``sketch``: seeded random projection of the centred values, shape ``(sketch.NARROW,)``; empty
    for tensors that are no weight matrices.

    Of a sample of the elements: ``bits``, significant binary digits that the values use (24 for full float32, 11 for
    half, 8 for bfloat16 precision, fewer on a lattice of powers of two); ``levels``, distinct values among its first
    4096 non-zero ones; and for weight matrices ``profile``, shape (16,): quantiles of |w| over the root-mean-square of
    its output unit, which permuting units and scaling them leave as they are (empty otherwise).
    """

    spec: TensorSpec
    hash: str
    mean: float
    std: float
    norm: float
    kurtosis: float
    zeros: float
    weight: bool
    sketch: FloatArray
    bits: int = 24
    levels: int = 0
    profile: FloatArray = field(default_factory=lambda: np.zeros(0, dtype=np.float32))

    @property
    def is_matrix(self) -> bool:
        """Is it a weight matrix, that is: can it carry evidence of descent?"""
        return self.sketch.size > 0


@dataclass(frozen=True)
class Fingerprint:
    """What the later stages know of one checkpoint's weights. Content only: no name, no path, no date.

    ``tensors`` are in natural order of their names. ``counters`` are numbers stored in the checkpoint that grow with
    training (``num_batches_tracked``, ``epoch``, ``num_timesteps`` …), by canonical name. ``signature`` is a digest of
    the backbone's shapes, the head left out. ``sketch`` has shape ``(MODEL_SKETCH_SIZE,)`` and unit length (or is all
    zeros): its inner products approximate the cosine between models of one signature. ``architecture`` is what the
    checkpoint says of itself, or ``""``.
    """

    digest: str
    format: str
    architecture: str
    parameters: int
    signature: str
    tensors: tuple[TensorFingerprint, ...]
    counters: Mapping[str, float]
    sketch: FloatArray

    @cached_property
    def backbone(self) -> tuple[TensorFingerprint, ...]:
        """The tensors that can be inherited: trained weights, without the head (unless all is head)."""
        weights = [tensor for tensor in self.tensors if tensor.weight]
        heads = names.heads((t.spec.name for t in weights), (t.spec.name for t in weights if t.is_matrix))
        return tuple(t for t in weights if t.spec.name not in heads)


@dataclass(frozen=True, slots=True)
class LinearizedFeatures:
    """What a network computes on the probes, sketched: as it is, and linearized at the anchor of its ``group``.

    ``group``: architecture and input shape. ``anchored``, ``plain``: shape (``sketch.WIDE``,), of unit length, features
    centred over the probes; inner products approximate the cosine in function space between models of one group.
    ``note``: what of the checkpoint was not used. Where no network can be built from the weights, ``group`` and the
    sketches are empty, and ``note`` says why.
    """

    group: str
    note: str
    anchored: FloatArray = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    plain: FloatArray = field(default_factory=lambda: np.zeros(0, dtype=np.float32))


@dataclass(frozen=True, slots=True)
class Model:
    """A checkpoint that was read, with its fingerprint, and its features where a network could be built."""

    checkpoint: Checkpoint
    fingerprint: Fingerprint
    features: LinearizedFeatures | None = None

    @property
    def id(self) -> str:
        """The model's id in the manifest."""
        return self.checkpoint.id

    @property
    def sampled(self) -> bool:
        """Is only a sample of its weights known? Then the fingerprint has no tensors, and an empty sketch."""
        return not self.fingerprint.tensors


@dataclass(frozen=True, slots=True)
class CandidatePair:
    """Two models worth a closer look; undirected. ``similarity``: cosine estimated from sketches, -1 to 1.

    ``invariant``: nothing speaks for it but what no order and no scale of units changes.
    """

    a: str
    b: str
    similarity: float
    invariant: bool = False


@dataclass(frozen=True, slots=True)
class TensorComparison:
    """Exact second moments of one aligned pair of tensors, read from the weights.

    ``size``: elements. ``rows``: output units of a weight matrix (0 where the tensor is none: a bias, a scale).
    ``cosine``: of the centred values, -1 to 1. ``z``: agreement unit by unit in standard deviations of its null, in
    which the units of ``b`` are permuted at random (see ``comparison.permutation_z``).
    ``squared_distance``: ‖a - b‖²; ``squared_norm_a``, ``squared_norm_b``: ‖·‖² (all three raw, not centred).
    ``identical``: every value equal (up to rounding, where units had to be scaled back). ``layout``: how b's values
    were laid out anew before they were compared (empty: as they are; see ``layouts``; ``units``: in the order of a's
    units; ``scaled``: the side whose units vary less is in the scale of the other). ``tail``: share of ‖a - b‖² beyond
    the rank that a low-rank adapter can have, 0 to 1; NaN where it was not measured. ``rank_a``, ``rank_b``: effective
    ranks (see ``comparison.effective_rank``), from 1; NaN where they were not measured. ``spread``: where units had to
    be scaled back, by how much more the ln of the norms of b's vary than those of a's (difference of variances, over
    rows and columns); NaN elsewhere.
    """

    name_a: str
    name_b: str
    size: int
    rows: int
    cosine: float
    z: float
    squared_distance: float
    squared_norm_a: float
    squared_norm_b: float
    identical: bool
    layout: str = ""
    tail: float = math.nan
    rank_a: float = math.nan
    rank_b: float = math.nan
    spread: float = math.nan


@dataclass(frozen=True, slots=True)
class FeatureComparison:
    """Two networks of one architecture by their features on the same probes.

    Distances are mean absolute differences over the spread of the features: 0 for equal features, beyond 1 for
    strangers, and without bound where a linearization does not hold. ``plain``: without approximation. ``forward``:
    from a, linearized towards b, to b; ``backward``: from b, linearized towards a, to a. The same for linear CKA, 0 to
    1. ``form``: ``exact``; or ``taylor``, a first-order estimate whose distances are lower bounds (see
    ``features.pairwise``), where the network has no forward mode: ``note`` says why.
    """

    plain: float
    forward: float
    backward: float
    cka_plain: float
    cka_forward: float
    cka_backward: float
    form: str = "exact"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Detection:
    """What the learned detector says of a pair (a, b), probabilities from 0 to 1.

    ``forward``: that a is the nearest ancestor of b among the candidates for b's parent; ``backward``: that b is that
    of a, among those for a's.
    """

    forward: float
    backward: float


@dataclass(frozen=True, slots=True)
class PairEvidence:
    """Everything measured about one pair.

    ``signals`` by name; a signal that does not apply is absent, never 0. ``coverage``: aligned parameters over the
    parameters of the smaller backbone, 0 to 1.
    """

    a: str
    b: str
    coverage: float
    signals: Mapping[str, float]
    tensors: tuple[TensorComparison, ...] = ()


@dataclass(frozen=True, slots=True)
class DirectionCue:
    """One signal's opinion on the direction: ``log_odds`` > 0 says a → b (natural logarithm).

    ``sign_prior``: probability that the quantity grows from parent to child as supposed, 0.5 to 1. Below 1 the sign
    differs between families (norm, kurtosis), though not within one, and is learned from the family as a whole.
    ``together``: what it has its sign in common with other cues by, if by anything.
    """

    name: str
    log_odds: float
    sign_prior: float = 1.0
    together: str = ""

    @property
    def sign(self) -> str:
        """What stands for its sign: equal for cues that only reverse together."""
        return self.together or self.name


@dataclass(frozen=True, slots=True)
class ScoredPair:
    """A judged pair. ``confidence``: probability that the two are related, 0 to 1. ``distance``: relative weight
    distance ‖a - b‖ / √(‖a‖‖b‖) over the aligned tensors. ``reason`` says why a low confidence is low.
    """

    a: str
    b: str
    kind: str
    confidence: float
    distance: float
    direction: tuple[DirectionCue, ...]
    evidence: Mapping[str, float]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A near miss: no edge was drawn between ``a`` and ``b``, and why."""

    a: str
    b: str
    confidence: float
    distance: float
    reason: str


@dataclass(frozen=True)
class LineageGraph:
    """The result: a directed acyclic graph, parent → child, with the attributes of the contract on nodes and edges.

    Node attributes: ``label`` str, ``family`` int, ``generation`` int (1 = root), ``role`` str, ``architecture`` str,
    ``parameters`` int, ``format`` str, ``source`` str, ``sha256`` str, ``declared_parents`` list[str], ``features`` str
    (the network that gave features, or why there are none), ``weights`` str (``sampled`` where no more of them is
    known than that they are like nobody's, else empty), ``license`` str, ``created`` str (an ISO date), ``library``
    str (of the card, empty where nobody says), ``audit`` str (the worst verdict of the audit on the model, or empty),
    ``status`` str (``ok`` or the error's name), ``message`` str (empty when ok). A failed model is a node with family
    and generation 0 and role ``isolated``. Edge attributes: ``kind`` str, ``confidence`` float,
    ``direction_confidence`` float, ``distance`` float, ``evidence`` dict[str, float], ``declared`` str,
    ``by_block`` dict[str, float] (relative distance of each block of the child, in network order).
    ``audit``: what the weights say of the models' cards, worst first.
    """

    name: str
    graph: nx.DiGraph[str]
    rejected: tuple[Rejected, ...] = ()
    failures: tuple[Failure, ...] = ()
    audit: tuple[Finding, ...] = ()


Unit = Literal["items", "bytes"]
"""What a stage counts."""


class Progress(Protocol):
    """How a stage tells how far it is."""

    def __call__(self, stage: str, done: int, total: int, unit: Unit = "items") -> None:
        """``done`` of ``total`` of ``stage`` are finished."""


def silent(stage: str, done: int, total: int, unit: Unit = "items") -> None:
    """A :class:`Progress` that says nothing."""


@dataclass(frozen=True)
class RunRecord:
    """What ``run.json`` holds besides the graph: ``timings`` in seconds by stage, ``counts`` by name."""

    version: str
    settings: Mapping[str, Any]
    timings: Mapping[str, float]
    counts: Mapping[str, int]
    failures: tuple[Failure, ...] = field(default=())
