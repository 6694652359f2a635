"""Licences as sets of restrictions: a table, SPDX expressions, and what a descendant drops."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage_graph import licences

HUB = (
    """apache-2.0 mit openrail bigscience-openrail-m creativeml-openrail-m bigscience-bloom-rail-1.0 bigcode-openrail-m
    afl-3.0 artistic-2.0 bsl-1.0 bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear c-uda cc0-1.0 cc-by-2.0 cc-by-2.5
    cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nd-4.0 cc-by-nc-nd-3.0
    cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cdla-sharing-1.0 cdla-permissive-1.0
    cdla-permissive-2.0 wtfpl ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 eupl-1.2 agpl-3.0 gfdl gpl gpl-2.0 gpl-3.0
    lgpl lgpl-2.1 lgpl-3.0 isc h-research intel-research lppl-1.3c ms-pl apple-ascl apple-amlr mpl-2.0 odc-by odbl
    openmdw-1.0 openrail++ osl-3.0 postgresql ofl-1.1 ncsa unlicense zlib pddl lgpl-lr deepfloyd-if-license
    fair-noncommercial-research-license llama2 llama3 llama3.1 llama3.2 llama3.3 llama4 grok2-community gemma"""
).split()
"""The Hub's tags, https://huggingface.co/docs/hub/repositories-licenses, without cc, unknown and other."""


@pytest.mark.parametrize("tag", HUB)
def test_every_tag_of_the_hub_is_known(tag):
    assert licences.terms(tag) is not None
    assert all(licences.words(one) for one in licences.terms(tag))


@pytest.mark.parametrize("text", ["", "other", "unknown", "cc", "my own", "((((", "mit AND nonsense-1", "a " * 500])
def test_what_nobody_knows(text):
    assert licences.terms(text) is None
    assert licences.dropped("mit", text) == licences.dropped(text, "gpl-3.0") == []


@pytest.mark.parametrize(
    ("expression", "asked"),
    [
        ("Apache-2.0", set()),
        ("0BSD", set()),
        ("GPL-3.0-or-later", {"file", "share"}),
        ("MIT OR GPL-3.0-only", set()),
        ("mit and gpl-3.0", {"file", "share"}),
        ("GPL-2.0-or-later WITH Classpath-exception-2.0", {"file"}),
        ("(MIT AND LGPL-2.1-only) OR AGPL-3.0-only", {"file"}),
        ("cc-by-nc-sa-3.0-igo", {"commercial", "file", "share"}),
        ("CC-BY-ND-4.0", {"derivatives"}),
    ],
)
def test_expressions(expression, asked):
    assert licences.terms(expression) == asked


@pytest.mark.parametrize(
    ("child", "ancestor", "lost"),
    [
        ("mit", "apache-2.0", []),
        ("mit", "cc-by-nc-4.0", ["commercial"]),
        ("cc-by-nc-4.0", "mit", []),
        ("apache-2.0", "gpl-3.0", ["file", "share"]),
        ("gpl-3.0", "lgpl-3.0", []),
        ("gpl-3.0", "agpl-3.0", ["network"]),
        ("apache-2.0", "llama3.1", ["use:Llama"]),
        ("llama3.3", "llama3.1", []),
        ("gemma", "llama3", ["use:Llama"]),
        ("openrail", "creativeml-openrail-m", []),
        ("cc-by-nc-4.0", "cc-by-nc-nd-4.0", ["derivatives"]),
    ],
)
def test_what_a_descendant_drops(child, ancestor, lost):
    assert licences.dropped(child, ancestor) == lost


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("()+ANDORWITH mitgpl-"), max_size=120))
def test_any_text_has_an_answer(text):
    found = licences.terms(text)
    assert found is None or isinstance(found, frozenset)


@given(st.sampled_from(HUB), st.sampled_from(HUB))
def test_nothing_is_dropped_from_oneself_or_by_joining(one, other):
    assert licences.dropped(one, one) == []
    assert licences.dropped(f"({one}) AND ({other})", one) == [] or licences.terms(f"({one}) AND ({other})") is None
