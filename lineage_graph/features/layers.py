"""Where in a network features are read, and how: its stages, what comes behind them, and a pass that stops early."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from lineage_graph.errors import FeaturesUnavailableError


def stages(module: nn.Module) -> tuple[str, ...]:
    """A timm network's feature stages, early to late, as names of modules.

    As ``feature_info`` lists them; where that names modules which are not there, the parts of the largest chain.
    Raises :class:`FeaturesUnavailableError` for a network without either.
    """
    known = dict(module.named_modules())
    info: Any = getattr(module, "feature_info", None) or ()
    named = [str(stage["module"]) for stage in getattr(info, "info", info)]
    listed = [name for name in dict.fromkeys(named) if name and name in known]
    if listed:
        return tuple(_called(name, known[name]) for name in listed)
    chains = {name: part for name, part in known.items() if isinstance(part, nn.Sequential | nn.ModuleList)}
    if not chains:
        raise FeaturesUnavailableError(f"{type(module).__name__} has no stages to read features from")
    largest = max(chains, key=lambda name: sum(values.numel() for values in chains[name].parameters()))
    return tuple(_called(f"{largest}.{name}", part) for name, part in chains[largest].named_children())


def _called(name: str, part: nn.Module) -> str:
    """A list of modules is never called itself: its last one is."""
    while isinstance(part, nn.ModuleList) and len(part):
        name, part = f"{name}.{len(part) - 1}", part[-1]
    return name


def behind(module: nn.Module, last: str) -> frozenset[str]:
    """Names of the parameters and buffers that are defined behind the module ``last``: the head's, for a last stage."""
    found: list[str] = []
    past = passed = False
    for prefix, part in module.named_modules():
        inside = f"{prefix}.".startswith(f"{last}.")
        passed = passed or inside
        past = past or (passed and not inside)
        if past:
            found += [f"{prefix}.{name}" for name in _own(part)]
    return frozenset(found)


def _own(part: nn.Module) -> Iterator[str]:
    yield from (name for name, _ in part.named_parameters(recurse=False))
    yield from (name for name, _ in part.named_buffers(recurse=False))


def called(module: nn.Module, last: str, inputs: Tensor) -> frozenset[str]:
    """Names of the modules that a pass on ``inputs`` calls before the module ``last`` is done.

    What is defined behind a last stage is not always computed behind it: the norms and position encodings of some
    networks run between the stages. A pass that fails on such inputs tells what it called until then.
    """
    found: set[str] = set()
    handles = [
        part.register_forward_pre_hook(lambda _, __, name=name: found.add(name))
        for name, part in module.named_modules()
    ]
    try:
        with torch.no_grad():
            run_to(module, last, {}, inputs)
    except Exception:  # noqa: BLE001 - whatever went wrong, the pass on real inputs will say it
        return frozenset(found)
    finally:
        for handle in handles:
            handle.remove()
    return frozenset(found)


class _ReachedError(Exception):
    """The pass has come to the layer that was asked for."""


def run_to(module: nn.Module, layer: str, tensors: Mapping[str, Tensor], inputs: Tensor) -> Any:
    """What the layer puts out first; nothing behind it is computed. ``tensors`` stand in for the module's own.

    Works under ``torch.func``: no exception leaves this function that the pass itself did not raise. Raises
    :class:`FeaturesUnavailableError` where the pass never comes to the layer.
    """
    outputs: list[Any] = []

    def stop(_: nn.Module, __: Any, output: Any) -> None:
        outputs.append(output)
        raise _ReachedError

    handle = module.get_submodule(layer).register_forward_hook(stop)
    try:
        torch.func.functional_call(module, dict(tensors), (inputs,))
    except _ReachedError:
        return outputs[0]
    finally:
        handle.remove()
    raise FeaturesUnavailableError(f"the layer {layer} takes no part in the forward pass")


def as_matrix(output: object, inputs: int, *, pool: bool = False, channels_last: bool = False) -> Tensor:
    """A layer's output as features, shape (inputs, features).

    Several tensors (branches of a network) are put side by side; sizes that travel with them are dropped. ``pool``:
    average over positions; an output of four dimensions has its channels second, or last where ``channels_last``; one
    of three is (inputs, positions, channels). Raises :class:`FeaturesUnavailableError` for an output without a tensor.
    """
    parts = [_pooled(part, channels_last) if pool else part for part in _tensors(output)]
    if not parts:
        raise FeaturesUnavailableError(f"the layer puts out a {type(output).__name__}, not a tensor")
    return torch.cat([part.reshape(inputs, -1) for part in parts], dim=1)


def _tensors(output: object) -> Iterator[Tensor]:
    if isinstance(output, Tensor) and output.is_floating_point():
        yield output
    elif isinstance(output, list | tuple):
        for part in output:
            yield from _tensors(part)


def _pooled(output: Tensor, channels_last: bool) -> Tensor:
    if output.ndim == 4:
        return output.mean(dim=(1, 2) if channels_last else (2, 3))
    return output.mean(dim=1) if output.ndim == 3 else output
