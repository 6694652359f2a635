import pytest
import torch
from torch import Tensor

from features.networks import KINDS, tiny
from lineage_graph.features import linearize
from lineage_graph.features.similarity import SIMILARITIES

EXACT = 1e-9
"""Relative error in float64; the exact forms owe 1e-6."""


def error(found: Tensor, expected: Tensor) -> float:
    return float((found - expected).norm() / expected.norm())


@pytest.mark.parametrize("kind", KINDS)
def test_forward_mode_is_the_explicit_jacobian(kind: str) -> None:
    features, parent, step = tiny(kind)
    expected = linearize.explicit_jacobian(features, parent, step)
    primal, tangent = linearize.jvp(features, parent, step)
    assert error(tangent, expected) < EXACT
    assert torch.equal(primal, features(parent)) or error(primal, features(parent)) < EXACT


@pytest.mark.parametrize("kind", KINDS)
def test_children_share_a_pass_and_get_their_own_tangents(kind: str) -> None:
    features, parent, step = tiny(kind)
    other = {name: values.flip(0) for name, values in step.items()}
    primal, tangents = linearize.jvps(features, parent, [step, other])
    assert primal.shape == features(parent).shape
    for found, delta in zip(tangents, (step, other), strict=True):
        assert error(found, linearize.explicit_jacobian(features, parent, delta)) < EXACT


@pytest.mark.parametrize("kind", ["mlp", "attention"])  # a step across a kink is wrong however short it is
def test_finite_differences_come_close(kind: str) -> None:
    features, parent, step = tiny(kind)
    expected = linearize.explicit_jacobian(features, parent, step)
    assert error(linearize.finite_difference(features, parent, step, step=1e-4), expected) < 1e-5
    # What rounding does to them in the precision that features are computed in:
    features, parent, step = tiny(kind, torch.float32)
    exact = error(linearize.jvp(features, parent, step)[1].double(), expected)
    rounded = error(linearize.finite_difference(features, parent, step, step=1e-4).double(), expected)
    assert exact < rounded / 10


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SIMILARITIES)
@pytest.mark.parametrize("alpha", [1.0, -0.3])
def test_the_taylor_form_is_the_derivative(kind: str, name: str, alpha: float) -> None:
    features, parent, step = tiny(kind)
    similarity = SIMILARITIES[name]
    child = features({key: values + 0.5 * step[key] for key, values in parent.items()}) + 0.01
    plain, moved = linearize.taylor(similarity, features, parent, child, step, alpha)
    primal, tangent = linearize.jvp(features, parent, step)
    _, slope = torch.func.jvp(lambda values: similarity(values, child), (primal,), (tangent,))
    assert float(plain) == pytest.approx(float(similarity(primal, child)), rel=1e-9)
    assert float(moved - plain) == pytest.approx(alpha * float(slope), rel=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_the_pullback_is_the_transpose(kind: str) -> None:
    features, parent, step = tiny(kind)
    primal, pull = linearize.vjp(features, parent)
    for cotangent in (torch.ones_like(primal), primal):
        there = (cotangent * linearize.jvp(features, parent, step)[1]).sum()
        back = linearize.inner(pull(cotangent), step)
        assert float(back) == pytest.approx(float(there), rel=1e-9)


def test_parameters_that_no_feature_depends_on_have_no_slope() -> None:
    features, parent, step = tiny("mlp")
    more, further = {**parent, "head": torch.ones(2)}, {**step, "head": torch.ones(2)}
    body = lambda values: features({name: values[name] for name in parent})  # noqa: E731
    primal, pull = linearize.vjp(body, more)
    assert torch.equal(pull(torch.ones_like(primal))["head"], torch.zeros(2))
    assert error(linearize.jvp(body, more, further)[1], linearize.jvp(features, parent, step)[1]) < EXACT


def test_the_difference_leaves_new_parts_out() -> None:
    parent = {"a": torch.ones(2), "b": torch.ones(3), "c": torch.ones(1)}
    child = {"a": torch.full((2,), 3.0), "b": torch.ones(4), "new": torch.ones(1)}
    found = linearize.difference(child, parent)
    assert {name: values.tolist() for name, values in found.items()} == {"a": [2, 2], "b": [0, 0, 0], "c": [0]}
