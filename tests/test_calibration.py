"""Fitted numbers: what they do to scores, and how they are kept."""

import math

import pytest

from lineage_graph.calibration import (
    LARGEST_LOG_ODDS,
    Calibration,
    CueReliability,
    Logistic,
    from_bytes,
    log_odds,
    shipped,
    to_bytes,
)

FITTED = Calibration(
    cues={"norm": CueReliability(0.7, 0.6, 9, 2)},
    edges={"tree": Logistic(-1.0, {"score": 0.5, "margin": 2.0})},
    direction=0.5,
    provenance={"command": "lgraph calibrate"},
)


def test_without_numbers_scores_stay_what_they_are():
    plain = Calibration()
    assert plain.confidence("finetune", 0.83, {"margin": 1.0}) == 0.83
    assert plain.directed(0.9) == pytest.approx(0.9)


def test_an_edge_s_features_give_its_probability():
    expected = 1 / (1 + math.exp(-(-1.0 + 0.5 * math.log(4) + 2.0 * 0.3)))
    assert FITTED.confidence("quantize", 0.8, {"margin": 0.3}) == pytest.approx(expected)
    assert FITTED.confidence("merge", 0.8, {"margin": 0.3}) == 0.8


def test_a_direction_keeps_its_side_and_loses_certainty():
    assert FITTED.directed(0.5) == 0.5
    assert 0.5 < FITTED.directed(0.9) < 0.9


def test_sure_scores_are_bounded():
    assert log_odds(1.0) == pytest.approx(LARGEST_LOG_ODDS)
    assert log_odds(0.0) == pytest.approx(-LARGEST_LOG_ODDS)


def test_the_file_gives_the_same_numbers_back():
    assert from_bytes(to_bytes(FITTED)) == FITTED


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"schema": 0}', b'{"schema": 1, "cues": 3}'])
def test_other_bytes_are_no_calibration(data):
    with pytest.raises(ValueError, match="no calibration"):
        from_bytes(data)


def test_the_package_s_own_can_be_read():
    assert 0 < shipped().directed(0.9) < 1
