"""Pairs that share models come soon after one another."""

from collections import OrderedDict

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage_graph.cached import Artefact, Workshop
from lineage_graph.executors import SerialExecutor
from lineage_graph.locality import along
from lineage_graph.store import Store
from lineage_graph.types import silent


def loads(pairs, held):
    """Models that are read where the last ``held`` used stay in memory."""
    kept, count = OrderedDict(), 0
    for one in (end for pair in pairs for end in pair):
        count += one not in kept
        kept[one] = None
        kept.move_to_end(one)
        if len(kept) > held:
            kept.popitem(last=False)
    return count


@settings(deadline=None)  # the first call imports scipy
@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8))))
def test_every_pair_has_its_place(pairs):
    assert sorted(along(pairs)) == list(range(len(pairs)))


def test_families_are_read_about_once():
    dice = np.random.default_rng(0)
    names = dice.permutation(100)
    families = [names[start : start + 10] for start in range(0, 100, 10)]
    pairs = [(f"m{a}", f"m{b}") for family in families for a in family for b in family if a < b]
    pairs = [pairs[place] for place in dice.permutation(len(pairs))]
    assert loads(pairs, 12) > 600
    assert loads([pairs[place] for place in along(pairs)], 12) == 100


def test_a_long_chain_of_neighbours_too():
    dice = np.random.default_rng(0)
    names = dice.permutation(200)
    pairs = [(int(names[i]), int(names[i + step])) for step in (1, 2, 3) for i in range(200 - step)]
    pairs = [pairs[place] for place in dice.permutation(len(pairs))]
    assert loads([pairs[place] for place in along(pairs)], 12) <= 210


def test_outcomes_come_in_the_order_of_the_work(tmp_path):
    shop = Workshop(SerialExecutor(), Store(tmp_path), silent)
    pairs = [(1, 9), (3, 4), (9, 2), (4, 5)]
    kept = Artefact("sum", lambda value: str(value).encode(), int)
    for _ in range(2):
        found = shop.map_pairs(kept, sum, [(str(number), pair) for number, pair in enumerate(pairs)], pairs)
        assert [outcome.value for outcome in found] == [10, 7, 11, 9]
