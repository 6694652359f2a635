// The graph as the page reads it. Models and edges are numbered; the numbers are those of vis-network's ids.
const DATA = JSON.parse(document.getElementById("lineage").textContent);
const MODELS = DATA.models.map((model, id) => ({ ...model, id, short: DATA.network.nodes[id].label }));
const EDGES = DATA.edges.map((edge, id) => ({
  ...edge,
  id,
  from: DATA.network.edges[id].from,
  to: DATA.network.edges[id].to,
}));
const PARENT_EDGES = MODELS.map(() => []);
const CHILD_EDGES = MODELS.map(() => []);
for (const edge of EDGES) {
  PARENT_EDGES[edge.to].push(edge);
  CHILD_EDGES[edge.from].push(edge);
}

const isSure = (edge) => edge.confidence >= state.least; // as sure as the reader asks for
const LOW_DIRECTION = 0.75; // below this share the arrow may well point the other way, and the edge is dotted
const isOpen = (edge) => edge.direction_confidence < DATA.open; // nothing decides it

// Everything that can be reached from a model along edges that are sure enough, itself not counted: `edgesOf` says along
// which edges, `end` which way.
function reach(start, edgesOf, end) {
  const models = new Set();
  const edges = new Set();
  const stack = [start];
  while (stack.length) {
    for (const edge of edgesOf[stack.pop()].filter(isSure)) {
      edges.add(edge.id);
      if (!models.has(edge[end])) {
        models.add(edge[end]);
        stack.push(edge[end]);
      }
    }
  }
  return { models, edges };
}

const ancestors = (id) => reach(id, PARENT_EDGES, "from");
const descendants = (id) => reach(id, CHILD_EDGES, "to");

const isUnseen = (model) => model.role === "unseen";
const isFailed = (model) => model.status !== "ok" && !isUnseen(model);
const isAlone = (model) => model.role === "isolated" || isFailed(model);
