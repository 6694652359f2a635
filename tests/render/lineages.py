"""Invented lineage graphs, shaped like real ones."""

import random
from dataclasses import replace

import networkx as nx

from lineage_graph.declarations import Finding
from lineage_graph.types import Failure, LineageGraph, Rejected, RunRecord

HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(2)</script>",
    """quotes " ' ` and \\ and | pipe""",
    "right\u202eto-left\u202c",
    "x" * 300,
    "line\nbreak\r\n\ttab\x00nul\x1b[31m",
    "\udcff lone surrogate",
    "@someone #1 https://example.com [a](javascript:alert(3)) **bold** ```",
    "ünï→код 模型 🧬",
)

FAILURES = (
    Failure("broken/half.safetensors", "TruncatedFileError", "half.safetensors: ends at byte 512 of 90,112", "fetch"),
    Failure("broken/evil.pt", "UnsafePickleError", "evil.pt: the pickle asks for posix.system", "fingerprint"),
)


def node(name, family=1, generation=1, role="child", **changes):
    """The attributes of a model."""
    facts = {
        "label": name,
        "family": family,
        "generation": generation,
        "role": role,
        "architecture": "test_resnet",
        "parameters": 372_810,
        "format": "safetensors",
        "source": "grow:digits",
        "sha256": f"{abs(sum(map(ord, name)) * 7919):064x}",
        "declared_parents": [],
        "features": "test_resnet 3x64x64; 2 head left out (fc.bias, fc.weight)",
        "weights": "",
        "license": "",
        "created": "",
        "library": "",
        "audit": "",
        "status": "ok",
        "message": "",
        "origins": [],
    }
    return {**facts, **changes}


def edge(kind="finetune", confidence=0.998, direction=0.97, distance=0.21, declared="absent"):
    """The attributes of an edge."""
    evidence = {
        "coverage": 0.98,
        "cosine": round(1 - distance**2 / 2, 4),
        "cosine_z": 188.2,
        "distance": distance,
        "inherited": 0.13,
        "norm_growth": 0.031,
        "kurtosis_growth": -0.004,
        "direction.counter.num_batches_tracked": 3.0 if direction > 0.7 else 0.2,
        "direction.norm_growth": 0.41,
        "direction.kurtosis_growth": -0.33,
    }
    return {
        "kind": kind,
        "confidence": confidence,
        "direction_confidence": direction,
        "distance": distance,
        "evidence": evidence,
        "declared": declared,
        "layers": [],
        "conflict": "",
        "by_block": {},
    }


def finish(name, graph, rejected=(), failures=()):
    """Fill in families, generations and roles from the edges, add the failures."""
    components = sorted(nx.weakly_connected_components(graph), key=lambda c: (-len(c), min(c)))
    for number, members in enumerate(components, start=1):
        for member in members:
            graph.nodes[member]["family"] = number
    for member in nx.topological_sort(graph):
        parents = list(graph.predecessors(member))
        graph.nodes[member]["generation"] = 1 + max((graph.nodes[p]["generation"] for p in parents), default=0)
        if graph.nodes[member]["role"] != "unseen":
            root = "root" if graph.out_degree(member) else "isolated"
            graph.nodes[member]["role"] = root if not parents else "child" if len(parents) == 1 else "merge"
    for failure in failures:
        facts = {
            "architecture": "",
            "parameters": 0,
            "format": "",
            "sha256": "",
            "source": failure.source,
            "features": "",
            "weights": "",
        }
        status = {"status": failure.error, "message": failure.message}
        graph.add_node(failure.id, **node(failure.id, 0, 0, "isolated", **facts, **status))
    return LineageGraph(name, graph, tuple(rejected), tuple(failures))


def grown(models, families, generations=4, seed=0, name=None):
    """Random family trees with a few fine-tunes of each model; names opaque and of one length."""
    rng = random.Random(seed)
    graph = nx.DiGraph()
    names = [f"{rng.getrandbits(32):08x}" for _ in range(models)]
    depth = {}
    for index, child in enumerate(names):
        graph.add_node(child, **node(child, parameters=rng.choice([372_810, 11_689_512, 86_567_656])))
        if index < families:
            depth[child] = 1
            continue
        parent = rng.choice([n for n in names[:index] if depth[n] < generations])
        depth[child] = depth[parent] + 1
        kind = rng.choices(["finetune", "snapshot", "adapter", "quantize"], [12, 3, 1, 1])[0]
        sure = rng.choice([0.995, 0.97, 0.9, 0.62])
        graph.add_edge(parent, child, **edge(kind, rng.uniform(0.6, 1), sure, round(rng.uniform(0.05, 0.9), 4)))
    return finish(name or f"grown-{models}", graph)


def demo():
    """36 models: 6 families of up to 4 generations, a merge, an unseen ancestor, one loner, 2 failures."""
    kinds = {"a-3": "snapshot", "b-2": "quantize", "c-3": "adapter", "d-1": "prune", "e-2": "duplicate"}
    shapes = {"a": "0:1 0:2 1:3 1:4 2:5 3:6 4:7", "b": "0:1 0:2 1:3 2:4 2:5 5:6", "c": "0:1 1:2 1:3 3:4"}
    shapes |= {"d": "0:1 0:2 0:3 2:4 4:5", "e": "0:1 0:2 2:3", "f": "0:1"}
    graph = nx.DiGraph()
    for letter, shape in shapes.items():
        graph.add_node(f"model-{letter}-0", **node(f"model-{letter}-0"))
        for pair in shape.split():
            parent, child = (f"model-{letter}-{number}" for number in pair.split(":"))
            low = child in {"model-b-5", "model-d-3"}
            kind = kinds.get(child.removeprefix("model-"), "finetune")
            graph.add_node(child, **node(child))
            graph.add_edge(parent, child, **edge(kind, 0.8 if low else 0.998, 0.6 if low else 0.97))
    graph.add_node("soup", **node("soup", declared_parents=["model-a-5", "model-b-1"]))
    graph.add_edge("model-a-5", "soup", **edge("merge", 0.97, 0.99, 0.4, "confirmed"))
    graph.add_edge("model-a-4", "soup", **edge("merge", 0.95, 0.99, 0.5, "contradicted"))
    graph.nodes["model-f-0"].update(role="unseen", parameters=0, sha256="", format="")
    graph.add_node("loner", **node("loner", architecture="test_vit", declared_parents=["elsewhere/base"]))
    rejected = [
        Rejected("loner", "model-a-0", 0.18, 1.39, "the weights agree no more than strangers' do (cosine 0.03)"),
        Rejected("model-b-0", "model-c-0", 0.07, 1.41, "agreement could be chance (z = 2.1)"),
    ]
    return finish("demo", graph, rejected, FAILURES)


def origin(block, model="", there="", probability=0.98, cosine=0.93):
    """Where one block comes from."""
    return {"block": block, "model": model, "there": there, "probability": probability, "cosine": cosine}


def spliced(sources=3, blocks=12):
    """A hybrid of models in turn, its stem from nowhere, one block from another depth; and a plain fine-tune of it."""
    graph = nx.DiGraph()
    names = [f"vit-{number}" for number in range(sources)]
    origins = [origin("patch_embed", probability=0.7, cosine=0.0)]
    for block in range(blocks):
        source, name = names[block % sources], f"blocks.{block}"
        origins.append(origin(name, source, "blocks.9" if block == 2 else name, 0.999 - 0.01 * block))
    for name in [*names, "hybrid", "tuned"]:
        graph.add_node(name, **node(name, architecture="vit_base_patch16_224"))
    origins[1]["runners"] = [[names[1], "blocks.0", 0.001]]
    graph.nodes["hybrid"]["origins"] = origins
    graph.nodes["tuned"]["origins"] = [origin(one["block"], "hybrid", one["block"]) for one in origins]
    for name in names:
        layers = [one["block"] for one in origins if one["model"] == name]
        graph.add_edge(name, "hybrid", **{**edge("splice", 0.97, 0.9, 0.8), "layers": layers})
    graph.add_edge("hybrid", "tuned", **edge())
    return finish("spliced", graph)


def joined():
    """A merge of three models, a splice, an unseen ancestor; cues that contradict or decide nothing."""
    graph = nx.DiGraph()
    for name in ("a", "b", "c", "soup", "mosaic", "copy"):
        graph.add_node(name, **node(name))
    graph.add_node("unseen-1", **node("unseen-1", role="unseen", architecture="", sha256="", parameters=0, features=""))
    for child in ("a", "b"):
        absent = {**edge(confidence=0.7, direction=0.55 if child == "a" else 0.9), "evidence": {"unseen": 0.7}}
        graph.add_edge("unseen-1", child, **absent)
    conflict = "counter.epoch for it (+3.0), norm_growth against it (-1.2)"
    graph.add_edge("a", "c", **{**edge(direction=0.8), "conflict": conflict})
    for parent, coefficient, spread in (("a", 0.25, 0.01), ("b", -0.5, 0.02), ("c", 1.25, 0.03)):
        made = edge("merge", 0.97, 0.97)
        made["evidence"] |= {"merge.coefficient": coefficient, "merge.uncertainty": spread, "merge.residual": 0.04}
        graph.add_edge(parent, "soup", **made)
    graph.nodes["mosaic"]["origins"] = [origin(f"blocks.{n}", "b" if n == 3 else "a", f"blocks.{n}") for n in range(12)]
    for parent, blocks in (("a", [0, 1, 2, *range(4, 12)]), ("b", [3])):
        graph.add_edge(parent, "mosaic", **{**edge("splice", 0.9, 0.9), "layers": [f"blocks.{n}" for n in blocks]})
    graph.add_edge("c", "copy", **edge("duplicate", 1.0, 0.5, 0.0))
    return finish("joined", graph)


def crowded():
    """Folded siblings beside siblings with children, and merges whose parents are generations apart."""
    pairs = [("root", f"copy-{index:02}") for index in range(17)]
    pairs += [("root", name) for name in ("a", "b", "c")] + [("a", f"a-{index:02}") for index in range(11)]
    pairs += [("b", "b-1"), ("b", "b-2"), ("c", "c-1"), ("c-1", "c-2"), ("c-2", "c-3"), ("b-1", "b-3")]
    merges = [("c-3", "soup"), ("root", "soup"), ("a", "late"), ("c-2", "late"), ("b-2", "late")]
    graph = nx.DiGraph()
    for parent, child in pairs + merges:
        for name in (parent, child):
            graph.add_node(name, **node(name))
        kind = "merge" if (parent, child) in merges else "duplicate" if "copy" in child else "finetune"
        graph.add_edge(parent, child, **edge(kind, direction=0.5 if kind == "duplicate" else 0.97))
    return finish("crowded", graph)


def hostile():
    """One family whose names try to break out of every format; the last one failed."""
    graph = nx.DiGraph()
    for name in HOSTILE[:-1]:
        graph.add_node(name, **node(name, architecture=name, source=name, declared_parents=[HOSTILE[0]]))
    for name in HOSTILE[1:-1]:
        graph.add_edge(HOSTILE[0], name, **edge(kind="</script>|`" if name == HOSTILE[2] else "finetune"))
    rejected = [Rejected(HOSTILE[1], HOSTILE[2], 0.2, float("inf"), "</script><b>why</b>")]
    lineage = finish("</title><h1>zoo", graph, rejected, [Failure(HOSTILE[-1], "CorruptFileError", "<b>|`\n", "fetch")])
    audit = [Finding(n, "parent", n, "contradicted", f"the card names {n}", f"base_model: {n}") for n in HOSTILE[:-1]]
    return replace(lineage, audit=tuple(audit))


def run_record(lineage):
    """How such a graph could have been made."""
    counts = {"models": lineage.graph.number_of_nodes(), "edges": lineage.graph.number_of_edges()}
    return RunRecord("0.1.0", {"metadata": False}, {"fingerprint": 1.23456, "render": 0.2}, counts, lineage.failures)
