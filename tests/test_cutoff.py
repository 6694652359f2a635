"""Steps in how a child follows an update, on planted differences."""

import numpy as np
import pytest

from lineage_graph import cutoff

SIZES = (9000, 6000, 12000)


def drawn(generator, scale=1.0):
    return [np.float32(scale * generator.standard_normal(size)) for size in SIZES]


def added(one, other, factor=1.0):
    return [np.float32(a + factor * b) for a, b in zip(one, other, strict=True)]


def kept(update, density):
    return [np.where(np.abs(u) >= np.quantile(np.abs(u), 1 - density), u, 0) for u in update]


def planted(seed=0, density=0.3, noise=0.05):
    """A base, two updates of it with a common part, and the sum of both, trimmed, with noise on top."""
    generator = np.random.default_rng(seed)
    base, common = drawn(generator), drawn(generator, 0.05)
    updates = [added(common, drawn(generator, 0.1)) for _ in range(2)]
    child = base
    for update in updates:
        child = added(child, kept(update, density), 0.6)
    return added(child, drawn(generator, noise)), base, [added(base, update) for update in updates]


@pytest.mark.parametrize("density", [0.2, 0.3, 0.5])
@pytest.mark.parametrize("noise", [0.0, 0.05, 0.1])
def test_both_parents_show_their_step_where_it_is(density, noise):
    child, base, tunes = planted(1, density, noise)
    found = {number: cutoff.steps(child, base, tune) for number, tune in enumerate(tunes)}
    cut = cutoff.best(found)
    assert cut.place == round(cutoff.BINS * (1 - density))
    assert cut.strength > 8


@pytest.mark.parametrize("seed", range(3))
def test_what_follows_whole_updates_shows_none(seed):
    """A sibling with a common part, a sum of both whole updates and a child of one of them, all with noise on top."""
    generator = np.random.default_rng(100 + seed)
    base, common = drawn(generator), drawn(generator, 0.07)
    tunes = [added(base, added(common, drawn(generator, 0.1))) for _ in range(2)]
    sibling = added(base, added(common, drawn(generator, 0.1)))
    average = [np.float32((a + b) / 2) for a, b in zip(*tunes, strict=True)]
    for child in (sibling, added(average, drawn(generator, 0.05)), added(tunes[0], drawn(generator, 0.05))):
        cut = cutoff.best({number: cutoff.steps(child, base, tune) for number, tune in enumerate(tunes)})
        assert cut.strength < 4


def test_from_another_base_there_is_no_step_of_two():
    child, base, tunes = planted(2)
    others = {0: cutoff.steps(child, tunes[0], base), 1: cutoff.steps(child, tunes[0], tunes[1])}
    assert cutoff.best(others).strength < 4


def test_pruning_by_size_is_no_step():
    """What was pruned lies where the weights were small, and where they are the update: nothing else is left of it."""
    generator = np.random.default_rng(3)
    origin, update = drawn(generator), drawn(generator, 0.3)
    pruned = [np.where(np.abs(values) < 0.5, np.float32(0), values) for values in origin]
    tunes = [added(origin, update), added(origin, drawn(generator, 0.3))]
    cut = cutoff.best({number: cutoff.steps(origin, pruned, tune) for number, tune in enumerate(tunes)})
    assert cut.strength < 4


def test_too_small_or_equal_matrices_show_nothing():
    small = [np.ones(cutoff.LEAST_ELEMENTS - 1, np.float32)]
    assert cutoff.steps(small, small, [2 * small[0]]) is None
    assert cutoff.steps([], [], []) is None
    child, base, _ = planted(4)
    assert cutoff.steps(child, base, base) is None


def test_what_the_kept_elements_leave_unexplained_is_the_noise():
    """Also where who agrees was averaged, and who does not was dropped."""
    generator = np.random.default_rng(5)
    base, updates = drawn(generator), [drawn(generator, 0.1) for _ in range(2)]
    large = [kept(update, 0.3) for update in updates]
    tunes = [added(base, update) for update in updates]
    child = []
    for b, one, other in zip(base, *large, strict=True):
        agree = (np.sign(one) == np.sign(other)) & (one != 0)
        merged = np.where(agree, (one + other) / 2, np.where(np.abs(one) > np.abs(other), one, other))
        child.append(np.float32(b + 0.7 * merged))
    noise = drawn(generator, 0.02)
    place = round(0.7 * cutoff.BINS)
    trimmed = [cutoff.trimmed(base, tune, place) for tune in tunes]
    left = cutoff.unexplained(added(child, noise), base, trimmed)
    assert left == pytest.approx(sum(float(np.sum(one**2)) for one in noise), rel=0.1)
