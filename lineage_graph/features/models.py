"""From a checkpoint to a network whose features can be read and differentiated.

The network is timm's: of the architecture that the caller names, else of the one that the checkpoint or the config
beside it names, else of the one whose tensors have these names and shapes. No code of the checkpoint runs, and nothing
is fetched.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lineage_graph.checkpoints import open_checkpoint
from lineage_graph.checkpoints.base import Reader
from lineage_graph.errors import FeaturesUnavailableError
from lineage_graph.features.layers import as_matrix, run_to
from lineage_graph.features.linearize import FeatureFunction, Parameters
from lineage_graph.features.registry import Match, fit, registered, search
from lineage_graph.features.skeleton import Shapes, Skeleton
from lineage_graph.names import natural_key


@dataclass(frozen=True)
class Network:
    """A network with a checkpoint's weights, in evaluation mode.

    ``parameters``: the body's, float32, by timm's names; ``constants``: what is not differentiated: running statistics
    and the head, as far as the checkpoint has them. ``head``: the checkpoint's tensors that belong to the head, and
    ``unplaced``: those that belong nowhere, by the checkpoint's names; both are left out of ``parameters``.
    """

    skeleton: Skeleton
    parameters: Parameters
    constants: Parameters
    head: tuple[str, ...]
    unplaced: tuple[str, ...]

    @property
    def architecture(self) -> str:
        """Timm's name."""
        return self.skeleton.plan.architecture

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(channels, height, width) of the probes it takes."""
        return self.skeleton.input_shape

    @property
    def layers(self) -> tuple[str, ...]:
        """Feature stages, early to late, as names of modules."""
        return self.skeleton.outline.stages

    @property
    def group(self) -> str:
        """Equal for networks whose parameters can stand in for one another's, whatever their heads."""
        return f"{self.architecture} {'x'.join(map(str, self.input_shape))}"

    @property
    def note(self) -> str:
        """One sentence on what was not used; empty where everything was."""
        parts = [("head", self.head), ("tensors without a place", self.unplaced)]
        return "; ".join(f"{len(names)} {what} left out ({', '.join(names[:3])})" for what, names in parts if names)

    def layer(self, depth: float) -> str:
        """The feature stage at a share of the depth: 0 the first, 1 the last. Raises :class:`ValueError` beyond."""
        if not 0 <= depth <= 1:
            raise ValueError(f"depth is a share between 0 and 1, not {depth}")
        return self.layers[round(depth * (len(self.layers) - 1))]

    def features(self, layer: str, probes: Tensor, *, pool: bool = False) -> FeatureFunction:
        """The layer's output on ``probes``, shape (probes, features), as a function of the body's parameters.

        ``layer``: a name from ``layers``, or of any other module; ``""`` is the whole network. ``pool``: average over
        positions. The function computes in the probes' dtype and on their device, and takes parameters of any network
        of the same ``group``; the pass stops at the layer. Raises :class:`FeaturesUnavailableError` where there is no
        such layer, the network does not take such probes, or its features are not finite.
        """
        module = self.skeleton.module
        if layer not in dict(module.named_modules()):
            raise FeaturesUnavailableError(
                f"{self.architecture} has no layer {layer!r}; its stages are: {', '.join(self.layers)}"
            )
        fixed = _like({**dict(module.named_buffers()), **self.constants}, probes)
        channels_last = getattr(module, "output_fmt", None) == "NHWC"

        def read(inputs: Tensor, parameters: Parameters) -> Tensor:
            output = run_to(module, layer, {**fixed, **parameters}, inputs)
            return as_matrix(output, len(inputs), pool=pool, channels_last=channels_last)

        self._probe(read, layer, probes)
        return lambda parameters: read(probes, parameters)

    def _probe(self, read: Callable[[Tensor, Parameters], Tensor], layer: str, probes: Tensor) -> None:
        """One probe goes ahead, so that what does not work is said before anything is differentiated."""
        try:
            with torch.no_grad():
                values = read(probes[:1], _like(self.parameters, probes))
        except FeaturesUnavailableError:
            raise
        except Exception as error:
            detail = " ".join(f"{type(error).__name__}: {error}".split())[:160]
            shape = "×".join(map(str, probes.shape[1:]))
            raise FeaturesUnavailableError(f"{self.architecture} does not take probes of {shape} ({detail})") from error
        if not values.isfinite().all():
            raise FeaturesUnavailableError(f"{self.architecture}: features of {layer!r} are not finite")


def load_network(path: Path, architecture: str | None = None) -> Network:
    """The network of the checkpoint at ``path``, its tensors read one by one.

    ``architecture``: a timm name, as a manifest gives it; it is final. Without it, what the checkpoint says of itself
    is tried first, and the registry is searched where that does not fit. Raises :class:`FeaturesUnavailableError` that
    says why there is no network, and what ``open_checkpoint`` raises.
    """
    with open_checkpoint(path) as reader:
        shapes = {spec.name: spec.shape for spec in reader.tensors if spec.floating}
        try:
            match = _match(shapes, architecture, reader.architecture)
        except FeaturesUnavailableError as error:
            raise FeaturesUnavailableError(f"{path}: {error}") from error
        return _filled(match, shapes, reader)


def _match(shapes: Shapes, given: str | None, reported: str) -> Match:
    if given is not None:
        name = registered(given)
        if name is None:
            raise FeaturesUnavailableError(f"timm has no architecture {given!r}")
        return fit(name, shapes)
    name, reason = registered(reported), ""
    if name is not None:
        try:
            return fit(name, shapes)
        except FeaturesUnavailableError as error:
            reason = f"; it says that it is {name}, but {error}"
    match = search(shapes)
    if match is None:
        raise FeaturesUnavailableError(f"no timm architecture has tensors of these names and shapes{reason}")
    return match


def _filled(match: Match, shapes: Shapes, reader: Reader) -> Network:
    known, prefix = match.skeleton.outline, match.prefix
    buffers = {name for name, _ in match.skeleton.module.named_buffers()}
    own = {name.removeprefix(prefix) for name in shapes if name.startswith(prefix)}
    fixed = [
        name
        for name, shape in known.shapes.items()
        if name in own and shapes[prefix + name] == shape and (name in buffers or name in known.head)
    ]
    head = [name for name in own if name in known.head]
    outside = [name for name in shapes if not name.startswith(prefix)]
    return Network(
        skeleton=match.skeleton,
        parameters={name: _read(reader, prefix + name) for name in known.body},
        constants={name: _read(reader, prefix + name) for name in fixed},
        head=tuple(prefix + name for name in sorted(head, key=natural_key)),
        unplaced=tuple(sorted([*outside, *(prefix + name for name in match.unplaced)], key=natural_key)),
    )


def _read(reader: Reader, name: str) -> Tensor:
    # torch takes no array in another byte order, or one that may not be written to.
    return torch.from_numpy(np.array(reader.read(name), dtype=np.float32))


def _like(tensors: Mapping[str, Tensor], probes: Tensor) -> Parameters:
    """On the probes' device, and in their dtype, but integers."""
    return {
        name: values.to(probes.device, probes.dtype if values.is_floating_point() else values.dtype)
        for name, values in tensors.items()
    }
