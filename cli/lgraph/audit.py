"""``lgraph audit``: do the models' cards tell the truth, by the weights?"""

from __future__ import annotations

import json
from dataclasses import asdict
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lgraph.graph import read_graph
from lgraph.options import AsJson
from lgraph.text import console, show, table, visible

if TYPE_CHECKING:
    from lineage_graph.types import LineageGraph


class FailOn(StrEnum):
    """Verdicts that can end the command with exit code 1, worst first."""

    contradicted = "contradicted"
    licence = "licence"
    missing = "missing"
    untestable = "untestable"


def audit(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder that a build wrote.")],
    as_json: AsJson = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the result as Markdown.")] = False,
    fail_on: Annotated[
        FailOn | None, typer.Option(help="Exit with code 1 where a finding is this bad, or worse (in this order).")
    ] = None,
) -> None:
    """Say of each model's card what the weights confirm, contradict and miss, and where licences clash."""
    if as_json and markdown:
        raise typer.BadParameter("give either --json or --markdown")
    lineage = read_graph(folder, "DIR")
    if as_json:
        _print_json(lineage)
    elif markdown:
        _print_markdown(lineage)
    else:
        _print(lineage)
    worse = list(FailOn)[: list(FailOn).index(fail_on) + 1] if fail_on else []
    if any(finding.verdict in worse for finding in lineage.audit):
        raise typer.Exit(1)


def _print_json(lineage: LineageGraph) -> None:
    from lineage_graph.declarations import VERDICTS

    counts = {verdict: sum(one.verdict == verdict for one in lineage.audit) for verdict in VERDICTS}
    findings = [asdict(finding) for finding in lineage.audit]
    typer.echo(json.dumps({"name": lineage.name, "counts": counts, "findings": findings}, indent=1))


def _print_markdown(lineage: LineageGraph) -> None:
    from lineage_graph.render.audit_section import lines

    typer.echo("\n".join(lines(lineage.audit)).rstrip())


def _print(lineage: LineageGraph) -> None:
    from lineage_graph.render.audit_section import HEADINGS, mends, ordered, totals

    target = console()
    if not lineage.audit:
        show(target, visible(f"{lineage.name}: no card and no declared parent to be checked"))
        return
    show(target, visible(f"{lineage.name}: {totals(lineage.audit)}"))
    for verdict, group in groupby(ordered(lineage.audit), key=lambda finding: finding.verdict):
        rows = [(finding.model, finding.words) for finding in group]
        show(target, "", f"{verdict}: {HEADINGS[verdict]}", table(("", ""), rows))
    for model, lines in sorted(mends(lineage.audit).items()):
        show(target, "", visible(f"to mend the card of {model}:"), *(visible(f"  {line}") for line in lines))
