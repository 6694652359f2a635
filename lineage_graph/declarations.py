"""What people say of a model, and what comes of it: frozen records, claims all of them, never trusted.

A ``Card`` is what a model's card says, a ``Claim`` names one parent, whoever says so; a ``Finding`` is what the audit
makes of such a statement, or of its absence.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

VERDICTS = ("contradicted", "licence", "missing", "untestable", "confirmed")
"""What a finding can say, worst first.

``contradicted``: the weights say otherwise. ``licence``: the model's licence drops what an ancestor's imposes.
``missing``: the weights show a parent that the card does not name. ``untestable``: the weights do not tell.
``confirmed``: the weights say so, too.
"""


@dataclass(frozen=True, slots=True)
class Card:
    """The metadata of a model card, as it is written; what is absent is empty.

    ``base_models``: names of the models it says it descends from. ``relation``: ``finetune``, ``adapter``, ``merge``,
    ``quantized``, or whatever stands there. ``license``: an SPDX id, a tag of the Hub, or the name of another one;
    ``license_link``: where its text is said to be. ``problem``: why the card could not be read; all else is empty then.
    """

    base_models: tuple[str, ...] = ()
    relation: str = ""
    license: str = ""
    license_link: str = ""
    tags: tuple[str, ...] = ()
    library: str = ""
    created: date | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """One declared parent. ``name``: as it is written. ``origin``: who says so (``manifest``, ``card``, ``adapter
    config``). ``parent``: the model of the zoo that is meant, or ``""``; then ``why`` says why it is none.
    """

    name: str
    origin: str
    parent: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding of the audit.

    ``model``: whose card it is about. ``kind``: ``parent`` (a declared one), ``relation`` (the word for it),
    ``undeclared`` (a detected parent), ``licence`` or ``card`` (one that cannot be read). ``subject``: the parent's id
    or name, the ancestor with the other licence, or ``""``. ``verdict``: one of ``VERDICTS``. ``words``: one sentence.
    ``mend``: the lines of YAML that would mend the card, or ``""``.
    """

    model: str
    kind: str
    subject: str
    verdict: str
    words: str
    mend: str = ""


def worst(findings: tuple[Finding, ...] | list[Finding]) -> str:
    """The worst verdict among the findings of one model; ``""`` without any."""
    return min((finding.verdict for finding in findings), key=VERDICTS.index, default="")
