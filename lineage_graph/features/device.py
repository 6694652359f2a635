"""Where passes run: on the cores, or on a GPU, which rounds otherwise and is made to round little.

With TF32 off and one algorithm for each convolution, what a GPU computes differs from the cores by the order of sums in
float32, as one build of BLAS does from another.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from lineage_graph.errors import DeviceError
from lineage_graph.features.linearize import Parameters
from lineage_graph.features.models import Network


def require_gpu() -> None:
    """Raises :class:`~lineage_graph.errors.DeviceError` where torch sees no CUDA GPU on this machine."""
    if not torch.cuda.is_available():
        built = "" if torch.version.cuda else "; this torch is built without CUDA"
        raise DeviceError(f"--device cuda: torch sees no GPU on this machine{built}")


def placed(network: Network, device: str) -> Network:
    """The network with its tensors on ``device``, a device of torch. Raises ``DeviceError`` where that has no GPU."""
    if device == "cpu":
        return network
    if device == "cuda":
        require_gpu()
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.deterministic = True
    parameters, constants = (_moved(tensors, device) for tensors in (network.parameters, network.constants))
    return replace(network, parameters=parameters, constants=constants)


def _moved(tensors: Parameters, device: str) -> Parameters:
    return {name: values.to(device) for name, values in tensors.items()}
