"""``lgraph crawl``: fetch what a manifest names on the Hub, without building."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

from lgraph.consent import consent
from lgraph.options import AsJson, Cache, Full, ManifestFile, Yes
from lgraph.progress import ProgressDisplay
from lgraph.text import console, show, size, table

if TYPE_CHECKING:
    from lineage_graph.crawl import Fetched

OUTCOMES = ("fetched", "cached", "sampled", "failed")
"""As the summary counts them."""


def crawl(
    manifest: ManifestFile, *, full: Full = False, yes: Yes = False, as_json: AsJson = False, cache: Cache = None
) -> None:
    """Fetch what a build needs of the models of a zoo that lie on the Hub, without building.

    What is here already is not fetched again: a crawl that was stopped goes on where it was.
    """
    from lineage_graph.manifest import load

    zoo = load(manifest)

    from lineage_graph.build import default_cache
    from lineage_graph.cached import Workshop
    from lineage_graph.executors import make_executor
    from lineage_graph.store import Store
    from lineage_graph.zoo import crawled

    with ProgressDisplay() as progress, make_executor() as executor:
        shop = Workshop(executor, Store(cache or default_cache()), progress)
        fetched = crawled(zoo.entries, zoo.root, shop, consent(yes, progress), full=full)
    if as_json:
        typer.echo(json.dumps({"name": zoo.name, "models": [_record(one) for one in fetched]}, indent=1))
    else:
        _print(zoo.name, fetched)
    if fetched and all(one.outcome == "failed" for one in fetched):
        raise typer.Exit(1)


def _record(one: Fetched) -> dict[str, Any]:
    model, failure = one.planned.model, one.failure
    return {
        "id": one.planned.id,
        "outcome": one.outcome,
        "bytes": one.bytes,
        "repository": model.repo if model else "",
        "commit": model.commit if model else "",
        "files": [file.path for file in one.files],
        "error": failure.error if failure else "",
        "message": failure.message if failure else "",
    }


def _print(name: str, fetched: Sequence[Fetched]) -> None:
    target = console()
    if not fetched:
        show(target, f"{name}: no model of this zoo lies on the Hub")
        return
    counts = {outcome: sum(one.outcome == outcome for one in fetched) for outcome in OUTCOMES}
    total = sum(one.bytes for one in fetched)
    told = ", ".join(f"{count} {what}" for what, count in counts.items() if count or what != "sampled")
    show(target, f"{name}: {told}; {size(total)} came", "")
    rows = [(one.planned.id, one.outcome, size(one.bytes) if one.bytes else "", _remark(one)) for one in fetched]
    show(target, table(("model", "outcome", " bytes", ""), rows))


def _remark(one: Fetched) -> str:
    """Why it failed; else the commit, and the new name of a repository that was renamed."""
    if one.failure is not None:
        return f"{one.failure.error}: {one.failure.message}"
    model = one.planned.model
    if model is None:
        return ""
    return f"{model.source}{f', renamed from {model.renamed_from}' if model.renamed_from else ''}"
