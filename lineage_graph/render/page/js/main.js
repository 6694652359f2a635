// Wire everything together and draw.
const POINTER = 7; // pixels by which the pointer may miss an edge

function edgeUnder({ x, y }) {
  const point = network.DOMtoCanvas({ x, y });
  return edgeNear(point.x, point.y, POINTER / network.getScale());
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
openingView();
network.once("afterDrawing", () => performance.mark("lineage-drawn"));

let size = "";
new ResizeObserver(() => {
  const now = `${container.clientWidth}x${container.clientHeight}`;
  if (size && now !== size) requestAnimationFrame(openingView);
  size = now;
}).observe(container);

// For the console and for tests: where each model and its name are on the screen, in pixels; the name null if not shown.
function boxes() {
  const scale = network.getScale();
  const onScreen = ([left, top, right, bottom]) => {
    const [start, end] = [network.canvasToDOM({ x: left, y: top }), network.canvasToDOM({ x: right, y: bottom })];
    return [start.x, start.y, end.x, end.y];
  };
  return MODELS.map((model) => {
    const { x, y } = network.canvasToDOM({ x: at(model.id)[0], y: at(model.id)[1] });
    const r = reachOf(model) * scale;
    const label = hasLabel(model.id) ? onScreen(labelBox(model, labels.size)) : null;
    return { name: model.name, x, y, model: [x - r, y - r, x + r, y + r], label };
  });
}
// Points along an edge, on the screen.
function points(id) {
  const onCurve = (part) => [...Array(33).keys()].map((step) => pointOf(part, step / 32));
  return wayOf(EDGES[id]).flatMap(onCurve).map(([x, y]) => network.canvasToDOM({ x, y }));
}
window.lineage = Object.freeze({ network, state, boxes, points, models: MODELS, edges: EDGES });
