"""The level that strangers reach, on made-up zoos."""

import numpy as np

from fingerprints import model
from lineage_graph.strangers import levels


def zoo(count, shared, families=1, noise=0.1):
    """``count`` models of strangers that share a part of every weight, each with ``families`` near relatives."""
    generator = np.random.default_rng(0)
    common = generator.standard_normal((3, 40, 40))
    found = []
    for index in range(count):
        own = generator.standard_normal((3, 40, 40))
        base = np.sqrt(shared) * common + np.sqrt(1 - shared) * own
        for copy in range(families):
            weights = base + noise * copy * generator.standard_normal((3, 40, 40))
            found.append(model(f"m{index}-{copy}", {f"layers.{i}.weight": w for i, w in enumerate(weights)}))
    return found


def test_strangers_that_share_nothing_stay_low():
    (level,) = levels(zoo(12, 0.0)).values()
    assert 0.1 < level < 0.35


def test_what_all_have_in_common_is_no_relation():
    (level,) = levels(zoo(12, 0.4)).values()
    assert level > 0.45


def test_relatives_do_not_raise_the_level():
    (level,) = levels(zoo(8, 0.0, families=4)).values()
    assert level < 0.35


def test_too_few_strangers_tell_nothing():
    assert levels(zoo(1, 0.0, families=8)) == {}
    assert levels(zoo(4, 0.0)) == {}


def test_the_order_of_models_does_not_matter():
    models = zoo(9, 0.2)
    assert levels(models) == levels(models[::-1])
