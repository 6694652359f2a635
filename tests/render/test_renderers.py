import json
import re
import subprocess
import sys

import networkx as nx
import pytest

from lineage_graph.render import RENDERERS
from lineage_graph.render.page.document import embed, stylesheet
from lineage_graph.types import LineageGraph
from render.lineages import demo, hostile, run_record


def shuffled(lineage):
    """The same graph, put together in another order."""
    graph = nx.DiGraph()
    graph.add_nodes_from(reversed(list(lineage.graph.nodes(data=True))))
    graph.add_edges_from(reversed(list(lineage.graph.edges(data=True))))
    return LineageGraph(lineage.name, graph, lineage.rejected, lineage.failures, lineage.audit)


def test_the_list_is_what_a_build_writes():
    names = [renderer.filename for renderer in RENDERERS]
    assert names == ["lineage.html", "lineage.graphml", "lineage.json", "report.md", "run.json"]


@pytest.mark.parametrize("renderer", RENDERERS, ids=lambda renderer: renderer.filename)
@pytest.mark.parametrize("make", [demo, hostile])
def test_the_same_graph_gives_the_same_bytes(renderer, make, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = renderer.render(make(), run_record(make()))
    assert renderer.render(shuffled(make()), run_record(make())).encode("utf-8") == first.encode("utf-8")
    assert first.endswith("\n")
    assert list(tmp_path.iterdir()) == []


def test_the_list_itself_imports_nothing_heavy():
    script = """
import sys, lineage_graph.render
heavy = {"networkx", "pyvis", "jinja2", "IPython", "torch"} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_run_json_holds_the_record():
    record = json.loads(RENDERERS[4].render(demo(), run_record(demo())))
    assert record["settings"] == {"metadata": False}
    assert record["timings"] == {"fingerprint": 1.235, "render": 0.2}
    assert record["counts"] == {"models": 36, "edges": 28}
    assert [failure["error"] for failure in record["failures"]] == ["TruncatedFileError", "UnsafePickleError"]


def test_the_page_allows_its_own_two_scripts_and_nothing_else():
    page = RENDERERS[0].render(demo(), run_record(demo()))
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    rules = dict(rule.split(" ", 1) for rule in policy.replace("&#39;", "'").split("; "))
    assert rules["default-src"] == "'none'"
    assert re.fullmatch(r"'sha256-[\w+/]{43}=' 'sha256-[\w+/]{43}='", rules["script-src"])
    assert re.fullmatch(r"'sha256-[\w+/]{43}='", rules["style-src"])
    assert rules["img-src"] == "data:"
    assert "sourceMappingURL" not in page
    assert not re.search(r"""(src|href)=["'](?!data:,)""", page.split("<script>")[0])


def test_data_cannot_leave_its_element():
    text = embed({"a": "</script><!--&\u2028\u2029"})
    assert not set(text) & set("<>&\u2028\u2029")
    assert json.loads(text) == {"a": "</script><!--&\u2028\u2029"}


def luminance(colour):
    """Relative luminance of WCAG 2.2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_contrast_is_enough_to_read_and_to_see(scheme):
    given = re.findall(r"--(\w+): light-dark\((#\w{6}), (#\w{6})\);", stylesheet())
    colours = {name: both[scheme] for name, *both in given}
    for name, least in [(n, 4.5) for n in ("ink", "muted", "accent", "danger", "good")] + [("edge", 3.0)]:
        for behind in ("ground", "band", "surface"):
            light, dark = sorted((luminance(colours[name]), luminance(colours[behind])), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= least, (name, behind)
