from dataclasses import replace

import numpy as np
import pytest

from lineage_graph.signals.matched import measure
from pairs import context


def scaled_back(spreads):
    """A pair of equal matrices whose units had to be scaled back, with the ``spreads`` by name; NaN: they had not."""
    generator = np.random.default_rng(0)
    state = {name: generator.standard_normal((8 * rows, 16)) for rows, name in enumerate(spreads, 1)}
    found = context(state, state)
    laid = (replace(t, layout="units", spread=spreads[t.name_a]) for t in found.tensors)
    return replace(found, tensors=tuple(laid))


def test_the_side_of_more_unequal_units_was_rescaled():
    """By size: 8 rows at 0.2, 16 at 0.5, 24 that were not scaled."""
    found = measure(scaled_back({"a": 0.2, "b": 0.5, "c": np.nan}))
    assert found["spread_gain"] == pytest.approx((0.2 + 2 * 0.5) / 3)


def test_units_in_another_order_alone_have_no_spread():
    assert "spread_gain" not in measure(scaled_back({"a": np.nan, "b": np.nan}))
