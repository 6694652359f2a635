"""Whole assemblies: small families, populations with a known lineage, names that change, and what is written."""

import dataclasses

import numpy as np
import pytest

from lineage_graph.bench import population_index, populations
from lineage_graph.calibration import shipped
from lineage_graph.index import Index
from lineage_graph.render.node_link import from_json
from lineage_graph.scale import written
from lineage_graph.scale.assembled import assemble
from lineage_graph.scale.neighbours import SearchSettings
from lineage_graph.scale.population import load
from scale_zoos import family


def graph_of(*indexes, name="zoo"):
    population = load(list(indexes))
    return from_json("".join(written.pieces(name, population, assemble(population, shipped())))).graph


def test_a_small_family(indexed):
    graph = graph_of(indexed(family("abcdefg", 0)))
    undirected = {frozenset(edge) for edge in graph.edges}
    kept, copy = ("a", "f") if graph.edges.get(("a", "f")) else ("f", "a")
    expected = {frozenset(pair) for pair in ((kept, "b"), (kept, "c"), (kept, "d"), ("b", "e"), (kept, copy))}
    assert undirected == expected
    assert graph.edges[kept, copy]["kind"] == "duplicate"
    assert graph.nodes["g"]["role"] == "isolated"
    assert graph.nodes[kept]["role"] == "root"
    assert {data["evidence"]["sketched"] for *_, data in graph.edges(data=True)} == {1.0}


def test_names_change_nothing_but_names(indexed):
    names = dict(zip("abcdefg", "zyxwvut", strict=True))
    one = graph_of(indexed(family("abcdefg", 1), "one"))
    other = graph_of(indexed(family("zyxwvut", 1)[::-1], "other"))
    renamed = {(names[u], names[v]): data["confidence"] for u, v, data in one.edges(data=True)}
    copies = {frozenset((u, v)) for u, v, data in other.edges(data=True) if data["kind"] == "duplicate"}
    assert copies == {frozenset("zu")}  # which of two equal files is the first, their names say
    fold = str.maketrans("u", "z")
    assert {tuple(n.translate(fold) for n in e): c for e, c in renamed.items()} == {
        (u.translate(fold), v.translate(fold)): data["confidence"] for u, v, data in other.edges(data=True)
    }


@pytest.fixture(scope="module")
def population(tmp_path_factory):
    folder = tmp_path_factory.mktemp("population")
    habits = dataclasses.replace(populations.Habits(), merged=0.04)
    made = populations.make(600, folder, seed=3, habits=habits)
    population_index.write(made, folder)
    with Index(folder) as index:
        yield made, load([index])


def shared(edges, truth, copied):
    drawn = {frozenset(pair) for pair in zip(copied[edges.parent].tolist(), copied[edges.child].tolist(), strict=True)}
    true = {frozenset(pair) for pair in zip(copied[truth[0]].tolist(), copied[truth[1]].tolist(), strict=True)}
    drawn, true = ({pair for pair in pairs if len(pair) == 2} for pairs in (drawn, true))
    return len(drawn & true) / len(drawn), len(drawn & true) / len(true)


def test_most_of_a_population_is_found(population):
    made, columns = population
    found = assemble(columns, shipped())
    precision, recall = shared(found.edges, made.edges(), made.copied)
    assert precision > 0.9
    assert recall > 0.88
    merges = np.flatnonzero(made.parents[:, 1] >= 0)
    drawn = np.unique(found.edges.child[found.edges.kind == 4])
    assert np.isin(drawn, merges).mean() > 0.9
    assert np.isin(merges, drawn).mean() > 0.5
    assert (found.generation[found.edges.child] > found.generation[found.edges.parent]).all()


def test_few_neighbours_find_what_all_pairs_do(population):
    _, columns = population
    few, all_pairs = (
        assemble(columns, shipped(), settings=SearchSettings(neighbours=count, shortlist=16)) for count in (16, 600)
    )
    same = {*zip(few.edges.parent.tolist(), few.edges.child.tolist(), strict=True)} & {
        *zip(all_pairs.edges.parent.tolist(), all_pairs.edges.child.tolist(), strict=True)
    }
    assert len(same) > 0.99 * len(all_pairs.edges)


def test_approximate_search_finds_what_exact_search_does(population):
    _, columns = population
    exact = assemble(columns, shipped())
    approximate = assemble(columns, shipped(), settings=SearchSettings(exact_below=100))
    assert approximate.counts["probed_cells"] > 0
    pairs = [set(zip(one.edges.parent.tolist(), one.edges.child.tolist(), strict=True)) for one in (exact, approximate)]
    assert len(pairs[0] & pairs[1]) > 0.98 * len(pairs[0])


def test_the_same_twice(population):
    _, columns = population
    one, other = ("".join(written.pieces("zoo", columns, assemble(columns, shipped()))) for _ in range(2))
    assert one == other
