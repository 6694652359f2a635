"""Who was moved: the side that lies unlike the relatives of both."""

import pytest

from fingerprints import model
from lineage_graph.calibration import Calibration
from lineage_graph.lineage import LineageSettings
from lineage_graph.orders import with_orders
from lineage_graph.scoring import score
from lineage_graph.types import PairEvidence
from test_lineage import assemble, weights


def pair(a, b, laid_out=0.0, distance=0.3, **signals):
    more = {"laid_out": laid_out} if laid_out else {}
    return PairEvidence(a, b, 1.0, {"cosine": 0.95, "cosine_z": 50.0, "distance": distance, **more, **signals})


COPY = pair("original", "permuted", laid_out=0.9, distance=0.0)
FAMILY = [pair("original", child) for child in ("child", "sibling")]
MOVED = [pair("permuted", child, laid_out=0.9) for child in ("child", "sibling")]


class Safetensors(dict):
    def __missing__(self, model):
        return "safetensors"


def told(pairs, signal="order_lost", **formats):
    return with_orders(pairs, Safetensors(formats))[0].signals.get(signal)


def test_the_side_that_lies_unlike_the_relatives_was_moved():
    assert told([COPY, *FAMILY, *MOVED]) == pytest.approx(0.9)
    turned = PairEvidence("permuted", "original", 1.0, COPY.signals)
    assert told([turned, *FAMILY, *MOVED]) == pytest.approx(-0.9)


@pytest.mark.parametrize(
    "pairs",
    [
        [COPY],
        [COPY, *FAMILY],
        [COPY, *FAMILY, *(pair("permuted", other, laid_out=0.9) for other in ("x", "y"))],
        [pair("original", "tuned"), *FAMILY, pair("tuned", "child", laid_out=0.9)],
        [COPY, pair("original", "x", cosine=0.1), pair("permuted", "x", laid_out=0.9, cosine=0.1)],
        [COPY, pair("original", "x", laid_out=0.9), pair("permuted", "x", laid_out=0.9)],
    ],
    ids=["alone", "measured with one side", "others", "not moved", "strangers", "both unlike"],
)
def test_nothing_is_told_without_common_relatives_that_lie_like_one_side(pairs):
    assert told(pairs) is None


def test_descendants_of_the_moved_side_speak_for_it():
    below = [pair("permuted", "below"), pair("original", "below", laid_out=0.9)]
    assert told([COPY, *FAMILY, *MOVED, *below]) == pytest.approx(0.3)


def test_norms_that_were_multiplied_in_lead_away_from_all_relatives():
    folded = pair("original", "folded", distance=1.0, same_profile=1.0, cosine=0.6)
    away = [pair("folded", child, distance=1.1) for child in ("child", "sibling")]
    assert told([folded, *FAMILY, *away]) == 1
    assert told([folded, *FAMILY, *(pair("folded", child) for child in ("child", "sibling"))]) is None


EQUAL = pair("original", "converted", distance=0.0, identical=1.0)
BELOW = [pair(one, child) for one in ("original", "converted") for child in ("child", "sibling")]


def test_of_equal_weights_in_two_formats_the_one_alone_in_its_own_was_converted():
    assert told([EQUAL, *BELOW], "format_lost", converted="pytorch") == 1
    turned = PairEvidence("converted", "original", 1.0, EQUAL.signals)
    assert told([turned, *BELOW], "format_lost", converted="pytorch") == -1
    assert told([EQUAL, *BELOW], "format_lost", converted="pytorch", child="pytorch") is None


@pytest.mark.parametrize(
    ("pairs", "formats"),
    [
        ([EQUAL, *BELOW], {}),
        ([EQUAL], {"converted": "pytorch"}),
        ([pair("original", "converted", identical=0.5), *BELOW], {"converted": "pytorch"}),
        ([EQUAL, *BELOW], {"converted": "pytorch", "original": "npz"}),
    ],
    ids=["one format", "alone", "other weights", "both alone in theirs"],
)
def test_formats_say_nothing_otherwise(pairs, formats):
    assert told(pairs, "format_lost", **formats) is None


@pytest.mark.parametrize("names", ["abcd", "badc"])
def test_the_original_of_two_copies_is_the_one_that_its_children_lie_like(names):
    original, permuted, child, sibling = names
    pairs = [
        pair(original, permuted, laid_out=0.9, distance=0.0),
        *(pair(original, one) for one in (child, sibling)),
        *(pair(permuted, one, laid_out=0.9) for one in (child, sibling)),
    ]
    models = [model(name, weights(index)) for index, name in enumerate("abcd")]
    for measured, least, most in ((with_orders(pairs, Safetensors()), 0.8, 1.0), (pairs, 0.5, 0.5)):
        scored = [score(one, {}) for one in measured]
        graph = assemble("zoo", models, scored, [], LineageSettings(0.5, Calibration())).graph
        edge = graph.edges.get((original, permuted)) or graph.edges.get((permuted, original))
        assert edge["kind"] == "duplicate"
        assert least <= edge["direction_confidence"] <= most
        if least > 0.5:
            assert graph.has_edge(original, permuted)
