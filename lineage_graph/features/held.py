"""Networks that a worker has just used, kept for the next pair that needs them: a model is in many pairs.

Reading a checkpoint and building its network takes longer than comparing two small ones.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from lineage_graph.features.anchored import probes_for
from lineage_graph.features.device import placed
from lineage_graph.features.folding import folded
from lineage_graph.features.linearize import FeatureFunction
from lineage_graph.features.models import Network, load_network
from lineage_graph.features.settings import ProbeSettings

HELD_BYTES = 512 << 20
"""What a worker keeps at most: 250 models of half a million parameters. A model beyond it is read for each pair."""


@dataclass(frozen=True, slots=True)
class Side:
    """A checkpoint. ``digest``: of its bytes, so that a file that is written anew is read anew. ``architecture``: the
    timm name that the manifest gives, if any.
    """

    path: str
    digest: str
    architecture: str | None


@dataclass(frozen=True, slots=True)
class Ready:
    """A folded network, its ``features`` on the probes as a function of the parameters, pooled, and its ``own`` ones,
    shape (probes, features).
    """

    network: Network
    features: FeatureFunction
    own: Tensor

    @property
    def size(self) -> int:
        """Bytes of its tensors."""
        tensors = [*self.network.parameters.values(), *self.network.constants.values(), self.own]
        return sum(values.nbytes for values in tensors)


_held: OrderedDict[tuple[str, str | None, ProbeSettings], Ready] = OrderedDict()


def ready(side: Side, probes: ProbeSettings) -> Ready:
    """The checkpoint's network and features, held or loaded. Raises :class:`~lineage_graph.errors.ModelError`."""
    key = (side.digest, side.architecture, probes)
    found = _held.pop(key, None) or _load(side, probes)
    _held[key] = found  # the last is the latest used
    total = sum(one.size for one in _held.values())
    while total > HELD_BYTES:
        total -= _held.popitem(last=False)[1].size
    return found


def _load(side: Side, settings: ProbeSettings) -> Ready:
    network = placed(folded(load_network(Path(side.path), side.architecture)), settings.device)
    features = network.features(network.layer(settings.depth), probes_for(network, settings), pool=True)
    with torch.no_grad():
        return Ready(network, features, features(network.parameters))
