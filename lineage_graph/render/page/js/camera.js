// The camera of the tree. Everything, as large as it goes, is centred across and starts at the top. `insets`: pixels at the edges that the drawing leaves free.
function insets() {
  const named = layout.bands.length > 0; // generations, at the left edge
  if (narrow()) return { left: named ? 40 : 10, right: 10, top: 8, bottom: 16 };
  return { left: named ? 112 : 24, right: 24, top: 14, bottom: 14 };
}

function scaleToFit(candidate) {
  const free = insets();
  const across = Math.max(container.clientWidth - free.left - free.right, 1);
  const down = Math.max(container.clientHeight - free.top - free.bottom, 1);
  return Math.min(across / Math.max(candidate.width, 1), down / Math.max(candidate.height, 1), 1.15);
}

function useLayout(candidate) {
  if (candidate === layout) return;
  const same = candidate.models === layout.models;
  layout = candidate;
  if (!same) nodes.clear();
  nodes.update(placedNodes());
}

// Of a zoo whose families are folded, what is open and what passes the filters.
function compose() {
  const free = insets();
  const across = container.clientWidth - free.left - free.right;
  const down = container.clientHeight - free.top - free.bottom;
  useLayout(composed(Math.max(across, 1) / Math.max(down, 1)));
}

function fit() {
  network.redraw(); // when its frame has changed size, vis-network moves the camera: let it do so first
  if (FOLD_OF === null) useLayout(LAYOUTS.reduce((a, b) => (scaleToFit(b) > scaleToFit(a) ? b : a)));
  else compose();
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
  if (!narrow() || !layout.models.length || layout.cards.length || labels.named?.size !== 0) return;
  const scale = READABLE / LABEL_SIZE;
  const [x] = at(layout.models[0].id);
  network.moveTo({ scale, position: { x, y: (container.clientHeight / 2 - insets().top) / scale } });
}

// Bring a model into the part of the screen that the panel leaves free, moving no more than that takes; come closer only
// if its label cannot be read.
function reveal(id) {
  if (!isPlaced(id)) return; // the filters hide its whole family
  const free = freeArea();
  const [x, y] = at(id);
  if (!hasLabel(id)) {
    const aside = { x: (container.clientWidth - free.width) / 2, y: (container.clientHeight - free.height) / 2 };
    network.moveTo({ scale: 1, position: { x: x + aside.x, y: y + aside.y } });
    return;
  }
  bring(x, y, 90, 50);
}

// Move no more than it takes to have a place so far inside the part that the panel leaves free, in pixels.
function bring(x, y, across, down) {
  const free = freeArea();
  const spot = network.canvasToDOM({ x, y });
  const within = (value, size, margin) => Math.min(Math.max(value, margin), Math.max(size - margin, margin));
  const shift = { x: spot.x - within(spot.x, free.width, across), y: spot.y - within(spot.y, free.height, down) };
  if (!shift.x && !shift.y) return;
  const { x: cx, y: cy } = network.getViewPosition();
  const scale = network.getScale();
  network.moveTo({ position: { x: cx + shift.x / scale, y: cy + shift.y / scale } });
}

// An open family, as large as it goes; a very wide one from its first root on, as high as the view.
function fitFold(id) {
  const fold = FOLD_BY_ID.get(id);
  const heading = layout.headings.find((one) => one[6] === id);
  if (!heading) {
    revealFold(id);
    return;
  }
  const [free, margins] = [freeArea(), insets()];
  const [left, top] = [heading[3], heading[4]];
  const across = (free.width - margins.left - margins.right) / fold.width;
  const down = (free.height - margins.top - margins.bottom) / fold.height;
  const strip = across < down / 4 && across * LABEL_SIZE < SMALLEST; // so wide that as a whole it would be a line
  if (strip) place(at(fold.models[0].id)[0], top, Math.min(down, READABLE / LABEL_SIZE));
  else place(left + fold.width / 2, top, Math.max(Math.min(across, down, 1.15), 0.01));
  network.redraw();
}

// A place of the scene in the middle of what the panel leaves free, near its upper edge.
function place(x, y, scale) {
  const [free, margins] = [freeArea(), insets()];
  const middle = (margins.left + free.width - margins.right) / 2;
  network.moveTo({
    scale,
    position: { x: x + (container.clientWidth / 2 - middle) / scale, y: y + (container.clientHeight / 2 - margins.top) / scale },
  });
}

// The card of a folded family where its text can be read, or the family if it is open.
function revealFold(id) {
  const card = layout.cards.find(({ fold }) => fold.id === id);
  if (!card) {
    if (layout.headings.some((one) => one[6] === id)) fitFold(id);
    return;
  }
  const [x, y] = [card.x + (CARD.width * card.size) / 2, card.y + (CARD.height * card.size) / 2];
  const legible = CARD_LEGIBLE / card.size;
  if (network.getScale() < legible) {
    const free = freeArea();
    const aside = { x: (container.clientWidth - free.width) / 2 / legible, y: (container.clientHeight - free.height) / 2 / legible };
    network.moveTo({ scale: legible, position: { x: x + aside.x, y: y + aside.y } });
  } else {
    const seen = network.getScale() * card.size;
    bring(x, y, (CARD.width * seen) / 2 + 12, (CARD.height * seen) / 2 + 12);
  }
}
