// What the reader is looking at. Every view draws from this one state and is told when it changes.
const state = {
  hovered: null, // {kind: "model" | "edge", id}, under the pointer
  chosen: null, // the same, in the panel
  found: new Set(), // models that the search matches
};
const listeners = [];
const onChange = (listener) => listeners.push(listener);

function change(patch) {
  const before = { ...state };
  Object.assign(state, patch);
  for (const listener of listeners) listener(before);
}

const choose = (kind, id) => change({ chosen: { kind, id } });
const same = (a, b) => a === b || (a !== null && b !== null && a.kind === b.kind && a.id === b.id);

// What stays lit while the rest is dimmed, or null when nothing is dimmed.
let litFor = null;
let lit = null;
function updateLit() {
  const target = state.hovered ?? state.chosen;
  if (!target && state.found.size) {
    const between = EDGES.filter((edge) => state.found.has(edge.from) && state.found.has(edge.to));
    lit = { models: state.found, edges: new Set(between.map((edge) => edge.id)) };
    litFor = null;
  } else if (!same(target, litFor) || !target) {
    lit = target ? lineageOf(target) : null;
    litFor = target;
  }
}
onChange(updateLit);
