import math

import pytest

from lineage_graph.calibration import Calibration, CueReliability
from lineage_graph.scoring import CUES, DECISION, score
from lineage_graph.types import PairEvidence

RELATIVES = {
    "distance": 0.2,
    "scale": 0.0,
    "cosine": 0.97,
    "cosine_z": 30.0,
    "inherited": 1.0,
    "inherited_cosine": 0.97,
}
STRANGERS = {"distance": 1.4, "scale": 0.0, "cosine": 0.02, "cosine_z": 0.8, "inherited": 0.0}


def judged(signals, coverage=1.0, **metadata):
    return score(PairEvidence("a", "b", coverage, signals), metadata)


def test_relatives_pass_and_strangers_do_not():
    assert judged(RELATIVES).confidence > 0.99
    assert judged(STRANGERS).confidence < 0.05
    assert "cosine 0.02" in judged(STRANGERS).reason


def test_no_overlap_is_no_relation_and_never_distance_zero():
    pair = judged({}, coverage=0.0)
    assert (pair.confidence, pair.distance) == (0.0, math.inf)
    assert pair.reason == "too few weights can be compared"


def test_an_agreement_that_could_be_luck_is_no_relation():
    pair = judged(RELATIVES | {"cosine": 0.5, "cosine_z": 2.0, "inherited": 0.0})
    assert pair.confidence < DECISION
    assert "chance" in pair.reason


def test_half_a_network_inherited_whole_is_a_relation():
    assert judged(RELATIVES | {"cosine": 0.2, "inherited": 0.3, "inherited_cosine": 0.95}).confidence > DECISION


def test_units_that_were_matched_have_to_agree_more():
    alike = RELATIVES | {"cosine": 0.3, "cosine_z": 20.0, "inherited_cosine": 0.3}
    assert judged(alike).confidence > DECISION
    assert judged(alike | {"units_lost": 0.4}).confidence < 0.1
    assert judged(RELATIVES | {"units_lost": 0.4}).confidence > 0.99


def test_equal_profiles_are_proof_though_weights_were_folded():
    folded = STRANGERS | {"same_profile": 0.995}
    assert judged(folded, coverage=0.7).confidence == 1
    assert judged(folded, coverage=0.01).confidence == 0
    assert judged(STRANGERS | {"same_profile": 0.9}).confidence < 0.05


@pytest.mark.parametrize("name", sorted(CUES))
def test_every_cue_turns_with_the_pair_and_is_bounded(name):
    known = CUES[name]
    values = [known.full, 1e6 * known.full]
    for value, expected in zip(
        values, [known.log_odds, known.log_odds if known.lost == math.inf else 0.0], strict=True
    ):
        (one,), (two,) = (judged(RELATIVES | {name: sign * value}).direction for sign in (1, -1))
        assert one.log_odds == -two.log_odds == expected


def test_norms_that_changed_by_more_than_updates_can_say_nothing():
    said = [judged(RELATIVES | {"norm_growth": value}).direction[0].log_odds for value in (1.0, 1.5, 2.25, 3.0, 40.0)]
    full = CUES["norm_growth"].log_odds
    assert said == pytest.approx([full, full, full / 2, 0.0, 0.0])


def test_no_update_is_read_from_copies():
    cues = {"init_drift": 1.0, "detector.direction": 5.0, "linearized.asymmetry": 1.0, "order_lost": 1.0}
    copy = {"identical": 1.0, "cosine": 1.0, "cosine_z": 30.0, "distance": 0.0}
    assert {cue.name for cue in judged(RELATIVES | cues).direction} == cues.keys()
    assert [cue.name for cue in judged(copy | cues).direction] == ["order_lost"]


def test_weak_signals_are_weak_cues():
    (cue,) = judged(RELATIVES | {"kurtosis_growth": CUES["kurtosis_growth"].full / 10}).direction
    assert cue.log_odds == pytest.approx(CUES["kurtosis_growth"].log_odds / 10)


def test_metadata_speaks_only_where_it_was_given():
    assert judged(RELATIVES).direction == ()
    assert judged(RELATIVES, created=30.0).direction[0].log_odds == pytest.approx(math.log(124 / 5))


def test_a_rescaled_copy_is_measured_by_its_angle():
    assert judged(RELATIVES | {"distance": 60.0, "scale": 5.0}).distance == pytest.approx(math.sqrt(2 - 2 * 0.97))


def test_equal_weights_are_a_duplicate_only_if_they_cover_everything():
    assert judged(RELATIVES | {"identical": 1.0}).kind == "duplicate"
    assert judged(RELATIVES | {"identical": 1.0}, coverage=0.6).kind == "finetune"
    assert judged(RELATIVES | {"identical": 0.99}).kind == "finetune"


def test_more_tested_pairs_ask_for_more_agreement():
    """z = 5.5 is luck in one pair of 50 million: fine for one pair, not for ten million."""
    evidence = PairEvidence("a", "b", 1.0, RELATIVES | {"cosine": 0.6, "cosine_z": 5.5})
    assert score(evidence, {}).confidence > DECISION
    assert score(evidence, {}, tested=10**8).confidence < DECISION


def test_a_relation_stands_out_from_the_zoo_s_strangers():
    evidence = PairEvidence("a", "b", 1.0, RELATIVES | {"cosine": 0.4, "inherited": 0.0})
    assert score(evidence, {}, strangers=0.1).confidence == score(evidence, {}).confidence > DECISION
    assert score(evidence, {}, strangers=0.55).confidence < DECISION


def test_what_was_done_to_the_child_is_named():
    pruned = score(PairEvidence("a", "b", 1.0, RELATIVES | {"sparsity_gain": 0.5}), {})
    assert (pruned.kind, score(PairEvidence("a", "b", 1.0, RELATIVES), {}).kind) == ("prune", "finetune")


def test_fitted_cues_take_the_place_of_the_priors():
    fitted = Calibration(cues={"norm_growth": CueReliability(1.7, 0.8)})
    evidence = PairEvidence("a", "b", 1.0, RELATIVES | {"norm_growth": 1.0})
    (cue,) = score(evidence, {}, calibration=fitted).direction
    assert (cue.log_odds, cue.sign_prior) == (1.7, 0.8)
