import pytest

from lineage_graph.render.text import count, percent, short_labels
from lineage_graph.visible import shorten, visible


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("plain-name_1.0", "plain-name_1.0"),
        ("a\nb\tc\x00\x1b", "a\\nb\\tc\\x00\\x1b"),
        ("gnp.\u202egpj", "gnp.\\u202egpj"),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
        ("\udcff", "\\udcff"),
        ("ünï→код 模型 🧬", "ünï→код 模型 🧬"),
        ("👩\u200d🔬", "👩\u200d🔬"),
    ],
)
def test_hidden_characters_become_visible(name, shown):
    assert visible(name) == shown


def test_names_are_cut_in_the_middle():
    assert shorten("abcdefghij", 7) == "abc…hij"
    assert shorten("abcdefghij", 10) == "abcdefghij"
    assert shorten("abc", 1) == "…"


def test_what_all_names_share_is_left_out():
    names = ["zoo/runs/a/one.safetensors", "zoo/runs/b/two.pt"]
    assert short_labels(names, 20) == ["a/one", "b/two"]


def test_what_tells_names_apart_stays():
    assert short_labels(["zoo/one.pt", "zoo/one.safetensors"], 20) == ["one.pt", "one.safetensors"]
    assert short_labels(["only/one.pt"], 20) == ["one"]
    assert short_labels(["one", "one.pt", ".pt"], 20) == ["one", "one.pt", ".pt"]
    assert short_labels(["runs/", "runs/a"], 20) == ["runs/", "a"]


def test_a_clash_keeps_the_endings_of_no_other_names():
    names = ["truncated.pt", "truncated.safetensors", "c2-copy.safetensors", "c3.npz"]
    assert short_labels(names, 18) == ["truncated.pt", "truncated.safeten…", "c2-copy", "c3"]


def test_long_names_that_clash_are_told_apart_by_their_endings():
    labels = short_labels(["a-name-beyond-measure.pt", "a-name-beyond-measure.safetensors"], 18)
    assert labels == ["a-name-…measure.pt", "a-nam…easure.safe…"]
    assert max(map(len, labels)) == 18


def test_numbers_in_words():
    assert [count(1, "family", "families"), count(1234, "model")] == ["1 family", "1,234 models"]
    assert [percent(1.0), percent(0.99996), percent(0.5)] == ["100 %", "99.9 %", "50.0 %"]
