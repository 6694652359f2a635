"""``lgraph explain`` on edges from several parents, from unseen ancestors, and of open or disputed direction."""

import json

import pytest

from lineage_graph.render.node_link import to_json
from render.lineages import joined


@pytest.fixture
def explain(call, tmp_path):
    """Run the command on two models of the invented graph; nothing is in the cache."""
    (tmp_path / "lineage.json").write_text(to_json(joined()), encoding="utf-8")
    return lambda *args: call("explain", *args, "--in", tmp_path, "--cache", tmp_path / "cache")


def rows(text, first):
    """The rows of the table whose header begins with ``first``, as lists of words."""
    lines = text.splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith(first)) + 1
    end = next((index for index in range(start, len(lines)) if not lines[index]), len(lines))
    return [line.split() for line in lines[start:end]]


@pytest.mark.parametrize("ends", [("b", "soup"), ("soup", "b")])
def test_a_merge_shows_all_parents_with_their_coefficients(explain, ends):
    parts = rows(explain(*ends).stdout, "parent")
    assert parts == [["c", "1.250", "±", "0.030"], ["a", "0.250", "±", "0.010"], ["b", "-0.500", "±", "0.020"]]


def test_a_splice_shows_the_blocks_of_each_parent(explain):
    parts = json.loads(explain("b", "mosaic", "--json").stdout)["parts"]
    assert parts == {"a": "blocks.0 to blocks.2, blocks.4 to blocks.11", "b": "blocks.3"}


def test_an_open_direction_and_a_conflict_stand_at_the_top(explain):
    opened, disputed = (explain(*ends).stdout.splitlines() for ends in (("c", "copy"), ("a", "c")))
    assert opened[2].startswith("direction open: the weights are equal")
    assert disputed[2] == "cues contradict: counter.epoch for it (+3.0), norm_growth against it (-1.2)"
    assert "direction open" not in "".join(disputed)


def test_an_unseen_ancestor_has_no_layers_and_says_why(explain):
    shown = explain("unseen-1", "a").stdout
    assert "an unseen ancestor has no weights to compare" in shown
    assert "not in the cache" not in shown


def test_a_detector_that_says_nothing_is_excused(explain):
    assert "the learned detector says nothing of these two" in explain("a", "c").stdout


def test_cues_are_sorted_by_what_they_speak_for(explain):
    shown = explain("a", "c").stdout
    assert [row[1] for row in rows(shown, "direction cue")] == ["+3.00", "+0.41", "-0.33"]
