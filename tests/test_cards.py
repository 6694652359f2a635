"""Cards: where they lie, what they say, and that nothing in them does harm."""

import os
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage_graph import cards
from lineage_graph.declarations import Card

WHOLE = """---
license: other
license_name: llama-9-community
license_link: https://example.org/terms
library_name: transformers
base_model:
- org/base
- org/other
base_model_relation: merge
tags: [merge, 7, text]
created: 2024-05-01T10:00:00Z
model-index:
- name: x
  results: [{metrics: [{value: 0.5}]}]
---
# A model
license: mit
"""


def card(tmp_path, text):
    path = tmp_path / "README.md"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return cards.read(path)


def test_what_a_card_says(tmp_path):
    assert card(tmp_path, WHOLE) == Card(
        base_models=("org/base", "org/other"),
        relation="merge",
        license="llama-9-community",
        license_link="https://example.org/terms",
        tags=("merge", "text"),
        library="transformers",
        created=date(2024, 5, 1),
    )
    assert card(tmp_path, WHOLE.replace("\n", "\r\n")) == card(tmp_path, WHOLE)
    assert card(tmp_path, "\ufeff\n" + WHOLE) == card(tmp_path, WHOLE)


@pytest.mark.parametrize("text", ["", "# A model\n---\nlicense: mit\n---\n", "---\n---\n", "---\n\n---\ntext", "\n"])
def test_cards_without_metadata_say_nothing(tmp_path, text):
    assert card(tmp_path, text) == Card()


@pytest.mark.parametrize(
    ("metadata", "relation"),
    [
        ("base_model: a/b", ""),
        ("base_model: a/b\nbase_model_relation: Quantized", "quantized"),
        ("base_model: a/b\nlibrary_name: peft", "adapter"),
        ("base_model: [a/b]\ntags: [mergekit]", "merge"),
        ("base_model: a/b\nbase_model_relation: finetune\ntags: [merge]", "finetune"),
        ("tags: [merge]", ""),
    ],
)
def test_the_relation_is_written_or_implied(tmp_path, metadata, relation):
    assert card(tmp_path, f"---\n{metadata}\n---\n").relation == relation


@pytest.mark.parametrize(
    ("licence", "read"),
    [("mit", "mit"), ("[mit, gpl-3.0]", "mit AND gpl-3.0"), ("other", "other"), ("[]", ""), ("''", ""), ("null", "")],
)
def test_licences(tmp_path, licence, read):
    assert card(tmp_path, f"---\nlicense: {licence}\n---\n").license == read


BROKEN = {
    "a tag": ("base_model: !!python/object/apply:os.system ['touch /tmp/never']", "tags"),
    "a bomb": ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]", "anchors and aliases"),
    "deep": ("a: " + "[" * 2000 + "]" * 2000, "nest"),
    "a key twice": ("license: mit\nlicense: gpl-3.0", "twice"),
    "no mapping": ("- a\n- b", "should be a mapping"),
    "a tab": ("base_model:\n\t- a", "tab"),
    "a control character": ("license: 'a\x00b'", ""),
    "no end": ("license: mit\n" + "x" * cards.MAX_BYTES, "has no end"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_cards_say_why_and_nothing_else(tmp_path, name):
    metadata, why = BROKEN[name]
    found = card(tmp_path, f"---\n{metadata}\n---\n")
    assert found.problem
    assert why in found.problem
    assert found == Card(problem=found.problem)
    assert len(found.problem) <= cards.MAX_TEXT
    assert str(tmp_path) not in found.problem


@pytest.mark.parametrize("value", ["5", "{a: b}", "[a, 5]", "[[a]]", "true", "''", f"'{'x' * 501}'", "1.5e+3"])
def test_a_value_of_a_wrong_type_is_told_and_the_rest_counts(tmp_path, value):
    found = card(tmp_path, f"---\nbase_model: {value}\nlicense: mit\n---\n")
    assert found.problem.startswith("base_model: should be a name or a list of names, not ")
    assert found.license == "mit"
    assert all(isinstance(name, str) for name in found.base_models)


def test_ten_megabytes_cost_no_more_than_one(tmp_path):
    assert card(tmp_path, "---\nlicense: mit\n---\n" + "é" * (5 << 20)).license == "mit"
    many = "---\nbase_model:\n" + "- a/b\n" * 1_000_000 + "---\n"
    assert "has no end in the first 256 KiB" in card(tmp_path, many).problem


def test_long_lists_are_cut(tmp_path):
    names = [f"org/{number}" for number in range(150)]
    found = card(tmp_path, f"---\nbase_model: {names}\n---\n".replace("'", '"'))
    assert found.base_models == tuple(names[:100])
    assert "lists 150 names, more than 100" in found.problem


def test_names_are_kept_as_they_are(tmp_path):
    """Whoever shows them makes them harmless."""
    found = card(tmp_path, '---\nbase_model: ["<img src=x onerror=alert(1)>", "a\\e[31m\\u202e"]\n---\n')
    assert found.base_models == ("<img src=x onerror=alert(1)>", "a\x1b[31m\u202e")
    assert not found.problem


def test_what_is_no_file_of_text(tmp_path):
    assert "UTF-8" in card(tmp_path, b"---\nlicense: \xff\xfe\n---\n").problem
    (tmp_path / "folder.md").mkdir()
    assert "not a regular file" in cards.read(tmp_path / "folder.md").problem
    os.mkfifo(tmp_path / "pipe.md")
    assert "not a regular file" in cards.read(tmp_path / "pipe.md").problem
    assert cards.read(tmp_path / "none.md").problem


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_a_card(tmp_path_factory, text):
    found = card(tmp_path_factory.mktemp("card"), f"---\n{text}\n---\n".encode("utf-8", "surrogatepass"))
    assert isinstance(found, Card)
    assert "\n" not in found.problem


names = st.text(st.characters(categories=["L", "N"], include_characters="-._/"), min_size=1, max_size=40)


@settings(max_examples=60, deadline=None)
@given(st.lists(names, max_size=5, unique=True), names)
def test_what_is_written_as_yaml_is_read_back(tmp_path_factory, bases, licence):
    import yaml

    metadata = yaml.safe_dump({"base_model": bases, "license": licence}, allow_unicode=True)
    found = card(tmp_path_factory.mktemp("card"), f"---\n{metadata}---\n")
    assert (found.base_models, found.license, found.problem) == (tuple(bases), licence, "")


def test_where_the_card_of_a_model_lies(tmp_path):
    def touch(*names_):
        for name in names_:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()

    def place(name, repository=False):
        found = cards.place(tmp_path / name, repository)
        return found and str(found.relative_to(tmp_path))

    touch("one/model.safetensors", "one/config.json", "one/README.md", "one/model.bin")
    touch("lone/a.pt", "lone/README.md", "lone/notes.txt")
    touch("many/a.pt", "many/b.pt", "many/README.md", "many/b.md")
    touch("bare/a.pt")
    assert place("one") == place("one/model.safetensors") == "one/README.md"
    assert place("lone/a.pt") == "lone/README.md"
    assert place("many/a.pt") is None
    assert place("many/b.pt") == "many/b.md"
    assert place("many/a.pt", repository=True) == "many/README.md"
    assert place("bare/a.pt") is None
    assert place("nowhere/a.pt") is None
