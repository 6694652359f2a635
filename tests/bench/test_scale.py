"""The benches of very many models, on few."""

import numpy as np

from lineage_graph.bench import grown, measured_grown, measured_scale, populations, scale
from lineage_graph.bench.measured_grown import Measured
from lineage_graph.bench.measured_scale import Task


def test_a_population_is_what_it_says(tmp_path):
    made = populations.make(2000, tmp_path, seed=1)
    parent, child = made.edges()
    assert (made.signature[parent] == made.signature[child]).all()
    assert np.allclose(np.linalg.norm(made.sketches, axis=1), 1, atol=1e-5)
    roots = (made.parents < 0).all(axis=1)
    assert 0.2 < roots.mean() < 0.5
    assert ((made.parents >= 0).sum(axis=1) > 1).sum() > 10
    assert (made.copied != np.arange(2000)).sum() > 5
    # A rounded copy is next to its original.
    rounded = np.flatnonzero(made.bits < 24)
    assert (np.sum(made.sketches[rounded] * made.sketches[made.parents[rounded, 0]], axis=1) > 0.999).all()
    depth = np.zeros(2000, dtype=int)
    for _ in range(populations.DEEPEST + 1):
        depth = np.where(made.parents >= 0, depth[made.parents] + 1, 0).max(axis=1)
    assert 3 < depth.max() <= populations.DEEPEST


def test_the_same_population_twice(tmp_path):
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    one, other = (populations.make(300, tmp_path / name, seed=2) for name in ("one", "other"))
    assert np.array_equal(one.sketches, other.sketches)
    assert np.array_equal(one.parents, other.parents)


def test_the_scale_bench_on_few_models(tmp_path):
    task = Task(str(tmp_path), 400)
    measured_scale.prepare(task)
    found = {
        "usual": measured_scale.measure(task),
        "search": measured_scale.search(task),
        "one more": measured_scale.one_more(task),
        "all pairs": measured_scale.all_pairs(task),
    }
    assert set(scale.STAGES) == set(found["usual"]["processor"])
    assert found["usual"]["F1"] > 0.85
    assert abs(found["usual"]["F1"] - found["all pairs"]["F1"]) < 0.02
    assert found["search"]["nearest"] > 0.98
    assert found["one more"]["relatives"] == scale.NEIGHBOURS
    text = scale.report({400: found})
    assert f"{found['usual']['F1']:.4f}" in text


def test_the_grown_bench_reports_ratios():
    ways = {
        "read": Measured(1.0, 10.0),
        "build": Measured(10.0, 100.0, stages={"evidence": 5.0}),
        "all pairs": Measured(200.0, 50.0, extrapolated=150.0),
        "MoTHer-like": Measured(20.0, 200.0),
    }
    text = grown.report({100: ways})
    assert "| 100 | all pairs, each by itself | 200 | 150 | 50 | 20 | 0.5 |" in text
    assert "| 100 | evidence | 5 | 0.2 |" in text


def test_a_sample_holds_distinct_pairs():
    pairs = measured_grown._sample(30)
    assert len(set(pairs)) == len(pairs) == measured_grown.PAIRS
    assert len(measured_grown._sample(5)) == 10
