"""The audit of the cards as Markdown: a section of the report, and what ``lgraph audit --markdown`` prints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from lineage_graph.declarations import VERDICTS, Finding
from lineage_graph.render.markdown import code, fence, left_out, table
from lineage_graph.render.text import count
from lineage_graph.visible import visible

ROWS, MENDS, WORDS = 100, 30, 300
"""The most rows of a table, mended cards, and characters of a sentence."""

HEADINGS: Mapping[str, str] = {
    "contradicted": "the weights say otherwise",
    "licence": "the licence drops what an ancestor's asks: a pointer for a person, no legal advice",
    "missing": "the weights show a parent that the card does not name",
    "untestable": "the weights do not tell",
    "confirmed": "the weights say so, too",
}
"""What each verdict means."""


def lines(findings: Sequence[Finding]) -> Iterator[str]:
    """The section; nothing where there is no finding. Every name and sentence stands in a code span or a fence."""
    if not findings:
        return
    yield "## Audit of the cards"
    yield ""
    yield f"{totals(findings)}. By the weights alone: no card counts as evidence for itself."
    yield ""
    for verdict, group in groupby(ordered(findings), key=lambda finding: finding.verdict):
        found = list(group)
        yield f"### {verdict.capitalize()}: {HEADINGS[verdict]}"
        yield ""
        yield from table(("Model", "Finding"), [(code(one.model), code(one.words, WORDS)) for one in found[:ROWS]])
        yield from left_out(len(found) - ROWS, "finding")
    yield from _mends(findings)


def totals(findings: Sequence[Finding]) -> str:
    """``12 findings: 1 contradicted, 3 missing, 8 confirmed``."""
    numbers = [(sum(one.verdict == verdict for one in findings), verdict) for verdict in VERDICTS]
    counted = ", ".join(f"{number:,} {verdict}" for number, verdict in numbers if number)
    return f"{count(len(findings), 'finding')}: {counted}"


def ordered(findings: Sequence[Finding]) -> list[Finding]:
    """Worst first, otherwise as they are."""
    return sorted(findings, key=lambda finding: VERDICTS.index(finding.verdict))


def mends(findings: Sequence[Finding]) -> dict[str, list[str]]:
    """By model, the lines that would mend its card."""
    found = [(one.model, one.mend) for one in ordered(findings) if one.mend]
    return {model: [visible(line) for line in mend.splitlines()] for model, mend in reversed(found)}


def _mends(findings: Sequence[Finding]) -> Iterator[str]:
    wanted = sorted(mends(findings).items())
    if not wanted:
        return
    yield "### Lines that would mend a card"
    yield ""
    for model, shown in wanted[:MENDS]:
        yield f"{code(model)}:"
        yield ""
        yield from fence(shown)
    yield from left_out(len(wanted) - MENDS, "card")
