"""Pairs of models → related or not, of which kind, and what their cues say: the numbers of ``scoring`` over arrays.

Nothing is read but sketches and sums of fingerprints. The difference of two sketches is the sketch of the difference of
the standardised weights, so it gives their squared distance to √(2/512) = 6 %; that of two models with unlike spreads
counts no scale. A stranger's cosine is spread by the sketch itself, with 1/√512: this is the null for ``z``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lineage_graph import scoring
from lineage_graph.calibration import Calibration
from lineage_graph.descent import APART, TRAINED
from lineage_graph.kinds import PRUNED
from lineage_graph.scale.population import COUNTERS, Flags, Floats, Ints, Population
from lineage_graph.signals.lattice import LATTICE_ERROR, LEAST_LOSS
from lineage_graph.sketch import WIDE

KINDS = ("finetune", "quantize", "prune", "duplicate", "merge")
"""Kinds of edges that fingerprints can tell apart, by number."""

FINETUNE, QUANTIZE, PRUNE, DUPLICATE, MERGE = range(len(KINDS))

CUES = ("norm_growth", "kurtosis_growth", "lattice_loss", "sparsity_gain", *(f"counter.{name}" for name in COUNTERS))
"""Signals of direction that fingerprints give."""

CHUNK = 1 << 17
"""Pairs whose sketches are held at a time: half a GiB."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """``i`` < ``j``; ``squared`` relative distance; ``cosine``, -1 to 1; ``confidence`` that they are related, 0 to 1;
    ``kind``: a number of :data:`KINDS`. All of shape (pairs,).
    """

    i: Ints
    j: Ints
    squared: Floats
    cosine: Floats
    confidence: Floats
    kind: npt.NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.i)

    def where(self, chosen: Flags | Ints) -> Pairs:
        """Some of them."""
        return Pairs(*(getattr(self, name)[chosen] for name in self.__slots__))


def joined(parts: list[Pairs]) -> Pairs:
    """One after the other."""
    return Pairs(*(np.concatenate([getattr(part, name) for part in parts]) for name in Pairs.__slots__))


def squared_distances(population: Population, i: Ints, j: Ints) -> Floats:
    """‖s - t‖² of the models' unit sketches."""
    squared = np.empty(len(i))
    for start in range(0, len(i), CHUNK):
        part = slice(start, start + CHUNK)
        difference = population.sketches.take(i[part]) - population.sketches.take(j[part])
        squared[part] = np.einsum("pd,pd->p", difference, difference)
    return squared


def judge(
    population: Population,
    i: Ints,
    j: Ints,
    squared: Floats,
    strangers: Floats,
    tested: int,
    settings: scoring.RelatedSettings | None = None,
) -> Pairs:
    """Judge pairs of one signature each, ``tested`` in all. ``strangers``: of each pair, the cosine that strangers of
    its shape stay below in this zoo.
    """
    settings = settings or scoring.RelatedSettings()
    cosine = 1 - squared / 2
    z = cosine * np.sqrt(np.minimum(WIDE, np.minimum(population.elements[i], population.elements[j])))
    confidence = related(cosine, z, np.maximum(settings.midpoint, strangers), tested, settings)
    same = population.content[i] == population.content[j]
    kind = np.where(same, DUPLICATE, _kinds(population, i, j, squared, cosine)).astype(np.int8)
    return Pairs(i, j, squared, cosine, np.where(same, 1.0, confidence), kind)


def related(cosine: Floats, z: Floats, midpoint: Floats, tested: int, settings: scoring.RelatedSettings) -> Floats:
    """The probability of ``scoring`` that two models are related, from their weights alone."""
    from scipy.special import expit

    least = max(settings.least_z, scoring.luck(tested, settings))
    agree = expit(settings.slope * (np.maximum(cosine, 0) - midpoint)) * expit(settings.z_slope * (z - least))
    found: Floats = agree
    return found


def _kinds(population: Population, i: Ints, j: Ints, squared: Floats, cosine: Floats) -> Ints:
    loss = population.digits[j] - population.digits[i]
    coarse = np.where(loss < 0, j, i)
    few = population.few[coarse] > 0.5
    fits = np.where(few, 1 - cosine**2 <= LATTICE_ERROR, squared <= 4.0 ** -population.bits[coarse])
    gain = np.abs(population.zeros[j] - population.zeros[i])
    kinds: Ints = np.where((np.abs(loss) >= LEAST_LOSS) & fits, QUANTIZE, np.where(gain >= PRUNED, PRUNE, FINETUNE))
    return kinds


def signals(population: Population, pairs: Pairs) -> Iterator[tuple[str, Floats]]:
    """Each of :data:`CUES` with its signal, positive where it speaks for i → j; NaN where it does not apply."""
    i, j = pairs.i, pairs.j
    of_i, of_j = population.squared_norm[i], population.squared_norm[j]
    apart = of_i + of_j - 2 * np.sqrt(of_i * of_j) * pairs.cosine
    with np.errstate(divide="ignore", invalid="ignore"):
        yield "norm_growth", np.where(apart > 0, (of_j - of_i) / apart, np.nan)
        mean = (population.kurtosis[i] + population.kurtosis[j]) / 2
        yield "kurtosis_growth", (population.kurtosis[j] - population.kurtosis[i]) / mean
    yield "lattice_loss", np.where(pairs.kind == QUANTIZE, population.digits[i] - population.digits[j], np.nan)
    gain = population.zeros[j] - population.zeros[i]
    yield "sparsity_gain", np.where(np.abs(gain) >= PRUNED, gain, np.nan)
    for name in COUNTERS:
        yield f"counter.{name}", counter_growth(population.counters[name][i], population.counters[name][j])


def counter_growth(a: Floats, b: Floats) -> Floats:
    """ln((b + 1)/(a + 1)); NaN where one is missing or negative, or both are equal."""
    usable = (a >= 0) & (b >= 0) & (a != b)
    return np.where(usable, np.log((np.where(usable, b, 0) + 1) / (np.where(usable, a, 0) + 1)), np.nan)


def log_odds(population: Population, pairs: Pairs, calibration: Calibration) -> Mapping[str, tuple[Floats, float]]:
    """By cue: the log-odds for i → j, 0 where it is silent, and the prior of its sign. As in ``scoring``, a cue's word
    depends on the kind of the pair.
    """
    scale = np.log(np.maximum(population.squared_norm, 1e-300)) / 2
    untrained = (pairs.kind == QUANTIZE) | (np.abs(scale[pairs.j] - scale[pairs.i]) > scoring.RESCALED)
    found = {}
    for name, values in signals(population, pairs):
        silent = np.isnan(values) | (pairs.kind == DUPLICATE) | (untrained & (name in scoring.TRAINING_CUES))
        cue = scoring.CUES[name]
        fading = np.clip(2 - 2 * np.abs(values) / cue.lost, 0.0, 1.0)
        strength = np.where(silent, 0.0, np.clip(values / cue.full, -1.0, 1.0) * fading)
        worth = [scoring.worth(name, kind, calibration) for kind in KINDS]
        # One sign holds for a whole family, whatever the kinds of its edges.
        found[name] = np.array([one.log_odds for one in worth])[pairs.kind] * strength, worth[FINETUNE].sign_prior
    return found


def apart(population: Population, pairs: Pairs) -> Floats:
    """:func:`~lineage_graph.descent.apart` of many pairs, from what fingerprints tell."""
    growth = next(values for name, values in signals(population, pairs) if name == "norm_growth")
    known = {"norm_growth": growth, "counters_equal": _counters_equal(population, pairs)}
    total = np.zeros(len(pairs))
    for name, values in known.items():
        most, slope, least = APART[name]
        total += np.where(np.isnan(values), 0.0, np.maximum(most - slope * np.abs(values), least))
    trained = np.array([kind in TRAINED for kind in KINDS])
    return np.where(trained[pairs.kind], total, -math.inf)


def _counters_equal(population: Population, pairs: Pairs) -> Floats:
    """1 where all counters that both have are equal, and one has counted; NaN elsewhere."""
    equal, counted = np.ones(len(pairs), bool), np.zeros(len(pairs), bool)
    for values in population.counters.values():
        a, b = values[pairs.i], values[pairs.j]
        both = ~np.isnan(a) & ~np.isnan(b)
        equal &= ~both | (a == b)
        counted |= both & (a > 0)
    return np.where(equal & counted, 1.0, np.nan)
