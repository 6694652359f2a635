"""Origins of blocks, with probabilities."""

import pytest

from hybrids import network, put_together, surveyed, tuned
from lineage_graph.origins import agreement, log_ratio, origins
from lineage_graph.survey import Match, Surveyed


@pytest.fixture(scope="module")
def zoo(tmp_path_factory):
    """Two strangers, a sibling of the one, a hybrid of both with a block that nobody has, and its own child."""
    a, b = network(1), network(2)
    hybrid = tuned(put_together([(a, 0), (b, 3), (network(9), 2), (a, 1)]), 3)
    states = {"a": a, "sibling": tuned(a, 5), "b": b, "hybrid": hybrid, "child": tuned(hybrid, 4)}
    return surveyed(states, tmp_path_factory.mktemp("zoo"))


def test_every_block_s_origin_is_named(zoo):
    found = {one.block: one for one in origins(zoo, {"hybrid": ["child"]})["hybrid"]}
    assert {block: (one.model, one.there) for block, one in found.items()} == {
        "stem": ("a", "stem"),
        "blocks.0": ("a", "blocks.0"),
        "blocks.1": ("b", "blocks.3"),
        "blocks.2": ("", ""),
        "blocks.3": ("a", "blocks.1"),
    }
    assert all(one.probability > 0.9 for one in found.values())
    assert found["blocks.1"].cosine == pytest.approx(1 / (1 + 0.2**2) ** 0.5, abs=0.01)


def test_descendants_are_candidates_unless_they_are_left_out(zoo):
    assert {one.model for one in origins(zoo)["hybrid"]} == {"child"}


def test_probabilities_of_a_block_add_up_to_at_most_one(zoo):
    for found in origins(zoo).values():
        for one in found:
            assert one.probability + sum(runner[2] for runner in one.runners) <= 1 + 1e-9
            assert all(one.probability >= runner[2] for runner in one.runners)


def layer(*matches, size=4096, block="x"):
    """A block of norm 10 with (model, squared distance) as matches."""
    return Surveyed(block, size, 100.0, tuple(Match(model, block, d, 0.9, 50.0) for model, d in matches))


def test_a_block_that_fits_several_alike_comes_from_where_the_others_do():
    alone = origins({"m": [layer(("p", 0.0), ("q", 0.0))]})["m"][0]
    assert alone.probability == pytest.approx(0.5, abs=0.01)
    assert alone.runners[0][2] == pytest.approx(0.5, abs=0.01)
    others = [layer(("q", 1.0), ("p", 9.0), block=str(number)) for number in range(5)]
    together = origins({"m": [layer(("p", 0.0), ("q", 0.0)), *others]})["m"][0]
    assert together.model == "q"
    assert together.probability > 0.8


def test_the_same_ratio_of_distances_says_more_of_a_larger_block():
    assert log_ratio(layer(size=10**6), 1.5, 1.0) < log_ratio(layer(size=100), 1.5, 1.0) < 0
    assert log_ratio(layer(), 1.0, 1.0) == 0


@pytest.mark.parametrize(("cosine", "z", "related"), [(0.9, 50, True), (0.1, 50, False), (0.9, 2, False)])
def test_a_relative_agrees_in_angle_and_beyond_chance(cosine, z, related):
    assert (agreement(Match("m", "x", 1.0, cosine, z)) > 0.9) is related
    assert (agreement(Match("m", "x", 1.0, cosine, z)) < 0.2) is not related


def test_a_model_without_relatives_has_no_origins():
    (found,) = origins({"m": [layer()]})["m"]
    assert (found.model, found.there, found.probability, found.runners) == ("", "", 1.0, ())
