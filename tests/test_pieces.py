"""What is kept of a part is what was drawn, and is found again only where nothing that it depends on has changed."""

import dataclasses
import datetime
import math
import zlib

import pytest

import lineages_on_disk as disk
from fingerprints import model
from lineage_graph import pieces
from lineage_graph.judgement import surroundings
from lineage_graph.kinship import Blend
from lineage_graph.leads import Leads
from lineage_graph.lineage import Drawn
from lineage_graph.parts import Part
from lineage_graph.pieces import Piece
from lineage_graph.types import CandidatePair, LinearizedFeatures, Rejected

PAIR = CandidatePair("a", "b", 0.5)
BLEND = Blend("b", "linear", ("a", "c"), (0.5, 0.5), (0.0, 0.0), 0.0, 1.0)
BLOCKS = (("a", "blocks.0"), ("b", "blocks.0"))
A, B = model("a", disk.root(0)), model("b", disk.root(1))
PART = Part((A, B), Leads((PAIR,), (BLEND,), (BLOCKS,)))
AROUND = surroundings(1, {A.fingerprint.signature: 0.5})
SETTINGS = {"metadata": False, "features": None}


def told(**changes):
    """The part with other facts about its first model."""
    checkpoint = dataclasses.replace(A.checkpoint, **changes)
    return dataclasses.replace(PART, models=(dataclasses.replace(A, checkpoint=checkpoint), B))


def with_leads(**changes):
    return dataclasses.replace(PART, leads=dataclasses.replace(PART.leads, **changes))


def printed(**changes):
    fingerprint = dataclasses.replace(A.fingerprint, **changes)
    return dataclasses.replace(PART, models=(dataclasses.replace(A, fingerprint=fingerprint), B))


OTHERS = {
    "a name": (told(id="x"), AROUND, SETTINGS),
    "a claim": (told(declared_parents=("b",)), AROUND, SETTINGS),
    "a sample": (printed(tensors=()), AROUND, SETTINGS),
    "weights": (printed(digest="0" * 64), AROUND, SETTINGS),
    "counters": (printed(counters={"epoch": 3.0}), AROUND, SETTINGS),
    "a network": (
        dataclasses.replace(PART, models=(dataclasses.replace(A, features=LinearizedFeatures("vit", "")), B)),
        AROUND,
        SETTINGS,
    ),
    "a model less": (dataclasses.replace(PART, models=(A,)), AROUND, SETTINGS),
    "a pair": (with_leads(pairs=()), AROUND, SETTINGS),
    "a sketch": (with_leads(pairs=(dataclasses.replace(PAIR, similarity=0.6),)), AROUND, SETTINGS),
    "a sum": (with_leads(sums=()), AROUND, SETTINGS),
    "blocks": (with_leads(blocks=()), AROUND, SETTINGS),
    "strangers": (PART, surroundings(1, {A.fingerprint.signature: 0.6}), SETTINGS),
    "very many pairs": (PART, surroundings(10**6, {A.fingerprint.signature: 0.5}), SETTINGS),
    "settings": (PART, AROUND, {**SETTINGS, "metadata": True}),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_what_a_piece_depends_on_is_in_its_key(other):
    assert pieces.key(*other) != pieces.key(PART, AROUND, SETTINGS)


def test_where_files_lie_and_what_others_are_like_changes_nothing():
    own = pieces.key(PART, AROUND, SETTINGS)
    assert pieces.key(told(path="/elsewhere"), AROUND, SETTINGS) == own
    assert pieces.key(told(created=datetime.date(2024, 1, 1), source="hub:a/b@2"), AROUND, SETTINGS) == own
    crowded = surroundings(1_000, {A.fingerprint.signature: 0.5, "another": 0.9})
    assert pieces.key(PART, crowded, SETTINGS) == own


def test_dates_count_where_metadata_does():
    settings = {**SETTINGS, "metadata": True}
    dated = told(created=datetime.date(2024, 1, 1))
    assert pieces.key(dated, AROUND, settings) != pieces.key(PART, AROUND, settings)


def test_other_code_finds_nothing(monkeypatch):
    before = pieces.key(PART, AROUND, SETTINGS)
    monkeypatch.setattr(pieces, "code", lambda: "changed")
    assert pieces.key(PART, AROUND, SETTINGS) != before


def test_the_digest_of_the_code_is_of_every_module_and_library(tmp_path, monkeypatch):
    (tmp_path / "part").mkdir()
    (tmp_path / "__init__.py").write_text("")
    (tmp_path / "part" / "rule.py").write_text("LIMIT = 1")
    (tmp_path / "notes.txt").write_text("one")
    monkeypatch.setattr(pieces.lineage_graph, "__file__", str(tmp_path / "__init__.py"))
    digests = []
    for file, content in (("notes.txt", "two"), ("part/rule.py", "LIMIT = 2"), ("fitted.json", "{}")):
        digests.append(pieces.code.__wrapped__())
        (tmp_path / file).write_text(content)
    digests.append(pieces.code.__wrapped__())
    monkeypatch.setattr(pieces.importlib.metadata, "version", lambda name: "99")
    digests.append(pieces.code.__wrapped__())
    assert digests[0] == digests[1]
    assert len(set(digests)) == 4


def test_pieces_come_back_as_they_were():
    drawn = Drawn(
        edges=(("a", "unseen-1", {"kind": "finetune", "distance": math.inf, "layers": ["x"], "evidence": {"z": 0.1}}),),
        unseen=("unseen-1",),
        rejected=(Rejected("a", "b", 0.25, 1.5, "why"),),
        origins={"a": [{"block": "x", "runners": [["b", "x", 0.5]]}]},
    )
    for alone in (None, Drawn(())):
        piece = Piece(drawn, alone, 7)
        assert pieces.from_bytes(pieces.to_bytes(piece)) == piece
        assert piece.plain == (drawn if alone is None else alone)


@pytest.mark.parametrize("damaged", [b"", b"[]", b"{}", b"[1, 2, 3]", b"[[[], [], [{}], {}], null, 1]", b"\xff"])
def test_what_is_no_piece_is_refused(damaged):
    for data in (damaged, zlib.compress(damaged)):
        with pytest.raises(ValueError, match=r".+"):
            pieces.from_bytes(data)
