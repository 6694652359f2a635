// The graph as the page reads it. Models and edges are numbered.
const DATA = JSON.parse(document.getElementById("lineage").textContent);

// Records from columns (columns.py); what is empty is left out.
function unpacked({ length, columns }) {
  const records = Array.from({ length }, () => ({}));
  for (const [name, column] of Object.entries(columns)) {
    const at = Array.isArray(column) ? (id) => column[id] : "all" in column ? () => column.all : (id) => column.of[column.at[id]];
    for (let id = 0; id < length; id += 1) if (at(id) !== "") records[id][name] = at(id);
  }
  records.forEach((record, id) => (record.id = id));
  return records;
}

const MODELS = unpacked(DATA.models);
const EDGES = unpacked(DATA.edges);
const PARENT_EDGES = MODELS.map(() => []);
const CHILD_EDGES = MODELS.map(() => []);
for (const edge of EDGES) {
  PARENT_EDGES[edge.to].push(edge);
  CHILD_EDGES[edge.from].push(edge);
}

// The signals of an edge as [place in DATA.signals, value]; none where the page leaves them out.
function evidenceOf(edge) {
  const [shape, ...values] = DATA.evidence.values[edge.id] || [null];
  return values.map((value, index) => [DATA.evidence.shapes[shape][index], value]);
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
