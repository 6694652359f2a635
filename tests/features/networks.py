"""Tiny networks as functions of their parameters, and checkpoints of real architectures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lineage_graph.features.linearize import FeatureFunction, Parameters
from lineage_graph.features.race import NetworkFile
from lineage_graph.timm_compat import import_timm

KINDS = ("mlp", "conv", "attention")
PROBES = 6


def tiny(kind: str, dtype: torch.dtype = torch.float64) -> tuple[FeatureFunction, Parameters, Parameters]:
    """A network with smooth and kinked parts: its features on fixed probes, its parameters, and a step in them."""
    torch.manual_seed(0)
    module, shape = _module(kind)
    module.eval()
    probes = torch.randn(PROBES, *shape).to(dtype)
    buffers = {
        name: (torch.rand_like(values) + 0.5).to(dtype) for name, values in module.named_buffers() if values.ndim
    }
    parameters = {name: values.detach().to(dtype) for name, values in module.named_parameters()}
    step = {name: (0.1 * torch.randn(values.shape)).to(dtype) for name, values in parameters.items()}

    def features(values: Parameters) -> Tensor:
        output: Tensor = torch.func.functional_call(module, {**buffers, **values}, (probes,))
        return output.flatten(1)

    return features, parameters, step


def _module(kind: str) -> tuple[nn.Module, tuple[int, ...]]:
    if kind == "mlp":
        return nn.Sequential(nn.Linear(5, 7), nn.GELU(), nn.LayerNorm(7), nn.Linear(7, 4)), (5,)
    if kind == "conv":
        layers = [nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 3, 3, stride=2), nn.MaxPool2d(2)]
        return nn.Sequential(*layers), (2, 9, 9)
    block: nn.Module = import_timm().models.vision_transformer.Block(dim=8, num_heads=2, mlp_ratio=1.0)
    return block, (5, 8)


def model(architecture: str, **options: Any) -> Any:
    """A timm model with initial weights from a fixed seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return import_timm().create_model(architecture, pretrained=False, **options).eval()


class Doubled(torch.autograd.Function):
    """Doubles; has a backward rule and no forward one."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return x * 2

    @staticmethod
    def setup_context(ctx: object, inputs: object, output: object) -> None:
        pass

    @staticmethod
    def backward(ctx: object, slope: Tensor) -> Tensor:
        return slope * 2


def moved(parameters: Parameters, by: float, step: Parameters) -> Parameters:
    """The parameters after a step of some length."""
    return {name: values + by * step[name] for name, values in parameters.items()}


def save(state: dict[str, Tensor], path: Path, **metadata: str) -> Path:
    """Write a state dict as safetensors."""
    from safetensors.torch import save_file

    save_file({name: values.clone().contiguous() for name, values in state.items()}, path, metadata=metadata or None)
    return path


STEPS = {"child": 0.02, "near": 0.01, "mid": 0.1, "far": 0.3, "stray": 1.0}


def distances(folder: Path) -> dict[str, NetworkFile]:
    """Models at growing distances from one root, each in a direction of its own."""
    root = model("test_resnet").state_dict()
    generator = torch.Generator().manual_seed(0)
    found = {}
    for name, step in STEPS.items():
        state = {
            key: values + step * values.std() * torch.randn(values.shape, generator=generator)
            if values.ndim > 1
            else values
            for key, values in root.items()
        }
        found[name] = NetworkFile(str(save(state, folder / f"{name}.safetensors")), "test_resnet")
    return found
