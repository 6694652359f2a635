"""The relatives of a copy that no sketch finds are looked at once the copy is found."""

from lineage_graph.second_look import MOST, propose
from lineage_graph.types import CandidatePair, PairEvidence


def pair(a, b, distance=0.3, cosine=0.9, laid_out=0.0):
    signals = {"cosine": cosine, "distance": distance} | ({"laid_out": laid_out} if laid_out else {})
    return PairEvidence(a, b, 1.0, signals)


def proposed(*measured):
    names = sorted({name for one in measured for name in (one.a, one.b)})
    return propose(measured, {name: name for name in names})


def test_a_copy_is_compared_with_the_relatives_of_its_original():
    found = proposed(pair("copy", "original", 0.0, 1.0, laid_out=0.9), pair("child", "original"), pair("child", "last"))
    assert found == [CandidatePair("child", "copy", 0.0)]


def test_ordinary_relatives_lead_to_no_others():
    assert proposed(pair("a", "b"), pair("b", "c")) == []
    assert proposed(pair("a", "b", laid_out=0.01), pair("b", "c")) == []


def test_strangers_in_another_layout_lead_to_no_others():
    assert proposed(pair("a", "b", cosine=0.0, laid_out=1.0), pair("b", "c")) == []
    assert proposed(pair("a", "b", laid_out=1.0), pair("b", "c", cosine=0.1)) == []


def test_the_nearest_come_first_and_not_too_many():
    copies = [pair("a", "b", 0.0, 1.0, laid_out=1.0)]
    far = [pair("b", f"c{number:02}", 0.1 + 0.01 * (number * 7 % 30)) for number in range(30)]
    found = proposed(*copies, *far)
    assert found[0] == CandidatePair("a", "c00", 0.0)
    assert len(found) == 30  # each of the thirty has but one
    hub = [pair(f"a{number:02}", "b", 0.1, 1.0, laid_out=1.0) for number in range(30)]
    assert len(proposed(*hub)) <= 30 * MOST


def test_no_pair_is_compared_twice():
    measured = [pair("a", "b", laid_out=1.0), pair("b", "c"), pair("a", "c", cosine=0.0)]
    assert proposed(*measured) == []
