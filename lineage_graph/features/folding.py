"""Running statistics of batch norm as parameters, so that a linearization sees everything that training moved."""

from __future__ import annotations

from dataclasses import replace

import torch

from lineage_graph.features.models import Network


def folded(network: Network) -> Network:
    """The same function with running means of 0 and variances of 1.

    Fine-tuning moves running statistics too, but they are no parameters: a linearization in the parameters leaves
    their share of the change out, and can then explain less than none at all (a row of ``lgraph bench generations``).
    Batch norm in evaluation mode computes γ(x - μ)/√(σ² + ε) + β. With γ/√(σ² + ε) for γ and β - γμ/√(σ² + ε) for β,
    everything that fine-tuning changed is a parameter, and a derivative can follow it.
    """
    constants, parameters = dict(network.constants), dict(network.parameters)
    for name in network.constants:
        norm = name.removesuffix(".running_mean")
        if norm == name or f"{norm}.weight" not in parameters:
            continue
        epsilon = float(network.skeleton.module.get_submodule(norm).eps)  # type: ignore[arg-type]
        mean, variance = constants[name], constants[f"{norm}.running_var"]
        scale = parameters[f"{norm}.weight"] / torch.sqrt(variance + epsilon)
        parameters[f"{norm}.weight"] = scale
        parameters[f"{norm}.bias"] = parameters[f"{norm}.bias"] - mean * scale
        constants[name] = torch.zeros_like(mean)
        constants[f"{norm}.running_var"] = torch.full_like(variance, 1 - epsilon)
    return replace(network, parameters=parameters, constants=constants)
