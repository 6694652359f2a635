"""The bench of a trace runs at a small size."""

from lineage_graph.bench import placing, trace
from lineage_graph.types import silent


def test_a_row_for_each_population(monkeypatch, tmp_path):
    monkeypatch.setattr(trace, "POPULATIONS", (trace.Population(20, 64),))
    monkeypatch.setattr(trace, "_commands", lambda folder, new: 1.0)
    header, _, row = trace.run(tmp_path, silent).splitlines()
    assert header.count("|") == row.count("|")
    assert row.startswith("| 20 | ")


def test_one_more_is_placed_in_a_large_zoo(tmp_path, monkeypatch):
    """Of which not all models are decoded."""
    monkeypatch.setattr(placing, "SIZES", (700,))
    header, _, row = placing.run(tmp_path, silent).splitlines()
    found = dict(zip(header.split(" | "), row.split(" | "), strict=True))
    assert found["of its shapes"] == "140"
    assert 20 < int(found["rows decoded"]) < 300
    assert int(found["pairs compared |"].strip(" |")) >= 10
