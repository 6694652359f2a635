// Everything that the pointer does can be done with keys.
function step(key) {
  if (state.chosen?.kind !== "model") return MODELS.length ? 0 : null;
  const id = state.chosen.id;
  if (key === "ArrowUp") return PARENT_EDGES[id][0]?.from ?? id;
  if (key === "ArrowDown") return CHILD_EDGES[id][0]?.to ?? id;
  const [x, y] = at(id);
  const way = key === "ArrowRight" ? 1 : -1;
  const beside = MODELS.filter((model) => at(model.id)[1] === y && (at(model.id)[0] - x) * way > 0);
  const nearest = (a, b) => (Math.abs(at(b.id)[0] - x) < Math.abs(at(a.id)[0] - x) ? b : a);
  return beside.length ? beside.reduce(nearest).id : id;
}

function zoom(factor) {
  network.moveTo({ scale: Math.min(Math.max(network.getScale() * factor, 0.01), 8) });
}

const drawing = container.querySelector(".vis-network");
drawing.setAttribute("role", "application");
drawing.setAttribute(
  "aria-label",
  `Lineage graph: ${DATA.stats.join(", ")}. Arrow keys walk from model to model: up to a parent, down to a child.`,
);
drawing.addEventListener("keydown", (event) => {
  if (!event.key.startsWith("Arrow")) return;
  event.preventDefault();
  const next = step(event.key);
  if (next !== null) choose("model", next);
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    if (input.value) closeSearch();
    else change({ chosen: null });
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.target === input) return;
  if (event.key === "/") {
    event.preventDefault();
    input.focus();
  } else if (event.key === "f") fit();
  else if (event.key === "+") zoom(1.25);
  else if (event.key === "-") zoom(0.8);
});
