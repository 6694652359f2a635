"""What the detector sees of one model: thumbnails of its weights and features, about 50 kB, computed once and kept.

Of the body's weight matrices up to :data:`LAYERS` are taken, each thinned out to at most :data:`SIDE` evenly spaced
rows and columns. Which ones, and at which positions, follows from the names and shapes of the tensors alone, so that
the same weights of two models of one architecture lie at the same place. A backbone under a wrapper's name is the whole
body, and is named as it would be alone, so that it shows what its parent shows, whatever necks and heads it was given.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lineage_graph import names
from lineage_graph.checkpoints import open_checkpoint
from lineage_graph.checkpoints.base import Reader
from lineage_graph.errors import FeaturesUnavailableError, NonFiniteWeightsError
from lineage_graph.features.settings import ProbeSettings
from lineage_graph.moments import Moments
from lineage_graph.store import artefact_key
from lineage_graph.types import FloatArray, TensorSpec

if TYPE_CHECKING:
    from lineage_graph.features.models import Network

SCHEMA = 1
"""Raise it when any number in a portrait changes its meaning: stored portraits are then made anew, and so is what
was learned from them."""
NAMING = 1
"""Raise it when other weights are shown of some models, or by other names, but not of those that detectors learn from:
stored portraits alone are then made anew."""

LAYERS = 8
"""Most weight matrices in a portrait."""
SIDE = 32
"""Most rows, and most columns, that are kept of a matrix."""
PROBES = 16
"""Most probes that features are computed on."""
DEPTHS = (0.25, 0.5, 0.75)
"""Where features are read: shares of the feature stages."""
SMALLEST = 16
"""Elements below which a matrix tells nothing."""


@dataclass(frozen=True, slots=True)
class PortraitTask:
    """What a worker needs: the checkpoint's path, the timm name that the manifest gives, if any, and the probes.

    Of ``probes`` at most :data:`PROBES` are used, and their depth is not: features are read at :data:`DEPTHS`. Without
    probes no network is built, and the portrait shows weights alone.
    """

    path: str
    architecture: str | None
    probes: ProbeSettings | None

    @property
    def paths(self) -> tuple[str, ...]:
        """Of the checkpoints that are read."""
        return (self.path,)


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """One weight matrix (output units, all else), or one layer's pooled features (probes, features), thinned out.

    ``name`` (without a wrapper's prefix) and ``shape``: of the whole; thumbnails that agree in both show the same
    positions. ``depth``: where in the body, 0 to 1 (of weights: the rank in natural order of names). ``rms`` and
    ``kurtosis`` (normal: 3) are of all values. ``values``: at most (``SIDE``, ``SIDE``).
    """

    name: str
    shape: tuple[int, ...]
    depth: float
    rms: float
    kurtosis: float
    values: FloatArray


@dataclass(frozen=True, slots=True)
class Portrait:
    """One model. ``features`` is empty where no network can be built; ``note`` then says why."""

    weights: tuple[Thumbnail, ...]
    features: tuple[Thumbnail, ...] = ()
    note: str = ""


def key(digest: str, probes: ProbeSettings | None) -> str:
    """Under which a portrait is kept; ``digest``: of the checkpoint and of all that says what it is."""
    return artefact_key("portrait", SCHEMA, NAMING, digest, probes.key if probes is not None else ())


def compute(task: PortraitTask) -> Portrait:
    """The portrait of a checkpoint. Weights stream: memory does not grow with the largest tensor.

    Raises a :class:`~lineage_graph.errors.ModelError` where it cannot be read, and
    :class:`~lineage_graph.errors.NonFiniteWeightsError` where one of its matrices is NaN or infinite.
    """
    with open_checkpoint(Path(task.path)) as reader:
        prefix = wrapper(reader.tensors)
        shown = [
            _weight(reader, spec, spec.name.removeprefix(prefix), depth, task.path)
            for spec, depth in chosen(reader.tensors, prefix)
        ]
    weights = tuple(thumbnail for thumbnail in shown if thumbnail is not None)
    if task.probes is None:
        return Portrait(weights, (), "no probes")
    from lineage_graph.features.models import load_network

    try:
        return Portrait(weights, features_of(load_network(Path(task.path), task.architecture), task.probes))
    except FeaturesUnavailableError as error:
        return Portrait(weights, (), str(error).removeprefix(f"{task.path}: "))


def wrapper(tensors: Sequence[TensorSpec]) -> str:
    """What stands before the names of the network proper (``backbone.``, ``module.model.`` …); mostly ``""``.

    A wrapper holds as many weight matrices as a portrait shows, or half of all there are: a single layer may bear such
    a name by chance. Of several the one that holds most.
    """
    matrices, prefix = [spec.name for spec in tensors if _is_matrix(spec)], ""
    while True:
        inside = [name.removeprefix(prefix) for name in matrices if name.startswith(prefix)]
        first = [name.partition(".")[0] for name in inside if "." in name]
        counts = Counter(part for part in first if part.lower() in names.WRAPPER_PARTS)
        part, count = max(counts.items(), key=lambda item: (item[1], item[0]), default=("", 0))
        if not count or count < min(LAYERS, len(inside) / 2):
            return prefix
        prefix += f"{part}."


def chosen(tensors: Sequence[TensorSpec], prefix: str = "") -> list[tuple[TensorSpec, float]]:
    """Which weight matrices of the body are shown, and how deep each lies (its rank among all, 0 to 1).

    The body lies under the ``prefix``. Those with the largest thumbnails; of more than :data:`LAYERS` that are equally
    large, evenly spread ones.
    """
    matrices = [spec for spec in tensors if _is_matrix(spec)]
    heads = names.heads((spec.name for spec in tensors), (spec.name for spec in matrices))
    body = [spec for spec in matrices if spec.name not in heads and spec.name.startswith(prefix)]
    body.sort(key=lambda spec: names.natural_key(spec.name))
    sizes = [_shown(spec.shape) for spec in body]
    enough = min(sorted(sizes, reverse=True)[:LAYERS], default=0)
    large = [rank for rank, size in enumerate(sizes) if size >= enough]
    return [(body[rank], rank / max(1, len(body) - 1)) for rank in _spread(large, LAYERS)]


def _is_matrix(spec: TensorSpec) -> bool:
    return spec.floating and len(spec.shape) >= 2 and spec.size >= SMALLEST and not names.is_state(spec.name)


def _shown(shape: tuple[int, ...]) -> int:
    return math.prod(min(SIDE, side) for side in _flat(shape))


def _flat(shape: tuple[int, ...]) -> tuple[int, int]:
    return shape[0], math.prod(shape[1:])


def _spread(ranks: Sequence[int], most: int) -> list[int]:
    return [ranks[int(position)] for position in _positions(len(ranks), most)]


def _positions(count: int, most: int) -> npt.NDArray[np.int64]:
    """At most ``most`` evenly spaced positions of ``count``, the first and the last among them."""
    return np.linspace(0, max(0, count - 1), min(count, most)).round().astype(np.int64)


def _weight(reader: Reader, spec: TensorSpec, name: str, depth: float, path: str) -> Thumbnail | None:
    """``None`` for a mask: it is equal in unrelated models."""
    rows, columns = _flat(spec.shape)
    kept_rows, kept_columns = _positions(rows, SIDE), _positions(columns, SIDE)
    wanted = (kept_rows[:, None] * columns + kept_columns).reshape(-1)
    moments = Moments(spec.size)
    values = np.empty(wanted.size, dtype=np.float32)
    start = 0
    for piece in reader.chunks(spec.name):
        flat = np.ascontiguousarray(piece, dtype=np.float32)
        moments.add(flat)
        first, last = np.searchsorted(wanted, (start, start + flat.size))
        values[first:last] = flat[wanted[first:last] - start]
        start += flat.size
    if not moments.finite:
        raise NonFiniteWeightsError(f"{path}: tensor {spec.name!r} holds NaN or infinite values")
    if moments.masked or moments.two_valued:
        return None
    rms = math.sqrt(moments.squares / spec.size)
    shown = values.reshape(kept_rows.size, kept_columns.size)
    return Thumbnail(name, spec.shape, depth, rms, moments.kurtosis, shown)


def features_of(network: Network, probes: ProbeSettings) -> tuple[Thumbnail, ...]:
    """Pooled features at :data:`DEPTHS`; of a shallow network that has one stage for several, that stage once.

    Raises :class:`~lineage_graph.errors.FeaturesUnavailableError`.
    """
    import torch

    from lineage_graph.features.anchored import probes_for
    from lineage_graph.features.layers import as_matrix

    inputs = probes_for(network, replace(probes, count=min(probes.count, PROBES)))
    module = network.skeleton.module
    channels_last = getattr(module, "output_fmt", None) == "NHWC"
    depths = {network.layer(depth): depth for depth in DEPTHS}
    *earlier, last = depths
    # One pass to the last of the layers. The others are overheard on the way, and pooled at once: what comes behind
    # them may work in place.
    values: dict[str, Any] = {}

    def overhear(name: str) -> Callable[[Any, Any, Any], None]:
        def take(_: Any, __: Any, output: Any) -> None:
            probed = len(output if isinstance(output, torch.Tensor) else output[0])
            values[name] = as_matrix(output, probed, pool=True, channels_last=channels_last)

        return take

    with ExitStack() as stack, torch.no_grad():
        for name in earlier:
            stack.callback(module.get_submodule(name).register_forward_hook(overhear(name)).remove)
        values[last] = network.features(last, inputs, pool=True)(network.parameters)
    return tuple(
        _features(f"{network.group} {name}", depth, values[name].numpy())
        for name, depth in depths.items()
        if name in values
    )


def _features(name: str, depth: float, values: FloatArray) -> Thumbnail:
    if not np.isfinite(values).all():
        raise FeaturesUnavailableError(f"features of {name!r} are not finite")
    moments = Moments(values.size)
    moments.add(values.reshape(-1))
    rms = math.sqrt(moments.squares / values.size)
    shown = np.ascontiguousarray(values[:, _positions(values.shape[1], SIDE)])
    return Thumbnail(name, values.shape, depth, rms, moments.kurtosis, shown)


def to_bytes(portrait: Portrait) -> bytes:
    """Serialise as safetensors: the values as tensors, all else as JSON metadata."""
    from safetensors.numpy import save

    arrays = {f"{number:02}": thumbnail.values for number, thumbnail in enumerate(_all(portrait))}
    record = {
        "note": portrait.note,
        "weights": len(portrait.weights),
        "thumbnails": [[t.name, t.shape, t.depth, t.rms, t.kurtosis] for t in _all(portrait)],
    }
    return save(arrays, metadata={"portrait": json.dumps(record)})


def from_bytes(data: bytes) -> Portrait:
    """The inverse of :func:`to_bytes`. Raises ``ValueError`` on bytes that are no portrait."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays: dict[str, FloatArray] = load(data)
        header: Any = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        record = json.loads(header["__metadata__"]["portrait"])
        thumbnails = tuple(
            Thumbnail(name, tuple(shape), depth, rms, kurtosis, arrays[f"{number:02}"])
            for number, (name, shape, depth, rms, kurtosis) in enumerate(record["thumbnails"])
        )
        return Portrait(thumbnails[: record["weights"]], thumbnails[record["weights"] :], record["note"])
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"no portrait: {error}") from error


def _all(portrait: Portrait) -> Iterator[Thumbnail]:
    yield from portrait.weights
    yield from portrait.features
