import numpy as np
import pytest

from lineage_graph.signals.spectrum import measure
from pairs import context


@pytest.fixture
def generator():
    return np.random.default_rng(0)


def net(generator):
    return {name: generator.standard_normal((32, 48)) for name in ("first.weight", "second.weight")}


def gathered(state, by):
    """Every matrix with its leading direction ``by`` times as strong."""
    found = {}
    for name, w in state.items():
        u, s, v = np.linalg.svd(w, full_matrices=False)
        s[0] *= by
        found[name] = (u * s) @ v
    return found


def test_the_side_of_fewer_directions_has_lost_rank(generator):
    a = net(generator)
    b = gathered(a, 1.5)
    assert measure(context(a, b))["rank_loss"] > 0
    assert measure(context(b, a))["rank_loss"] == pytest.approx(-measure(context(a, b))["rank_loss"])


def test_a_common_factor_of_both_changes_nothing(generator):
    a = net(generator)
    b = gathered(a, 1.5)
    scaled = [{name: 7 * w for name, w in state.items()} for state in (a, b)]
    assert measure(context(*scaled)) == pytest.approx(measure(context(a, b)), rel=1e-4)


def test_what_was_replaced_or_kept_takes_no_part(generator):
    a = net(generator) | {"kept.weight": generator.standard_normal((32, 32))}
    b = gathered(a, 1.5) | {"kept.weight": a["kept.weight"]}
    neck = [{"neck.weight": np.outer(*generator.standard_normal((2, 32)))}, {"neck.weight": np.eye(32)}]
    parts = [{name: state[name] for name in net(generator)} for state in (a, b)]
    assert measure(context(a | neck[0], b | neck[1])) == pytest.approx(measure(context(*parts)))


def test_equal_models_and_strangers_have_lost_none(generator):
    a = net(generator)
    assert measure(context(a, a)) == measure(context(a, net(generator))) == {}
