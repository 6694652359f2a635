import math

import pytest
import torch

from features.networks import KINDS, Doubled, moved, tiny
from lineage_graph.errors import FeaturesUnavailableError
from lineage_graph.features import linearize
from lineage_graph.features.approximate import TOGETHER, Child, approximate
from lineage_graph.features.linearize import FeatureFunction, Parameters
from lineage_graph.features.similarity import SIMILARITIES


def family(kind: str, count: int) -> tuple[FeatureFunction, Parameters, list[Child]]:
    features, parent, step = tiny(kind)
    others = [moved(parent, 0.3 * i + 0.1, step) for i in range(count)]
    return features, parent, [Child(values, features(values)) for values in others]


@pytest.mark.parametrize("kind", KINDS)
def test_similarities_with_and_without(kind: str) -> None:
    features, parent, children = family(kind, TOGETHER + 1)
    found = approximate(features, parent, children, alpha=0.7)
    assert len(found) == len(children)
    for child, one in zip(children, found, strict=True):
        primal, tangent = linearize.jvp(features, parent, linearize.difference(child.parameters, parent))
        assert one.form == "exact"
        assert not one.note
        for name, similarity in SIMILARITIES.items():
            assert one.plain[name] == pytest.approx(float(similarity(primal, child.features)), rel=1e-9, abs=1e-12)
            expected = float(similarity(primal + 0.7 * tangent, child.features))
            assert one.linearized[name] == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_the_approximation_comes_nearer_to_a_child(kind: str) -> None:
    features, parent, children = family(kind, 1)
    (found,) = approximate(features, parent, children)
    for name in SIMILARITIES:
        assert found.linearized[name] > found.plain[name], name


def test_without_forward_mode_it_is_the_taylor_form_and_says_so() -> None:
    features, parent, children = family("conv", 2)
    blocked = lambda values: Doubled.apply(features(values)) / 2  # noqa: E731
    for child, one in zip(children, approximate(blocked, parent, children, alpha=0.5), strict=True):
        assert one.form == "taylor"
        assert "no forward mode" in one.note
        delta = linearize.difference(child.parameters, parent)
        for name, similarity in SIMILARITIES.items():
            plain, expected = linearize.taylor(similarity, features, parent, child.features, delta, 0.5)
            assert one.plain[name] == pytest.approx(float(plain), rel=1e-9)
            assert one.linearized[name] == pytest.approx(float(expected), rel=1e-9)


def test_a_network_without_any_derivative_gives_the_error() -> None:
    features, parent, children = family("mlp", 1)
    with pytest.raises(FeaturesUnavailableError, match="cannot be differentiated"):
        approximate(lambda values: torch.from_numpy(features(values).detach().numpy()), parent, children)


def test_alpha_must_be_a_number() -> None:
    features, parent, children = family("mlp", 1)
    with pytest.raises(ValueError, match="alpha"):
        approximate(features, parent, children, alpha=math.nan)
