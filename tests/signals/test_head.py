import numpy as np
import pytest

from lineage_graph.signals.head import measure
from pairs import context


@pytest.fixture
def generator():
    return np.random.default_rng(0)


def net(generator, classes=10, head="head"):
    return {
        "body.weight": generator.standard_normal((32, 32)),
        f"{head}.weight": generator.standard_normal((classes, 32)),
        f"{head}.bias": generator.standard_normal(classes),
    }


def test_a_head_that_goes_on_is_near_itself(generator):
    a = net(generator)
    b = {name: w + 0.1 * generator.standard_normal(w.shape) for name, w in a.items()}
    found = measure(context(a, b))
    assert found["head_cosine"] > 0.9
    assert found["head_identical"] == 0
    assert measure(context(b, a)) == found


@pytest.mark.parametrize("classes", [10, 7])
def test_a_new_head_has_nothing_of_the_old(generator, classes):
    found = measure(context(net(generator), net(generator, classes)))
    assert abs(found["head_cosine"]) < 0.45
    assert found["head_identical"] == 0


def test_equal_heads_are_equal_in_another_layout_and_beside_profilers_numbers(generator):
    a = net(generator)
    b = a | {"head.weight": a["head.weight"].T, "head.total_ops": np.ones(1)}
    assert measure(context(a, b)) == {"head_cosine": 1.0, "head_identical": 1.0}
    renamed = {name.replace("head", "classifier"): w for name, w in a.items()}
    assert measure(context(a, renamed)) == {"head_cosine": 1.0, "head_identical": 1.0}
    a |= {"head.norm.weight": generator.standard_normal(32), "head.norm.bias": generator.standard_normal(32)}
    swapped = {"body.weight": a["body.weight"]} | {
        f"head.{n}": w for n, w in zip("abcd", list(a.values())[:0:-1], strict=True)
    }
    assert measure(context(a, swapped))["head_identical"] == 1


def test_without_a_head_there_is_nothing_to_say(generator):
    a = net(generator)
    assert measure(context(a, {"body.weight": a["body.weight"]})) == {}
