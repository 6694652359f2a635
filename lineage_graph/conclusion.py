"""Everything that was measured of some models → what is drawn of them. Reads no weights, and knows no files."""

from __future__ import annotations

from dataclasses import replace

from lineage_graph import by_block, judgement, lineage, origins, scoring
from lineage_graph.calibration import Calibration, shipped
from lineage_graph.examination import Examination
from lineage_graph.judgement import Surroundings
from lineage_graph.lineage import Drawn
from lineage_graph.pieces import Piece


def conclude(seen: Examination, metadata: bool, around: Surroundings) -> Piece:
    """What is found of a part of a zoo. ``around``: the whole of it."""
    told = metadata and any(m.checkpoint.created or m.checkpoint.declared_parents for m in seen.models)
    alone = drawn(seen, False, shipped(), around) if told else None
    return Piece(drawn(seen, metadata, shipped(), around), alone, seen.compared)


def drawn(seen: Examination, metadata: bool, calibration: Calibration, around: Surroundings) -> Drawn:
    """The same by one calibration, with the ``metadata`` or without."""
    scored = judgement.judge(seen.models, seen.measured, metadata, calibration, around)
    found = lineage.draw(seen.models, scored, lineage.LineageSettings(scoring.DECISION, calibration), seen.several)
    by_id = {model.id: model for model in seen.models}
    edges = [(parent, child) for parent, child, _ in found.edges]
    found = found.with_distances(by_block.distances(seen.measured, edges, by_id))
    # A block's copy in a descendant is as near as its own origin.
    found = found.with_origins(origins.origins(seen.surveyed, found.descendants()))
    return replace(found, rejected=(*found.rejected, *seen.unreadable))
