"""Evidence → a judged pair. Every threshold and every weight of a cue lives here, and nowhere else.

The numbers here are priors: they come from what is published or was measured on other zoos, and are written beside
each. Where a fitted calibration knows better what a cue is worth, its number counts. ``ScoredPair.confidence`` decides
who is related; what an edge drawn from it is worth is the calibration's to say.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from statistics import NormalDist

from lineage_graph import kinds
from lineage_graph.calibration import Calibration, CueReliability, logistic
from lineage_graph.types import DirectionCue, PairEvidence, ScoredPair

DECISION = 0.5
"""Confidence from which two models are taken for relatives."""

DECLARED_ADAPTER = 0.9
"""Confidence in the base that an adapter declares and fits. On MDGBench all 29 were right (TensorLock, 2026); of files
that were renamed or trained on a relative of that base, nobody knows."""


@dataclass(frozen=True, slots=True)
class RelatedSettings:
    """Two models are relatives if they agree by more than strangers can (``midpoint``) and by more than chance (``z``).
    Independent trainings of one architecture have centred cosines within a few hundredths of 0; documented heavy fine-
    tunes go down to 0.33. The midpoint lies between. ``least_z`` guards small networks, in which a cosine of 0.25 can
    be luck: at 5 standard deviations, luck is one pair in 3 million; where more pairs are tested, so much more is asked
    that no more than ``lucky_pairs`` of all of them are expected to pass (Bonferroni). ``feature_limit``: linearized
    distance, in units of the features' spread, from which function space speaks against a relation: strangers lie
    beyond 1, most edges below 0.6; it moves the log-odds by ``feature_weight`` at most, so it decides only what weights
    leave open. ``matched_midpoint``: where units were left out to match a narrower model; filters that strangers both
    learn are then found in one another (cosine 0.26 to 0.30 in 2 of 368 pairs of narrowed and whole grown convnets).
    """

    midpoint: float = 0.25
    matched_midpoint: float = 0.5
    same_profile: float = 0.99
    slope: float = 14.0
    least_z: float = 5.0
    lucky_pairs: float = 0.01
    z_slope: float = 2.0
    least_coverage: float = 0.1
    feature_limit: float = 0.8
    feature_weight: float = 1.0


@dataclass(frozen=True, slots=True)
class CueSettings:
    """Reliability of one direction cue: log-odds at full strength, reached where the signal's size is ``full``, and the
    probability that the quantity grows at all from parent to child in a family (see ``DirectionCue``). The word of a
    signal larger than half of ``lost`` fades, and is lost there. ``together``: what it reverses together with, if so.
    """

    log_odds: float
    full: float
    sign_prior: float = 1.0
    lost: float = math.inf
    together: str = ""

    def strength(self, signal: float) -> float:
        """-1 to 1."""
        fading = 2 - 2 * abs(signal) / self.lost
        return max(-1.0, min(1.0, signal / self.full)) * max(0.0, min(1.0, fading))


DRIFT = "drift"
"""What adds to weights makes them longer, their biases farther from 0 and their spectra flatter or steeper; where a
training takes away what another one left, all of it is reversed. On 20 grown zoos (seeds 610 to 612) one sign for all
three puts 97.0 % of the directions right, and one sign for each 96.8 %."""

ANY = 1e-12
"""For signals of which the sign is all that counts."""

CUES: Mapping[str, CueSettings] = {
    # Counters order two states of one run exactly, so any difference counts in full. Of batches: larger in the child on
    # 150 of 150 edges of a measured zoo; fine-tuning scripts rarely reset it. Another run may start the others anew.
    "counter.num_batches_tracked": CueSettings(3.0, ANY),
    "counter.global_step": CueSettings(1.5, ANY),
    "counter.step": CueSettings(1.5, ANY),
    "counter.num_timesteps": CueSettings(1.5, ANY),
    "counter.iteration": CueSettings(1.0, ANY),
    "counter.epoch": CueSettings(1.0, ANY),
    # Positive on 53 of 56 edges of two grown zoos (recipe digits, seeds 1 and 2), whatever the optimiser; discounted,
    # since weight decay on biases and scales would pull the other way.
    "init_drift": CueSettings(2.0, 0.5, sign_prior=0.9, together=DRIFT),
    # Larger in the child on 89 % and 97 % of the edges of one zoo, on 54 % and 71 % of 164 published edges, on 73 % and
    # 52 % of those two grown zoos; where measured, the sign held within a family: it is learned from the family.
    # Updates at right angles make it about ±1; beyond ±2 something systematic, such as decay, did more than they, and
    # it says nothing: right on 41 of 82 edges there, on 106 of 127 between 1/4 and 2 (20 grown zoos, seeds 610 to 612).
    "norm_growth": CueSettings(0.7, 0.3, sign_prior=0.6, lost=3.0, together=DRIFT),
    "kurtosis_growth": CueSettings(0.5, 0.02, sign_prior=0.7),
    # Lower in the child on 92 % of 222 fine-tunes and snapshots of grown zoos (ten recipes, seeds 100 and 101), in 57
    # of 64 families, and on 93 % of edges as the rest of the family has it; published families have it either way.
    "rank_loss": CueSettings(1.5, 1.4, sign_prior=0.7, together=DRIFT),
    # ln of a ratio of probabilities, taken at half its word: on the edges of three grown zoos (recipe digits, seeds 21
    # to 23) it is right on 16 of 23 where it lies between 1 and 3, where 20 would be its word; beyond 3 on 51 of 51.
    "detector.direction": CueSettings(2.5, 5.0),
    # Which side the linearization fails from; no sign is known beforehand.
    "linearized.asymmetry": CueSettings(0.3, 0.5, sign_prior=0.55),
    # Rounding, adapters, pruning: what was lost or added is the child's. Each right on every one of 8 to 28 edges of
    # grown zoos (recipes typed and laundered, seeds 100 to 111), rounding on 20 of 20 published ones, too.
    "lattice_loss": CueSettings(4.0, 1.0),
    "adapter_gain": CueSettings(3.0, ANY),
    "units_lost": CueSettings(3.0, 0.05),
    # A vocabulary or a head that goes on is extended more often than its end is cut off. No zoo has shown how often.
    "rows_added": CueSettings(1.5, ANY),
    # A trained backbone with a neck beside it: set in more often than taken out and trained on. Nobody has counted how
    # often; grown zoos only ever set one in, so that it is right there by construction, and is not fitted.
    "parts_added": CueSettings(1.0, ANY),
    "sparsity_gain": CueSettings(3.0, 0.1),
    # Larger in the rescaled copy on 15 of 15 edges of grown zoos (recipes laundered and heap, seeds 100 and 101), by
    # 0.6 to 1.8; factors of 1/2 to 2 still leave 0.3.
    "spread_gain": CueSettings(3.0, 0.3),
    # Whom the relatives lie like is the original: a majority, where either side has descendants of its own.
    "order_lost": CueSettings(2.0, 0.5),
    # A base that is taken off, or left where updates were trimmed, is one by arithmetic; sums have several readings.
    "merge_base": CueSettings(3.0, 1.0),
    # Whose relatives are stored as it is was not converted. How often a whole family is converted, nobody has counted.
    "format_lost": CueSettings(1.0, 0.5),
    # Equal values in a narrower file are the original: a converter widens, where it does not round.
    "precision_loss": CueSettings(1.5, 1.0),
    # Metadata. The parent is older on 124 of 129 edges of MDGBench (TensorLock, 2026).
    "created": CueSettings(math.log(124 / 5), 1.0),
    # A card is right more often than not about a relative that the weights confirm.
    "declared": CueSettings(3.0, 1.0),
}

SAME_RUN = 4.0
"""Log-odds of a counter between two states of one run; other trainings may start counting anew."""

TRAINING_CUES = frozenset(["init_drift", "norm_growth", "kurtosis_growth", "rank_loss"])
"""Cues that read what training does to weights: they say nothing where scaling, rounding or cutting did more."""

LEARNED_CUES = frozenset(["detector.direction", "linearized.asymmetry"])
"""Cues that see an update where there is one: they say nothing of copies."""

ROUNDED = 0.9
"""Share of what changed that rounding explains, from which it was no training."""

RESCALED = math.log(2)
"""|ln(‖b‖/‖a‖)| beyond which one side has been rescaled (integers kept as floats): lengths then come from angles."""


def score(
    evidence: PairEvidence,
    metadata: Mapping[str, float],
    settings: RelatedSettings | None = None,
    calibration: Calibration | None = None,
    tested: int = 1,
    strangers: float = 0.0,
) -> ScoredPair:
    """Judge one pair of ``tested`` ones. ``metadata``: the metadata signals, empty where metadata takes no part.

    ``calibration``: what cues are worth; the priors where there is none. ``strangers``: cosine that strangers of this
    shape reach in this zoo (see ``strangers``); it raises the midpoint, and never lowers it.
    """
    settings = settings or RelatedSettings()
    settings = replace(settings, midpoint=max(settings.midpoint, strangers))
    signals = {"coverage": evidence.coverage, **evidence.signals, **metadata}
    kind = kinds.kind(signals)
    confidence, reason = (1.0, "") if kind == "duplicate" else _related(signals, settings, tested)
    return ScoredPair(
        a=evidence.a,
        b=evidence.b,
        kind=kind,
        confidence=confidence,
        distance=_length(signals),
        direction=tuple(_cues(signals, kind, calibration or Calibration())),
        evidence=signals,
        reason=reason if confidence < DECISION else "",
    )


def declared_adapter(evidence: PairEvidence) -> ScoredPair:
    """Judge an adapter alone, and the base that it declares, from what ``adapters`` measured, as (base, adapter).

    Weights say nothing, so a declaration counts where every shape fits, and as much as declarations are worth.
    """
    fits = evidence.signals["shapes_fit"] == 1
    return ScoredPair(
        a=evidence.a,
        b=evidence.b,
        kind="adapter",
        confidence=DECLARED_ADAPTER if fits else 0.0,
        distance=evidence.signals["distance"],
        direction=(DirectionCue("declared", CUES["declared"].log_odds),),
        evidence={**evidence.signals, "declared": 1.0},
        reason="" if fits else "the declared base has no such layers as the adapter updates",
    )


def _related(signals: Mapping[str, float], settings: RelatedSettings, tested: int) -> tuple[float, str]:
    if "cosine" not in signals or signals["coverage"] < settings.least_coverage:
        return 0.0, "too few weights can be compared"
    if signals.get("same_profile", 0.0) >= settings.same_profile:
        return 1.0, ""
    # A transplanted part counts with the square root of its share: half a model inherited whole is no half relation.
    part = signals.get("inherited_cosine", 0.0) * math.sqrt(signals.get("inherited", 0.0))
    agreement = max(signals["cosine"], part)
    midpoint = max(settings.midpoint, settings.matched_midpoint if "units_lost" in signals else 0.0)
    near = logistic(settings.slope * (agreement - midpoint) + _function_space(signals, settings))
    beyond_chance = logistic(settings.z_slope * (signals["cosine_z"] - max(settings.least_z, luck(tested, settings))))
    if near < DECISION:
        return near * beyond_chance, f"the weights agree no more than strangers' do (cosine {signals['cosine']:.2f})"
    return near * beyond_chance, f"agreement could be chance (z = {signals['cosine_z']:.1f})"


def luck(tested: int, settings: RelatedSettings) -> float:
    """Standard deviations that no more than ``lucky_pairs`` of so many pairs of strangers are expected to pass."""
    return -NormalDist().inv_cdf(settings.lucky_pairs / max(tested, 1))


def _function_space(signals: Mapping[str, float], settings: RelatedSettings) -> float:
    """Log-odds from the linearized distance, bounded by ``feature_weight``; 0 where no network could be built."""
    residual = signals.get("linearized.l1")
    if residual is None:
        return 0.0
    favour = math.log(settings.feature_limit / max(residual, 1e-9))
    return settings.feature_weight * max(-1.0, min(1.0, favour))


def _length(signals: Mapping[str, float]) -> float:
    """Relative distance; where one side is rescaled, the chord √(2 - 2 cosine), which equals it at equal norms."""
    if abs(signals.get("scale", 0.0)) > RESCALED and "cosine" in signals:
        return math.sqrt(max(2 - 2 * signals["cosine"], 0.0))
    return signals.get("distance", math.inf)


def _cues(signals: Mapping[str, float], kind: str, calibration: Calibration) -> list[DirectionCue]:
    """Each cue's log-odds, proportional to the signal up to its full strength."""
    cues = []
    copied = kind == "duplicate"
    untrained = (
        copied
        or abs(signals.get("scale", 0.0)) > RESCALED
        or signals.get("rounding", 0.0) >= ROUNDED
        or signals.get("units_lost", 0.0) != 0
    )
    silent = (TRAINING_CUES if untrained else frozenset()) | (LEARNED_CUES if copied else frozenset())
    for name, usual in CUES.items():
        if name in signals and name not in silent:
            reliability = worth(name, kind, calibration)
            log_odds = reliability.log_odds * usual.strength(signals[name])
            cues.append(DirectionCue(name, log_odds, reliability.sign_prior, usual.together))
    return cues


def worth(name: str, kind: str, calibration: Calibration) -> CueReliability | CueSettings:
    """What a cue is worth on a pair of this kind: as fitted, or the prior."""
    return calibration.cues.get(f"{name}@{kind}", calibration.cues.get(name, prior(name, kind)))


def prior(name: str, kind: str) -> CueSettings:
    """What a cue is worth before anything was fitted: a counter of one run orders its states."""
    known = CUES[name]
    return replace(known, log_odds=SAME_RUN) if kind == "snapshot" and name.startswith("counter.") else known
