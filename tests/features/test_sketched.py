"""Sketched residuals are those of forward mode, seen along a few directions; and they keep who would win."""

import pytest
import torch

from features.networks import distances
from lineage_graph.errors import SourceError
from lineage_graph.executors import SerialExecutor
from lineage_graph.features.anchored import probes_for
from lineage_graph.features.linearize import difference, jvp
from lineage_graph.features.race import Field, NetworkFile, ResidualTask, held, own_features
from lineage_graph.features.settings import ProbeSettings
from lineage_graph.features.sketched import DIRECTIONS, SEED, scores, shortened

PROBES = ProbeSettings(count=4)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return distances(tmp_path_factory.mktemp("field"))


def test_backward_passes_see_what_forward_mode_gives(files):
    parent, child = held(files["near"], PROBES), held(files["mid"], PROBES)
    features = parent.features(parent.layer(PROBES.depth), probes_for(parent, PROBES), pool=True)
    step = difference(child.parameters, parent.parameters)
    primal, tangent = jvp(features, parent.parameters, step)
    gap = primal - own_features(files["mid"], PROBES)
    directions = torch.randn(4, DIRECTIONS, gap.shape[1], generator=torch.Generator().manual_seed(SEED))
    estimate = torch.einsum("pf,pdf->pd", gap + tangent, directions).abs().sum()
    length = torch.cat([values.flatten() for values in step.values()]).norm()
    expected = float(estimate * (gap.abs().sum() * length).sqrt())
    found = scores(ResidualTask(files["near"], (files["mid"],), PROBES, 0, 4))
    assert found == pytest.approx([expected], rel=1e-3)


def test_a_copy_is_at_no_distance(files):
    assert scores(ResidualTask(files["mid"], (files["mid"],), PROBES, 0, 4)) == (0.0,)


def test_the_most_promising_are_left_the_best_first(files):
    field = Field(files, {"child": ["stray", "far", "mid", "near"], "mid": ["stray", "far"]})
    reports = []
    left = shortened(field, PROBES, SerialExecutor(), lambda *report: reports.append(report), kept=2)
    assert left.candidates == {"child": ["near", "mid"], "mid": ["stray", "far"]}
    assert reports[-1] == ("scores, probes 0 to 4", 4, 4)


def test_of_equal_candidates_the_first_is_left(files):
    twins = {**files, "twin": files["near"]}
    for order in (["near", "twin"], ["twin", "near"]):
        left = shortened(Field(twins, {"child": ["far", *order]}), PROBES, SerialExecutor(), kept=1)
        assert left.candidates == {"child": order[:1]}


def test_a_candidate_that_cannot_be_run_is_named(files, tmp_path):
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"no weights")
    field = Field({**files, "broken": NetworkFile(str(broken), None)}, {"child": ["near", "broken"]})
    with pytest.raises(SourceError, match="broken could not be linearized"):
        shortened(field, PROBES, SerialExecutor(), kept=1)
