"""Calibration figures against worked examples."""

from xml.etree import ElementTree

import numpy as np
import pytest

from lineage_graph.bench.diagram import diagram
from lineage_graph.bench.reliability import Bin, brier, calibration_error, reliability

CONFIDENCES = [0.05, 0.1, 0.55, 0.95, 0.95, 1.0]
RIGHT = [False, True, True, True, True, False]


def test_bins_of_equal_width():
    assert reliability(CONFIDENCES, RIGHT) == (
        Bin(0.0, 0.1, 2, pytest.approx(0.075), 0.5),
        Bin(0.5, pytest.approx(0.6), 1, 0.55, 1.0),
        Bin(pytest.approx(0.9), 1.0, 3, pytest.approx(2.9 / 3), pytest.approx(2 / 3)),
    )


def test_bins_of_equal_mass_keep_equal_confidences_together():
    found = reliability([0.2, 0.9, 0.9, 0.9, 0.9, 1.0], [False, True, True, True, False, True], count=3, equal="mass")
    assert found == (Bin(0.2, 0.9, 5, pytest.approx(0.76), 0.6), Bin(1.0, 1.0, 1, 1.0, 1.0))
    even = reliability(np.linspace(0.05, 0.95, 10), [True] * 10, count=5, equal="mass")
    assert [one.count for one in even] == [2] * 5


def test_calibration_error_is_the_weighted_gap():
    gaps = (2 * (0.5 - 0.075) + 1 * (1 - 0.55) + 3 * (2.9 / 3 - 2 / 3)) / 6
    assert calibration_error(reliability(CONFIDENCES, RIGHT)) == pytest.approx(gaps)


def test_a_calibrated_source_has_a_small_error_and_an_overconfident_one_a_large():
    dice = np.random.default_rng(0)
    confidences = dice.random(20_000)
    right = dice.random(20_000) < confidences
    for equal in ("width", "mass"):
        assert calibration_error(reliability(confidences, right, equal=equal)) < 0.01
        assert calibration_error(reliability(np.sqrt(confidences), right, equal=equal)) > 0.1


def test_brier():
    assert brier([1.0, 0.0, 0.5, 0.9], [True, False, True, False]) == pytest.approx((0.25 + 0.81) / 4)


def test_nothing_said_has_no_error():
    assert reliability([], []) == reliability([], [], equal="mass") == ()
    assert calibration_error(()) is None
    assert brier([], []) is None


@pytest.mark.parametrize(("confidences", "right"), [([0.5], []), ([1.5], [True]), ([float("nan")], [True])])
def test_what_is_no_probability(confidences, right):
    for measure in (reliability, brier):
        with pytest.raises(ValueError, match=r"confidence"):
            measure(confidences, right)


def test_the_diagram_places_each_bin():
    drawing = diagram(reliability(CONFIDENCES, RIGHT), "edges < all")
    assert drawing == diagram(reliability(CONFIDENCES, RIGHT), "edges < all")
    svg = "{http://www.w3.org/2000/svg}"
    root = ElementTree.fromstring(drawing)
    assert {"edges < all", "2", "1", "3", "confidence"} <= {text.text for text in root.iter(f"{svg}text")}
    circles = [(float(mark.get("cx")), float(mark.get("cy"))) for mark in root.iter(f"{svg}circle")]
    assert len(circles) == 3
    assert circles == sorted(circles), "more confidence stands further right"
    assert circles[1][1] < circles[2][1] < circles[0][1], "more right answers stand higher"
