"""The columns of an index lead to the same relatives as its models."""

import numpy as np
import pytest

import lineages_on_disk as disk
from hybrids import read
from lineage_graph import index, lookup
from lineage_graph.index import Index
from lineage_graph.types import Model

ORDER = np.random.default_rng(5).permutation(48)


def reordered(state):
    """The same function with the units between b and c in another order."""
    return {**state, "b.weight": state["b.weight"][ORDER], "c.weight": state["c.weight"][:, ORDER]}


def with_more(state):
    """The same in a larger network."""
    return {**state, "more.weight": disk.root(50)["b.weight"][:40]}


def narrowed(state):
    """Without a third of the units between b and c."""
    return {**state, "b.weight": state["b.weight"][:32], "c.weight": state["c.weight"][:, :32]}


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Forty strangers, and the one that all others are made of; three models to a batch."""
    folder = tmp_path_factory.mktemp("index")
    states = {"base": disk.root(0), **{f"m{number}": disk.root(number) for number in range(1, 41)}}
    patch = pytest.MonkeyPatch()
    patch.setattr(index, "ROWS", 3)
    index.write(folder, read(states, folder), {})
    patch.undo()
    with Index(folder) as opened:
        yield opened


def placed(kept, state, tmp_path) -> Model:
    return read({"new": state}, tmp_path)[0]


@pytest.mark.parametrize(
    "state",
    [
        disk.child(disk.root(0), 1),
        reordered(disk.child(disk.root(0), 1, step=0.01)),
        with_more(disk.child(disk.root(0), 1)),
        narrowed(disk.child(disk.root(0), 1, step=0.01)),
    ],
    ids=["child", "reordered", "with more", "narrowed"],
)
def test_the_relative_is_among_few(kept, state, tmp_path, monkeypatch):
    monkeypatch.setattr(lookup, "WHOLE", 5)
    monkeypatch.setattr(lookup, "MOST", dict.fromkeys(lookup.MOST, 3))
    rows = lookup.worth(kept, placed(kept, state, tmp_path), np.arange(len(kept)))
    assert kept.rows(["base"])[0] in rows
    assert rows == sorted(set(rows))
    assert len(rows) <= 12


def test_all_are_worth_it_where_they_are_few(kept, tmp_path):
    model = placed(kept, disk.root(3), tmp_path)
    assert lookup.worth(kept, model, np.arange(len(kept))) == list(range(41))
    assert lookup.worth(kept, model, np.array([7])) == [7]


def test_columns_of_an_index(kept):
    ids = kept.column("id")
    assert [ids[row] for row in kept.rows({"m3", "base", "none"})] == sorted(["m3", "base"], key=ids.index)
    assert len(set(kept.codes("signature").tolist())) == 1
    assert len(set(kept.codes("digest").tolist())) == 41
    rows = np.array([40, 2, 17])
    assert np.array_equal(kept.vectors(rows), [model.fingerprint.sketch for model in kept.models(rows.tolist())])
    assert kept.text("id", 4) == ids[4]
