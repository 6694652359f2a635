"""A race finds what measuring everything finds."""

import pytest
import torch

from features.networks import distances
from lineage_graph.errors import SourceError
from lineage_graph.executors import SerialExecutor
from lineage_graph.features.race import Field, NetworkFile, ResidualTask, residuals, rounds, winners
from lineage_graph.features.settings import ProbeSettings

PROBES = ProbeSettings(count=8)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return distances(tmp_path_factory.mktemp("field"))


def test_each_round_takes_as_many_probes_as_there_were():
    assert rounds(16) == [(0, 4), (4, 8), (8, 16)]
    assert rounds(11) == [(0, 4), (4, 8), (8, 11)]
    assert rounds(4) == [(0, 4)]
    assert rounds(1) == [(0, 1)]


def test_parts_of_the_probes_add_up(files):
    parent, *others = files.values()

    def measured(start, stop):
        return torch.tensor(residuals(ResidualTask(parent, tuple(others), PROBES, start, stop)), dtype=torch.float64)

    torch.testing.assert_close(measured(0, 3) + measured(3, 8), measured(0, 8), rtol=1e-5, atol=0)
    assert measured(0, 8).argmin() == 0


def test_the_race_ends_as_all_pairs_do(files):
    field = Field(files, {name: [other for other in files if other != name] for name in files})
    found = winners(field, PROBES, SerialExecutor())
    assert found == winners(field, PROBES, SerialExecutor(), schedule=[(0, 8)])
    assert found["child"] == "near"
    assert found["near"] == "child"


def test_only_what_is_left_is_measured(files):
    reports = []
    field = Field(files, {"child": ["stray", "far", "mid", "near"]})
    assert winners(field, PROBES, SerialExecutor(), lambda *report: reports.append(report)) == {"child": "near"}
    sizes = {stage: total for stage, _, total in reports}
    assert sizes == {"residuals, probes 0 to 4": 4, "residuals, probes 4 to 8": 2}


def test_a_single_candidate_wins_unmeasured(files):
    reports = []
    found = winners(
        Field(files, {"child": ["stray"]}), PROBES, SerialExecutor(), lambda *report: reports.append(report)
    )
    assert found == {"child": "stray"}
    assert not reports


def test_without_candidates_nobody_wins(files):
    assert winners(Field(files, {"child": []}), PROBES, SerialExecutor()) == {}


def test_a_candidate_that_cannot_be_run_is_named(files, tmp_path):
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"no weights")
    field = Field({**files, "broken": NetworkFile(str(broken), None)}, {"child": ["near", "broken"]})
    with pytest.raises(SourceError, match="broken could not be linearized"):
        winners(field, PROBES, SerialExecutor())
