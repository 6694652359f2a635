"""The bench of a trace runs at a small size."""

from lineage_graph.bench import trace
from lineage_graph.types import silent


def test_a_row_for_each_population(monkeypatch, tmp_path):
    monkeypatch.setattr(trace, "POPULATIONS", (trace.Population(20, 64),))
    monkeypatch.setattr(trace, "_commands", lambda folder, new: 1.0)
    header, _, row = trace.run(tmp_path, silent).splitlines()
    assert header.count("|") == row.count("|")
    assert row.startswith("| 20 | ")
