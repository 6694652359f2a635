// What the reader is looking at. Every view draws from this one state and is told when it changes.
const FACETS = ["family", "kind", "architecture", "license", "status"];
const noFilters = () => Object.fromEntries(FACETS.map((facet) => [facet, new Set()]));

const state = {
  view: "tree", // the name of one of `views`
  hovered: null, // {kind: "model" | "edge" | "fold", id}, under the pointer
  chosen: null, // the same, in the panel
  selection: null, // {id, way: "heirs" | "sources"}: what inherits from a model, or where it comes from
  found: new Set(), // models that the search matches
  least: 0, // edges of less confidence are hidden
  filters: noFilters(), // by facet, the values that are shown; none: all
  open: new Set(), // families that are not folded, where families are (folds.js)
  colour: "family", // what the colours of models stand for, one of COLOURINGS
  theme: "", // "light" or "dark"; "": as the system has it
};
const listeners = [];
const onChange = (listener) => listeners.push(listener);

function change(patch) {
  const before = { ...state };
  Object.assign(state, patch);
  for (const listener of listeners) listener(before);
}

const same = (a, b) => a === b || (a !== null && b !== null && a.kind === b.kind && a.id === b.id);

// Another model, edge or folded family in the panel; what was selected from the one before goes.
const choose = (kind, id) => change({ chosen: { kind, id }, selection: null });
