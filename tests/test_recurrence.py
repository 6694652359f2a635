"""Updates that recur element by element, on planted differences."""

import numpy as np
import pytest

from lineage_graph import recurrence


def planted(seed=0, size=4000):
    """Two matrices of a base, three fine-tunes of it, and the trimmed sum of the first two."""
    generator = np.random.default_rng(seed)
    base = [generator.standard_normal(size).astype(np.float32) for _ in range(2)]
    tunes = [[(b + 0.1 * generator.standard_normal(size)).astype(np.float32) for b in base] for _ in range(3)]
    child = []
    for number, b in enumerate(base):
        updates = [tune[number].astype(np.float64) - b for tune in tunes[:2]]
        large = [np.where(np.abs(u) > 0.1, u, 0) for u in updates]
        child.append((b + 0.6 * large[0] + 0.4 * large[1]).astype(np.float32))
    return child, base, tunes


def test_the_parents_are_those_whose_updates_recur():
    child, base, tunes = planted()
    found = recurrence.from_base(child, [tunes[2], tunes[1], base, tunes[0]], base=2)
    assert found.members[0] == 2
    assert set(found.members[1:]) == {1, 3}
    assert found.explained > 0.99
    assert sum(found.coefficients) == pytest.approx(1)
    by_member = dict(zip(found.members, found.coefficients, strict=True))
    assert 0 < by_member[1] < by_member[3]
    assert max(found.uncertainties) < 0.05
    assert 0.05 < found.residual < 0.9


def test_from_another_base_nothing_recurs():
    child, base, tunes = planted()
    assert recurrence.from_base(child, [tunes[2], tunes[1], base, tunes[0]], base=0) is None


def test_one_parent_alone_is_no_merge():
    """A fine-tune of which half was dropped."""
    _, base, tunes = planted()
    half = [np.where(np.arange(b.size) % 2, b, tune) for b, tune in zip(base, tunes[0], strict=True)]
    assert recurrence.from_base(half, [base, *tunes], base=0) is None


def test_equal_values_are_counted_where_matrices_differ_and_none_was_pruned():
    one = [np.array([1.0, 2.0, 3.0, 0.0]), np.array([1.0, 1.0])]
    other = [np.array([1.0, 2.0, 4.0, 0.0]), np.array([1.0, 1.0])]
    assert recurrence.kept(one, other) == pytest.approx(2 / 3)
    assert recurrence.kept(one, one) == 1
