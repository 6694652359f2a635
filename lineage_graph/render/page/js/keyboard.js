// Everything that the pointer does can be done with keys.
const stepTo = (id) => (id === undefined ? null : { kind: "model", id });
const stepAlong = (edges, end) => stepTo(edges.find((edge) => isShown("edges", edge.id))?.[end]);

function stepInTree(key) {
  if (state.chosen?.kind === "fold" || (FOLD_OF !== null && state.chosen?.kind !== "model")) return stepInFolds(key);
  if (state.chosen?.kind !== "model") return stepTo(drawnModels()[0]?.id);
  const { id } = state.chosen;
  const top = FOLD_OF === null ? stepTo(id) : { kind: "fold", id: FOLD_OF[id] };
  if (key === "ArrowUp") return stepAlong(PARENT_EDGES[id], "from") ?? top;
  if (key === "ArrowDown") return stepAlong(CHILD_EDGES[id], "to") ?? stepTo(id);
  if (!isPlaced(id)) return stepTo(id);
  const [x, y] = at(id);
  const way = key === "ArrowRight" ? 1 : -1;
  const beside = drawnModels().filter((model) => at(model.id)[1] === y && (at(model.id)[0] - x) * way > 0);
  const nearest = (a, b) => (Math.abs(at(b.id)[0] - x) < Math.abs(at(a.id)[0] - x) ? b : a);
  return stepTo(beside.length ? beside.reduce(nearest).id : id);
}

// Makes the element of a view that has the focus answer the arrow keys; `way`: what they do there.
function walkable(drawing, way) {
  drawing.setAttribute("role", "application");
  drawing.setAttribute("tabindex", "0");
  drawing.setAttribute("aria-label", `Lineage graph: ${DATA.stats.join(", ")}. Arrow keys walk from model to model: ${way}.`);
  drawing.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && state.chosen?.kind === "fold") turnFold(state.chosen.id, !state.open.has(state.chosen.id));
    if (!event.key.startsWith("Arrow") || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const next = view().step(event.key);
    if (next !== null) choose(next.kind, next.id);
  });
}

const isTyping = (target) => target.matches("input, select, textarea");

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    if (byId("help").open) byId("help").open = false;
    else if (input.value) closeSearch();
    else if (state.chosen) change({ chosen: null, selection: null });
    else if (!filters.hidden) openFilters(false);
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  if (event.key === "/") {
    event.preventDefault();
    input.focus();
  } else if (event.key === "f") view().fit();
  else if (event.key === "+") view().zoom(1.25);
  else if (event.key === "-") view().zoom(0.8);
});
