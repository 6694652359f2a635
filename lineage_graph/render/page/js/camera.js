// The camera of the tree. Everything, as large as it goes, is centred across and starts at the top. `insets`: pixels at the edges that the drawing leaves free.
const insets = () => (narrow() ? { left: 40, right: 10, top: 8, bottom: 16 } : { left: 112, right: 24, top: 14, bottom: 14 });

function scaleToFit(candidate) {
  const free = insets();
  const across = Math.max(container.clientWidth - free.left - free.right, 1);
  const down = Math.max(container.clientHeight - free.top - free.bottom, 1);
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
  if (!narrow() || !MODELS.length || labels.named?.size !== 0) return;
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
