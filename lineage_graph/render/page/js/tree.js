// vis-network keeps the models, the camera and the pointer; what is seen is painted here. The edges are not handed to it:
// it would draw each in its own style, and look for the nearest one at every move of the pointer.
const DIM = 0.16;

const container = byId("graph"); // of the tree
// The whole graph is drawn, or what is open of it.
const LAYOUTS = Object.values(DATA.layouts ?? {}).map((one) => ({ ...one, models: MODELS, edges: EDGES, cards: [] }));
let layout = LAYOUTS[0] ?? emptyScene();
const at = (id) => layout.positions[id];
const isPlaced = (id) => at(id) !== undefined;
const drawnModels = () => layout.models.filter(({ id }) => isShown("models", id));
const drawnEdges = () => layout.edges.filter(({ id }) => isShown("edges", id));

const placedNodes = () => layout.models.map(({ id }) => ({ id, x: at(id)[0], y: at(id)[1] }));
const nodes = new vis.DataSet(placedNodes());
const network = new vis.Network(
  container,
  { nodes, edges: new vis.DataSet() },
  { ...DATA.options, nodes: { ...DATA.options.nodes, ctxRenderer: renderModel } },
);

function renderModel({ ctx, id, x, y }) {
  const drawNode = () => drawModel(ctx, MODELS[id], x, y);
  const drawExternalLabel = () => drawLabel(ctx, MODELS[id], x, y);
  return { drawNode, drawExternalLabel, nodeDimensions: { width: 28, height: 28 } };
}

function drawModel(ctx, model, x, y) {
  if (!isShown("models", model.id)) return;
  ctx.globalAlpha = isLit("models", model.id) ? 1 : DIM;
  if (state.chosen?.kind === "model" && state.chosen.id === model.id) paintHalo(ctx, model, x, y);
  paintModel(ctx, model, x, y);
}

function drawLabel(ctx, model, x, y) {
  if (!isShown("models", model.id) || !hasLabel(model.id)) return;
  ctx.globalAlpha = isLit("models", model.id) ? 1 : DIM;
  paintLabel(ctx, model, x, y);
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
    for (const edge of layout.edges) {
      if (lit && lit.edges.has(edge.id) !== bright) continue;
      if (!isShown("edges", edge.id) || !inView(edge)) continue;
      if (!lit) ctx.globalAlpha = Math.min(1, Math.max(0.35, 14 / CHILD_EDGES[edge.from].length)); // a fan stays a fan
      const special = [state.chosen, state.hovered].some((target) => target?.kind === "edge" && target.id === edge.id);
      ctx.strokeStyle = ctx.fillStyle = special ? theme.accent : lit && bright ? theme.ink : theme.edge;
      paintEdge(ctx, edge, scale);
    }
  }
  ctx.globalAlpha = 1;
  ctx.setLineDash([]);
}

function paintUnder(ctx) {
  const scale = network.getScale();
  const view = viewport();
  updateLabels(scale);
  paintBands(ctx, view);
  paintCards(ctx, scale, view);
  paintEdges(ctx, scale, view);
  paintHeadings(ctx, scale, view);
}

function paintOver(ctx) {
  const scale = network.getScale();
  ctx.globalAlpha = 1;
  paintBandNames(ctx, scale, viewport());
  paintParts(ctx, scale);
  if (state.hovered?.kind === "model" && isPlaced(state.hovered.id)) paintNameTag(ctx, MODELS[state.hovered.id], scale);
}

network.on("beforeDrawing", paintUnder);
network.on("afterDrawing", paintOver);

// The same picture into another context, without vis-network.
function paintTree(ctx) {
  const origin = network.canvasToDOM({ x: 0, y: 0 });
  ctx.save();
  ctx.translate(origin.x, origin.y);
  ctx.scale(network.getScale(), network.getScale());
  paintUnder(ctx);
  for (const model of layout.models) drawModel(ctx, model, ...at(model.id));
  for (const model of layout.models) drawLabel(ctx, model, ...at(model.id));
  paintOver(ctx);
  ctx.restore();
}
