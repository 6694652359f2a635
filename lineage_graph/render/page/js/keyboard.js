// Everything that the pointer does can be done with keys.
function stepInTree(key) {
  if (state.chosen?.kind !== "model") return MODELS.find((model) => isShown("models", model.id))?.id ?? null;
  const id = state.chosen.id;
  const along = (edges) => edges.find((edge) => isShown("edges", edge.id));
  if (key === "ArrowUp") return along(PARENT_EDGES[id])?.from ?? id;
  if (key === "ArrowDown") return along(CHILD_EDGES[id])?.to ?? id;
  const [x, y] = at(id);
  const way = key === "ArrowRight" ? 1 : -1;
  const beside = MODELS.filter((model) => isShown("models", model.id) && at(model.id)[1] === y && (at(model.id)[0] - x) * way > 0);
  const nearest = (a, b) => (Math.abs(at(b.id)[0] - x) < Math.abs(at(a.id)[0] - x) ? b : a);
  return beside.length ? beside.reduce(nearest).id : id;
}

// Makes the element of a view that has the focus answer the arrow keys; `way`: what they do there.
function walkable(drawing, way) {
  drawing.setAttribute("role", "application");
  drawing.setAttribute("tabindex", "0");
  drawing.setAttribute("aria-label", `Lineage graph: ${DATA.stats.join(", ")}. Arrow keys walk from model to model: ${way}.`);
  drawing.addEventListener("keydown", (event) => {
    if (!event.key.startsWith("Arrow") || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const next = view().step(event.key);
    if (next !== null) choose("model", next);
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
