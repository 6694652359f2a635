"""One point as a weighted sum of others, on planted geometry."""

import numpy as np
import pytest

from lineage_graph import blending


def gram(child, *models):
    """Inner products of the models' differences to the child."""
    differences = np.stack(models) - child
    return differences @ differences.T


def directions(count, size=200, seed=0):
    """Orthonormal rows."""
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((size, count)))[0].T


def test_coefficients_of_a_sum_are_those_that_made_it():
    a, b, c, d = directions(4)
    found = blending.affine(gram(0.5 * a + 0.3 * b + 0.2 * c, a, b, c, d))
    assert found == pytest.approx([0.5, 0.3, 0.2, 0.0], abs=1e-5)


def test_beyond_the_hull_only_the_base_is_negative():
    a, b, c, d = directions(4)
    child = c + 0.9 * (a - c) + 0.8 * (b - c)
    assert blending.based(gram(child, a, b, c, d), base=2) == pytest.approx([0.9, 0.8, -0.7, 0.0], abs=1e-5)
    assert blending.affine(gram(child, a, b, c, d)).min() >= 0


def test_a_tree_has_no_slack_to_offer():
    """A base among its fine-tunes, and a sibling whose parent is not there: the residual is the tree's own."""
    base, *updates = directions(5)
    tuned = [base + update for update in updates]
    hub = blending.between(gram(base, *tuned), range(4))
    assert hub.residual == pytest.approx(1 / 4)  # four resistors of 1 in parallel
    assert hub.slack == pytest.approx(1.0, abs=1e-6)
    sibling = blending.between(gram(tuned[0], *tuned[1:]), range(3))
    assert sibling.residual == pytest.approx(1 + 1 / 3)
    assert sibling.slack == pytest.approx(1.0, abs=1e-6)


def test_the_slack_of_a_merge_is_what_was_added_afterwards():
    base, p, q, noise = directions(4)
    merge = base + (p + q) / 2
    assert blending.between(gram(merge, base + p, base + q), [0, 1]).slack < blending.EXACT
    tuned = blending.between(gram(merge + 0.2 * noise, base + p, base + q), [0, 1])
    assert tuned.residual == pytest.approx(0.04)
    assert tuned.slack == pytest.approx(2 * 0.04 / (0.5 + 0.04))


def test_whoever_is_not_missed_is_left_out():
    base, p, q, r, noise = directions(5)
    child = base + 0.5 * p + 0.5 * q + 0.1 * noise
    mix = blending.inside(gram(child, base + p, base + q, base, base + r, base + 0.7 * p + r), skips=0)
    assert mix.members == (0, 1)
    assert mix.coefficients == pytest.approx([0.5, 0.5], abs=1e-3)


def test_a_fine_tune_of_the_merge_does_not_hide_the_parents():
    base, p, q, noise, more = directions(5)
    child = base + (p + q) / 2 + 0.1 * noise
    mix = blending.inside(gram(child, child + 0.05 * more, base + p, base + q), skips=1)
    assert mix.members == (1, 2)


def test_no_task_counts_more_than_once():
    """p = (merge - base) / 0.5 + base - q adds two tasks, one of them twice: that is no task arithmetic."""
    base, p, q = directions(3)
    merge = base + 0.8 * p + 0.8 * q
    assert blending.outside(gram(merge, base + p, base + q, base), bases=3).base == 2
    assert blending.outside(gram(base + p, merge, base + q, base), bases=3) is None


def test_the_least_slack_tells_merges_from_members_of_a_tree():
    base, p, q, r, noise = directions(5)
    relatives = [base, base + p, base + q, base + r]
    sibling = gram(base + noise, *relatives)
    assert blending.least_slack(sibling, skips=2) == pytest.approx(1.0, abs=1e-6)
    merge = base + (p + q) / 2
    tuned = merge + 0.3 * noise
    ordered = sorted(relatives, key=lambda one: np.sum((one - tuned) ** 2))
    assert blending.least_slack(gram(tuned, *ordered), skips=0) < 0.5


def test_a_descendant_does_not_hide_a_merge():
    base, p, q, noise, further = directions(5)
    merge = base + (p + q) / 2 + 0.3 * noise
    child = merge + 0.1 * further
    relatives = gram(merge, child, base, base + p, base + q)
    assert blending.least_slack(relatives, skips=0) > 0.8
    assert blending.least_slack(relatives, skips=1) < 0.5


def test_there_is_no_slack_among_fewer_than_two():
    base, p = directions(2)
    assert blending.least_slack(gram(p, base), skips=3) == 1.0


def test_who_is_equal_to_all_others_has_no_slack():
    base, p, q, noise = directions(4)
    assert blending.least_slack(np.zeros((4, 4)), skips=3) == 1.0
    merge = base + (p + q) / 2 + 0.3 * noise
    assert blending.least_slack(gram(merge, merge, base, base + p, base + q), skips=0) == 1.0
    assert blending.least_slack(gram(merge, merge, base, base + p, base + q), skips=1) < 0.5


def test_a_sum_of_models_that_are_all_equal_to_the_child_is_none():
    nothing = np.zeros((3, 3))
    assert blending.affine(nothing) == pytest.approx([1 / 3] * 3)
    assert blending.between(nothing, range(3)).slack == 1.0
    assert blending.beyond(nothing, range(3), base=0).slack == 1.0
