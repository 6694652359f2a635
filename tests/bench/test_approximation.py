"""The bench on tiny networks; its measuring functions on work whose cost is known."""

from xml.etree import ElementTree

import pytest
import torch

from lineage_graph.bench import approximation, passes
from lineage_graph.bench.approximation import SIMILARITIES
from lineage_graph.bench.isolated import isolated
from lineage_graph.bench.passes import Case, Task, allocated_peak, compare, make_pair, resident_peak
from lineage_graph.bench.plot import Panel, figure
from lineage_graph.errors import WorkerDiedError
from lineage_graph.features import similarity
from lineage_graph.types import silent

MIB = 1 << 20
TINY = Case("test_resnet", outputs=3, batch=5)


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    """Two tiny networks, two similarities, one round, a cache of its own, everything in this process."""
    monkeypatch.setattr(approximation, "NETWORKS", {"net": TINY, "attention": Case("test_vit", outputs=3, batch=5)})
    monkeypatch.setattr(approximation, "OUTPUTS", (3,))
    monkeypatch.setattr(approximation, "SIMILARITIES", ("l1", "dc"))
    for rounds in ("ROUNDS", "SIMILARITY_ROUNDS", "REFERENCE_ROUNDS", "SCORE_ROUNDS"):
        monkeypatch.setattr(approximation, rounds, 1)
    monkeypatch.setattr(approximation, "default_cache", lambda: tmp_path / "cache")
    monkeypatch.setattr(approximation, "isolated", lambda function, task: function(task))


def tables(text):
    """The rows of each table, headers included."""
    blocks = [[line for line in block.splitlines() if line.startswith("| ")] for block in text.split("\n\n")]
    return [[line.strip("| ").split(" | ") for line in block if "---" not in line] for block in blocks if block]


def test_run(tiny, tmp_path):
    steps = []
    text = approximation.run(tmp_path, lambda *step: steps.append(step))
    by_similarity, memory, by_outputs, reference, alone = (block for block in tables(text) if block)
    assert by_similarity[0][2:] == ["l1", "dc"]
    assert [row[:2] for row in by_similarity[1:4]] == [["net", "without, ms"], ["net", "JVP"], ["net", "Taylor"]]
    assert len(by_similarity) == len(memory) == 1 + 2 * 3
    assert [row[:2] for row in by_outputs[1:]] == [["net", "3"], ["attention", "3"]]
    assert [row[:3] for row in reference[1:]] == [["net", "3", "4"], ["attention", "3", "4"], ["net", "3", "1"]]
    assert [row[0] for row in alone[1:]] == ["l1", "dc"]
    assert steps[-1] == ("approximation", len(steps) - 1, len(steps) - 1)
    drawing = tmp_path / "cache" / "bench" / "approximation.svg"
    assert str(drawing) in text
    assert ElementTree.parse(drawing).getroot().tag.endswith("svg")


def test_a_run_that_was_killed_goes_on(tiny, tmp_path, monkeypatch):
    names = ["load", "resident", "l1", "dc"]
    names += [f"{way} {name}" for way in (*passes.WAYS, "value", "slope") for name in ("l1", "dc")]
    measured = []

    def fake(function, task):
        measured.append(task)
        return dict.fromkeys(names, 1.0)

    def killed(stage, done, total):
        if done == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(approximation, "isolated", fake)
    everything = list(dict.fromkeys(approximation.plan()))
    with pytest.raises(KeyboardInterrupt):
        approximation.run(tmp_path, killed)
    text = approximation.run(tmp_path, silent)
    assert measured == everything
    assert f"3 of {len(everything)} measurements were kept" in text
    monkeypatch.setattr(approximation, "_surroundings", lambda: ["another machine"])
    approximation.run(tmp_path, silent)
    assert len(measured) == 2 * len(everything)


def test_the_list_of_similarities_is_complete():
    assert list(similarity.SIMILARITIES) == list(SIMILARITIES)


@pytest.mark.parametrize("name", SIMILARITIES)
def test_the_ways_compute_the_same(monkeypatch, name):
    monkeypatch.setattr(passes, "CHANGE", 1e-5)
    pair = make_pair(TINY)
    plain = compare("without", name, pair)
    exact, explicit, taylor = (compare(way, name, pair) - plain for way in ("jvp", "jacobian", "taylor"))
    scale = plain.abs() + 1
    assert abs(exact - explicit) < 1e-4 * scale
    assert abs(exact - taylor) < 1e-3 * scale


def test_the_ways_differ_from_no_approximation():
    pair = make_pair(TINY)
    plain = compare("without", "l1", pair)
    assert all(abs(compare(way, "l1", pair) - plain) > 1e-4 * abs(plain) for way in ("jvp", "jacobian", "taylor"))


def test_allocated_memory_is_exact(capfd):
    def two_at_once():
        first = torch.zeros(4 * MIB)
        second = torch.zeros(2 * MIB)
        return float(first[0] + second[0])

    assert 24 <= allocated_peak(two_at_once) < 24.01
    assert allocated_peak(lambda: [torch.zeros(MIB).sum() for _ in range(5)]) < 4.01
    assert capfd.readouterr() == ("", "")


def resident_of(mib):
    before = bytearray(2 * mib * MIB)
    before[::4096] = bytes(len(before) // 4096)
    del before
    return resident_peak(lambda: bytearray(mib * MIB)[::4096])


def test_resident_memory_is_above_the_state_before():
    assert 60 < isolated(resident_of, 64) < 80


def test_each_measurement_has_a_process_and_one_thread_of_its_own():
    found = isolated(passes.measure, Task("times", TINY, ("without", "jvp"), ("l1", "dc"), rounds=1))
    assert set(found) == {"without l1", "jvp l1", "without dc", "jvp dc", "load"}
    assert min(found.values()) >= 0
    assert isolated(threads, 0) == 1


def threads(_):
    return torch.get_num_threads()


def die(_):
    import os

    os._exit(9)


def test_a_process_that_is_killed():
    with pytest.raises(WorkerDiedError, match="1: the measuring process was killed"):
        isolated(die, 1)


def test_figures_are_deterministic_and_well_formed():
    panels = [
        Panel("time < memory", ["a", "b"], {"one": [1, 1000], "two": [None, 20.0]}),
        Panel("flat", ["5"], {"one": [10]}, joined=True),
    ]
    drawing = figure(panels)
    assert drawing == figure(panels)
    root = ElementTree.fromstring(drawing)
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"time < memory", "1", "10", "100", "1,000", "one", "two"} <= set(texts)
    circles = [float(mark.get("cy")) for mark in root.iter("{http://www.w3.org/2000/svg}circle")]
    assert circles[1] > circles[2], "a larger value stands higher"
