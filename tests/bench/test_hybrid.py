"""The bench of hybrids on made-up networks, and its judgement."""

from types import SimpleNamespace

import pytest

from hybrids import network, put_together, read, tuned
from lineage_graph.bench import hybrid
from lineage_graph.executors import make_executor
from lineage_graph.kinship import BlockOrigin, Splice
from lineage_graph.types import silent

TRUTH = {
    "h": {"blocks.0": ("a", "blocks.0"), "blocks.1": ("b", "blocks.3")},
    "t": {"encoder": ("a", "")},
}
FOUND = {
    "h": [
        BlockOrigin("stem", "", "", 0.1, 0.0),
        BlockOrigin("blocks.0", "a", "blocks.0", 0.9, 0.9),
        BlockOrigin("blocks.1", "b", "blocks.1", 0.6, 0.9),
    ],
    "t": [BlockOrigin("encoder.stem", "a", "stem", 0.8, 0.9), BlockOrigin("neck", "b", "stem", 0.7, 0.9)],
}


def test_blocks_are_held_against_their_donor_and_their_place_in_it():
    h, t = hybrid.judge(TRUTH, FOUND, [Splice("h", (("a", ("blocks.0",)), ("b", ("blocks.1",))), 0.9)])
    assert (h.donors, h.blocks, h.right, h.lowest, h.splice) == (2, 2, 1, 0.6, True)
    assert (t.donors, t.blocks, t.right, t.lowest, t.splice) == (1, 1, 1, 0.8, False)


@pytest.mark.parametrize(
    ("block", "blocks", "wanted"),
    [
        ("layer1.0", {"layer1": ("a", "layer1")}, ("a", "layer1.0")),
        ("blocks.10", {"blocks.1": ("a", "blocks.1")}, None),
        ("left.blocks.1", {"right": ("a", ""), "left": ("b", "")}, ("b", "blocks.1")),
    ],
)
def test_names_of_several_blocks_begin_alike(block, blocks, wanted):
    assert hybrid._wanted(block, blocks) == wanted


def test_the_table_has_a_line_for_every_zoo(monkeypatch, tmp_path):
    a, b = network(1), network(2)
    states = {"a": a, "b": b, "h": tuned(put_together([(a, 0), (b, 3), (b, 1), (a, 3)]), 3)}
    models = read(states, tmp_path)
    truth = {"h": {f"blocks.{n}": (source, f"blocks.{n}") for n, source in ((0, "a"), (2, "a"), (3, "a"))}}
    truth["h"]["blocks.1"] = ("b", "blocks.3")
    monkeypatch.setattr(hybrid, "make_executor", lambda: make_executor(1))
    monkeypatch.setattr(hybrid, "default_cache", lambda: tmp_path / "cache")
    monkeypatch.setattr(hybrid, "grown", lambda *_, **__: SimpleNamespace(zoo=SimpleNamespace(models=models)))
    monkeypatch.setattr(hybrid, "block_origins", lambda *_: truth)
    monkeypatch.setattr(hybrid, "SEEDS", (1,))
    monkeypatch.setattr(hybrid, "ZOOS", (("vits", 3),))
    header, _, row = hybrid.run(tmp_path, silent).splitlines()
    shown = dict(zip(header.strip("| ").split(" | "), row.strip("| ").split(" | "), strict=True))
    assert float(shown.pop("lowest probability")) > 0.9
    assert shown == {
        "recipe": "vits",
        "seed": "1",
        "hybrids": "1",
        "blocks": "4",
        "origins right": "3",
        "of several donors": "1",
        "found with all donors": "1",
        "other splices found": "0",
    }
