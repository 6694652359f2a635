// Wire everything together and draw.
const POINTER = 7; // pixels by which the pointer may miss an edge

function edgeUnder({ x, y }) {
  const point = network.DOMtoCanvas({ x, y });
  return edgeNear(point.x, point.y, POINTER / network.getScale(), labelsShown());
}

function hover(target) {
  if (!same(state.hovered, target)) change({ hovered: target });
}

network.on("hoverNode", ({ node }) => hover({ kind: "model", id: node }));
network.on("blurNode", () => hover(null));
container.addEventListener("mousemove", ({ offsetX, offsetY }) => {
  if (state.hovered?.kind === "model") return;
  const edge = edgeUnder({ x: offsetX, y: offsetY });
  hover(edge === null ? null : { kind: "edge", id: edge });
});
container.addEventListener("mouseleave", () => hover(null));
network.on("click", ({ nodes, pointer }) => {
  const edge = nodes.length ? null : edgeUnder(pointer.DOM);
  if (nodes.length) choose("model", nodes[0]);
  else if (edge !== null) choose("edge", edge);
  else change({ chosen: null });
});
onChange(() => {
  container.classList.toggle("pointing", state.hovered !== null);
  network.redraw();
});

function repaint() {
  readTheme();
  paintLegend();
  network.redraw();
}

readTheme();
const placeLegend = () => (byId("legend").open = !narrow());
placeLegend();
narrowScreen.addEventListener("change", placeLegend);
paintLegend();
byId("empty").hidden = MODELS.length > 0;
byId("fit").addEventListener("click", fit);
darkScheme.addEventListener("change", repaint);
fit();
network.once("afterDrawing", () => performance.mark("lineage-drawn"));

let size = "";
new ResizeObserver(() => {
  const now = `${container.clientWidth}x${container.clientHeight}`;
  if (size && now !== size) requestAnimationFrame(fit);
  size = now;
}).observe(container);

// For the console and for tests: where each model and its label are on the screen, in pixels.
function boxes() {
  const scale = network.getScale();
  const context = document.createElement("canvas").getContext("2d");
  return MODELS.map((model) => {
    const { x, y } = network.canvasToDOM({ x: at(model.id)[0], y: at(model.id)[1] });
    const r = reachOf(model) * scale;
    context.font = `${model.role === "root" ? 600 : 400} ${LABEL_SIZE}px ${theme.font}`;
    const half = (Math.min(context.measureText(model.short).width, model.slot - 6) / 2) * scale;
    const top = y + LABEL_DROP * scale;
    return {
      name: model.name,
      x,
      y,
      model: [x - r, y - r, x + r, y + r],
      label: [x - half, top, x + half, top + LABEL_SIZE * scale],
    };
  });
}
// Where the middle of an edge is on the screen.
function middle(id) {
  const { x1, start, x2, tip } = curveOf(EDGES[id], labelsShown());
  return network.canvasToDOM({ x: (x1 + x2) / 2, y: (start + tip) / 2 });
}
window.lineage = Object.freeze({ network, state, boxes, middle, models: MODELS, edges: EDGES });
