// What the filters leave, and what stays lit while the rest is dimmed.

// The values of a model by facet, "" where it has none: of its edges' kinds it has several.
const VALUES = {
  family: (model) => [isAlone(model) ? "" : String(model.family)],
  kind: (model) => KINDS[model.id],
  architecture: (model) => [model.architecture ?? ""],
  license: (model) => [model.license ?? ""],
  status: (model) => [isUnseen(model) ? "unseen" : model.status],
};
const KINDS = MODELS.map(({ id }) => [...new Set([...PARENT_EDGES[id], ...CHILD_EDGES[id]].map((edge) => edge.kind))]);

function passes(model, facet) {
  const wanted = state.filters[facet];
  return !wanted.size || VALUES[facet](model).some((value) => wanted.has(value));
}

let shown = null; // {models, edges}: sets of ids, or null when everything is shown

function updateShown() {
  const facets = FACETS.filter((facet) => state.filters[facet].size);
  if (!facets.length && state.least === 0) {
    shown = null;
    return;
  }
  const models = new Set(MODELS.filter((model) => facets.every((facet) => passes(model, facet))).map((model) => model.id));
  const kinds = state.filters.kind;
  const edges = EDGES.filter(
    (edge) => isSure(edge) && models.has(edge.from) && models.has(edge.to) && (!kinds.size || kinds.has(edge.kind)),
  );
  shown = { models, edges: new Set(edges.map((edge) => edge.id)) };
}

const isShown = (kind, id) => shown === null || shown[kind].has(id);

// A model with its ancestors and descendants, along the edges that are sure enough; for an edge, those above its parent
// and below its child.
function lineageOf(target) {
  const edge = target.kind === "edge" ? EDGES[target.id] : null;
  const [upper, lower] = edge ? [edge.from, edge.to] : [target.id, target.id];
  const [above, below] = [ancestors(upper), descendants(lower)];
  return {
    models: new Set([...above.models, upper, lower, ...below.models]),
    edges: new Set([...above.edges, ...(edge ? [edge.id] : []), ...below.edges]),
  };
}

function selected({ id, way }) {
  const { models, edges } = way === "heirs" ? descendants(id) : ancestors(id);
  return { models: new Set([id, ...models]), edges };
}

function between(models) {
  const edges = EDGES.filter((edge) => models.has(edge.from) && models.has(edge.to));
  return { models, edges: new Set(edges.map((edge) => edge.id)) };
}

let lit = null; // {models, edges}, or null when nothing is dimmed
function updateLit() {
  const looksAt = (target) => target !== null && target.kind !== "fold";
  if (looksAt(state.hovered)) lit = lineageOf(state.hovered);
  else if (state.selection) lit = selected(state.selection);
  else if (looksAt(state.chosen)) lit = lineageOf(state.chosen);
  else lit = state.found.size ? between(state.found) : null;
}
const isLit = (kind, id) => lit === null || lit[kind].has(id);

onChange((before) => {
  if (before.filters !== state.filters || before.least !== state.least) updateShown();
  const moved = ["hovered", "chosen", "selection", "found", "least"].some((key) => before[key] !== state[key]);
  if (moved) updateLit();
});
