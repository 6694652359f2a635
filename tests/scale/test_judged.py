"""Judgement over arrays, against that of one pair at a time."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage_graph import descent, scoring
from lineage_graph.calibration import shipped
from lineage_graph.scale import judged
from lineage_graph.scale.population import load
from lineage_graph.types import PairEvidence
from scale_zoos import family


@given(st.floats(-0.2, 1), st.floats(0, 60), st.floats(0, 0.6), st.integers(1, 10**7))
def test_relatives_are_those_of_scoring(cosine, z, strangers, tested):
    evidence = PairEvidence("a", "b", 1.0, {"cosine": cosine, "cosine_z": z, "distance": 1.0})
    one = scoring.score(evidence, {}, tested=tested, strangers=strangers).confidence
    settings = scoring.RelatedSettings()
    midpoint = np.array([max(settings.midpoint, strangers)])
    assert judged.related(np.array([cosine]), np.array([z]), midpoint, tested, settings)[0] == pytest.approx(one)


@given(st.floats(0, 1e9), st.floats(0, 1e9))
def test_counters_grow_as_the_signal_says(a, b):
    found = judged.counter_growth(np.array([a]), np.array([b]))[0]
    assert found == pytest.approx(math.log((b + 1) / (a + 1)) if a != b else math.nan, nan_ok=True, abs=1e-12)


def test_cues_are_those_of_scoring(indexed):
    population = load([indexed(family("abcdefg", 3))])
    count = len(population)
    i, j = np.triu_indices(count, k=1)
    squared = judged.squared_distances(population, i, j)
    pairs = judged.judge(population, i, j, squared, np.zeros(len(i)), len(i))
    signals = dict(judged.signals(population, pairs))
    cues = judged.log_odds(population, pairs, shipped())
    apart = judged.apart(population, pairs)
    for number in range(len(pairs)):
        known = {name: float(values[number]) for name, values in signals.items() if not math.isnan(values[number])}
        kind = judged.KINDS[pairs.kind[number]]
        if kind == "duplicate":
            assert all(log_odds[number] == 0 for log_odds, _ in cues.values())
            continue
        alone = {cue.name: cue for cue in scoring._cues(known, kind, shipped())}
        for name, (log_odds, prior) in cues.items():
            assert log_odds[number] == pytest.approx(alone[name].log_odds if name in alone else 0.0)
            assert name not in alone or alone[name].sign_prior == prior
        same = population.counters["num_batches_tracked"][[i[number], j[number]]]
        known |= {"counters_equal": 1.0} if same[0] == same[1] else {}
        assert apart[number] == pytest.approx(descent.apart(kind, known))


def test_distances_are_those_of_sketches(indexed):
    population = load([indexed(family("abcdefg", 3))])
    whole = population.sketches.take(np.arange(len(population))).astype(float)
    i, j = np.triu_indices(len(population), k=1)
    assert judged.squared_distances(population, i, j) == pytest.approx(
        2 - 2 * np.sum(whole[i] * whole[j], axis=1), abs=1e-5
    )
