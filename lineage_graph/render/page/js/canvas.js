// vis-network keeps the models, the camera and the pointer; what is seen is painted here. The edges are not handed to it:
// it would draw each in its own style, and look for the nearest one at every move of the pointer.
const DIM = 0.16;

const container = byId("graph");
let layout = DATA.layouts.wide;
const at = (id) => layout.positions[id];

const nodes = new vis.DataSet(DATA.network.nodes);
const network = new vis.Network(
  container,
  { nodes, edges: new vis.DataSet() },
  { ...DATA.network.options, nodes: { ...DATA.network.options.nodes, ctxRenderer: renderModel } },
);

const isLit = (kind, id) => lit === null || lit[kind].has(id);

function renderModel({ ctx, id, x, y }) {
  const model = MODELS[id];
  const drawNode = () => {
    ctx.globalAlpha = isLit("models", id) ? 1 : DIM;
    if (state.chosen?.kind === "model" && state.chosen.id === id) paintHalo(ctx, model, x, y);
    paintModel(ctx, model, x, y);
  };
  const drawExternalLabel = () => {
    if (!hasLabel(id)) return;
    ctx.globalAlpha = isLit("models", id) ? 1 : DIM;
    paintLabel(ctx, model, x, y);
  };
  return { drawNode, drawExternalLabel, nodeDimensions: { width: 28, height: 28 } };
}

function paintHalo(ctx, model, x, y) {
  ctx.save();
  ctx.strokeStyle = theme.accent;
  ctx.lineWidth = 3;
  circle(ctx, x, y, reachOf(model) + 4.5);
  ctx.stroke();
  ctx.restore();
}

// The part of the drawing that is on the screen, in its own coordinates.
function viewport() {
  const { x: left, y: top } = network.DOMtoCanvas({ x: 0, y: 0 });
  const { x: right, y: bottom } = network.DOMtoCanvas({ x: container.clientWidth, y: container.clientHeight });
  return { left, top, right, bottom };
}

function paintEdges(ctx, scale, view) {
  const inView = (edge) => {
    const [[x1, y1], [x2, y2]] = [at(edge.from), at(edge.to)];
    const across = [x1, x2, ...(layout.routes[edge.id]?.[0] ?? []).map(([x]) => x)];
    return Math.max(...across) > view.left && Math.min(...across) < view.right && y2 > view.top && y1 < view.bottom;
  };
  for (const bright of lit ? [false, true] : [true]) {
    ctx.globalAlpha = bright ? 1 : DIM;
    for (const edge of EDGES) {
      if (lit && lit.edges.has(edge.id) !== bright) continue;
      if (!inView(edge)) continue;
      if (!lit) ctx.globalAlpha = Math.min(1, Math.max(0.35, 14 / CHILD_EDGES[edge.from].length)); // a fan stays a fan
      const special = [state.chosen, state.hovered].some((target) => target?.kind === "edge" && target.id === edge.id);
      ctx.strokeStyle = ctx.fillStyle = special ? theme.accent : lit && bright ? theme.ink : theme.edge;
      paintEdge(ctx, edge, scale);
    }
  }
  ctx.globalAlpha = 1;
  ctx.setLineDash([]);
}

network.on("beforeDrawing", (ctx) => {
  const scale = network.getScale();
  const view = viewport();
  updateLabels(scale);
  paintBands(ctx, view);
  paintEdges(ctx, scale, view);
  paintHeadings(ctx, scale, view);
});
network.on("afterDrawing", (ctx) => {
  const scale = network.getScale();
  paintBandNames(ctx, scale, viewport());
  paintParts(ctx, scale);
  if (state.hovered?.kind === "model") paintNameTag(ctx, MODELS[state.hovered.id], scale);
});

// The camera. Everything, as large as it goes, is centred across and starts at the top. `insets`: pixels at the edges that the drawing leaves free.
const insets = () => (narrow() ? { left: 40, right: 10, top: 8, bottom: 16 } : { left: 112, right: 24, top: 14, bottom: 14 });

function scaleToFit(candidate) {
  const free = insets();
  const across = container.clientWidth - free.left - free.right;
  const down = container.clientHeight - free.top - free.bottom;
  return Math.min(across / Math.max(candidate.width, 1), down / Math.max(candidate.height, 1), 1.15);
}

function useLayout(candidate) {
  if (candidate === layout) return;
  layout = candidate;
  nodes.update(layout.positions.map(([x, y], id) => ({ id, x, y })));
}

function fit() {
  network.redraw(); // when its frame has changed size, vis-network moves the camera: let it do so first
  useLayout(Object.values(DATA.layouts).reduce((a, b) => (scaleToFit(b) > scaleToFit(a) ? b : a)));
  const scale = scaleToFit(layout);
  const free = insets();
  network.moveTo({
    scale,
    position: {
      x: layout.width / 2 - (free.left - free.right) / 2 / scale,
      y: (container.clientHeight / 2 - free.top) / scale,
    },
  });
}

// How the page opens: everything, unless on a narrow screen no name would have room; then the first family from its root.
function openingView() {
  fit();
  network.redraw();
  if (!narrow() || !MODELS.length || labels.shown?.size !== 0) return;
  const scale = READABLE / LABEL_SIZE;
  const [x] = at(0);
  network.moveTo({ scale, position: { x, y: (container.clientHeight / 2 - insets().top) / scale } });
}

// Bring a model into the part of the screen that the panel leaves free, moving no more than that takes; come closer only
// if its label cannot be read.
function reveal(id) {
  const free = freeArea();
  const [x, y] = at(id);
  if (!hasLabel(id)) {
    const aside = { x: (container.clientWidth - free.width) / 2, y: (container.clientHeight - free.height) / 2 };
    network.moveTo({ scale: 1, position: { x: x + aside.x, y: y + aside.y } });
    return;
  }
  const spot = network.canvasToDOM({ x, y });
  const within = (value, size, margin) => Math.min(Math.max(value, margin), Math.max(size - margin, margin));
  const shift = { x: spot.x - within(spot.x, free.width, 90), y: spot.y - within(spot.y, free.height, 50) };
  if (!shift.x && !shift.y) return;
  const { x: cx, y: cy } = network.getViewPosition();
  const scale = network.getScale();
  network.moveTo({ position: { x: cx + shift.x / scale, y: cy + shift.y / scale } });
}
