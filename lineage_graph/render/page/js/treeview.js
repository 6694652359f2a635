// The tree as a view: the pointer in it, and what the page asks of it.
const POINTER = 7; // pixels by which the pointer may miss an edge

function edgeUnder({ x, y }) {
  const point = network.DOMtoCanvas({ x, y });
  return edgeNear(point.x, point.y, POINTER / network.getScale());
}

function followPointer() {
  network.on("hoverNode", ({ node }) => isShown("models", node) && hover({ kind: "model", id: node }));
  network.on("blurNode", () => hover(null));
  container.addEventListener("mousemove", ({ offsetX, offsetY }) => {
    if (state.hovered?.kind === "model") return;
    const fold = foldUnder({ x: offsetX, y: offsetY });
    const edge = fold === null ? edgeUnder({ x: offsetX, y: offsetY }) : null;
    hover(fold !== null ? { kind: "fold", id: fold } : edge === null ? null : { kind: "edge", id: edge });
  });
  container.addEventListener("mouseleave", () => hover(null));
  network.on("click", ({ nodes, pointer }) => {
    const model = nodes.find((id) => isShown("models", id));
    const fold = model === undefined ? foldUnder(pointer.DOM) : null;
    const edge = model === undefined && fold === null ? edgeUnder(pointer.DOM) : null;
    if (model !== undefined) choose("model", model);
    else if (fold !== null) turnFold(fold, !state.open.has(fold));
    else if (edge !== null) choose("edge", edge);
    else change({ chosen: null, selection: null });
  });
}

// Where each model and its name are on the screen, in pixels; the name null if not shown.
function boxesOfTree() {
  const scale = network.getScale();
  const onScreen = ([left, top, right, bottom]) => {
    const [start, end] = [network.canvasToDOM({ x: left, y: top }), network.canvasToDOM({ x: right, y: bottom })];
    return [start.x, start.y, end.x, end.y];
  };
  return drawnModels().map((model) => {
    const { x, y } = network.canvasToDOM({ x: at(model.id)[0], y: at(model.id)[1] });
    const r = reachOf(model) * scale;
    const label = hasLabel(model.id) ? onScreen(labelBox(model, labels.size)) : null;
    return { name: model.name, x, y, model: [x - r, y - r, x + r, y + r], label };
  });
}

// Points along an edge of the tree, on the screen.
function points(id) {
  return wayOf(EDGES[id]).flatMap(pointsOf).map(([x, y]) => network.canvasToDOM({ x, y }));
}

views.tree = {
  title: "Tree",
  element: container,
  mount() {
    followPointer();
    walkable(container.querySelector(".vis-network"), "up to a parent, down to a child, left and right to its neighbours");
  },
  draw() {
    container.classList.toggle("pointing", state.hovered !== null);
    network.redraw();
  },
  open: openingView,
  fit,
  reveal,
  revealFold,
  zoom: (factor) => network.moveTo({ scale: Math.min(Math.max(network.getScale() * factor, 0.01), 8) }),
  step: stepInTree,
  paint: paintTree,
  legend: legendOfTree,
  boxes: boxesOfTree,
};
