// Which models carry their names, and how large. Where the drawing is small, names keep a size that can be read as long
// as all have room; then all of them shrink a little; and where that is too small, those are shown that have room, roots
// first.
const LABEL_SIZE = 12;
const LABEL_DROP = 17;
const READABLE = 9; // on the screen, in pixels
const SMALLEST = 6.5;
const LARGEST = 60; // in the drawing; from there on no name has room between two generations

const labelFont = (model, size) => `${model.role === "root" ? 600 : 400} ${size}px ${theme.font}`;
const measuring = document.createElement("canvas").getContext("2d");

function labelWidth(model, size) {
  if (model.measured === undefined) {
    measuring.font = labelFont(model, LABEL_SIZE);
    model.measured = Math.min(measuring.measureText(model.short).width, model.slot - 6);
  }
  return (model.measured * size) / LABEL_SIZE;
}

function labelBox(model, size) {
  const [x, y] = at(model.id);
  const half = labelWidth(model, size) / 2;
  return [x - half, y + LABEL_DROP, x + half, y + LABEL_DROP + size];
}

// Boxes (left, top, right, bottom) that do not overlap, found again by the cells of a grid.
class Room {
  cells = new Map();

  *cellsOf([left, top, right, bottom]) {
    for (let column = Math.floor(left / 100); column <= right / 100; column += 1)
      for (let row = Math.floor(top / 100); row <= bottom / 100; row += 1) yield `${column},${row}`;
  }

  take(box) {
    for (const cell of this.cellsOf(box)) {
      if (!this.cells.has(cell)) this.cells.set(cell, []);
      this.cells.get(cell).push(box);
    }
  }

  isFree([left, top, right, bottom]) {
    for (const cell of this.cellsOf([left, top, right, bottom]))
      for (const other of this.cells.get(cell) ?? [])
        if (left < other[2] && other[0] < right && top < other[3] && other[1] < bottom) return false;
    return true;
  }
}

// What is drawn besides the names: models with the heads of their arrows, headings, the straight parts of edges, and the
// whole way of those to a model of several parents, which come from anywhere.
function occupied() {
  const room = new Room();
  for (const model of drawnModels()) {
    const [x, y] = at(model.id);
    const reach = reachOf(model);
    room.take([x - reach, y - reach - (PARENT_EDGES[model.id].length ? GLYPH + 2.5 : 0), x + reach, y + reach]);
  }
  for (const [, , , x, y, width] of layout.headings) room.take([x, y, x + width, y + 30]);
  for (const [id, [lanes, branch]] of Object.entries(layout.routes)) {
    if (!isShown("edges", Number(id))) continue;
    for (const [x, top, bottom] of lanes) room.take([x - 1, top, x + 1, bottom]);
    if (branch === null) continue;
    const ends = [lanes.at(-1)[0], at(EDGES[id].to)[0]];
    room.take([Math.min(...ends), branch - 1, Math.max(...ends), branch + 1]);
  }
  for (const edge of drawnEdges()) {
    if (PARENT_EDGES[edge.to].length < 2) continue;
    for (const [x, y] of wayOf(edge).flatMap(pointsOf)) room.take([x - 1, y - 1, x + 1, y + 1]);
  }
  return room;
}

function fitting(size) {
  labels.named = new Set(); // a way begins at the model itself where that has no name
  const room = occupied();
  const shown = new Set();
  for (const model of drawnModels().sort((a, b) => (b.role === "root") - (a.role === "root"))) {
    const box = labelBox(model, size);
    const [left, top, right, bottom] = box;
    if (!room.isFree([left - size / 4, top, right + size / 4, bottom])) continue;
    room.take(box);
    shown.add(model.id);
  }
  return shown;
}

// named: ids, or null for all; of: the models that were shown
let labels = { scale: null, layout: null, of: null, size: LABEL_SIZE, named: null };
function updateLabels(scale) {
  if (labels.scale === scale && labels.layout === layout && labels.of === shown) return;
  const size = Math.max(LABEL_SIZE, READABLE / scale);
  const named = size === LABEL_SIZE ? null : size < LARGEST ? fitting(size) : new Set();
  const shrunk = named && named.size < drawnModels().length && LABEL_SIZE * scale >= SMALLEST;
  labels = { scale, layout, of: shown, size: shrunk ? LABEL_SIZE : size, named: shrunk ? null : named };
}

const hasLabel = (id) => labels.named === null || labels.named.has(id);

// How far below the centre of a model its edges begin: under its name, where that is shown.
const footOf = (model) => (hasLabel(model.id) ? LABEL_DROP + labels.size + 3 : reachOf(model));

function paintLabel(ctx, model, x, y) {
  const { size } = labels;
  ctx.font = labelFont(model, size);
  ctx.textAlign = "center";
  ctx.textBaseline = "top";
  const width = labelWidth(model, size);
  ctx.fillStyle = shadeOf(isAlone(model) ? 0 : model.generation);
  ctx.fillRect(x - width / 2 - 2, y + LABEL_DROP - 1, width + 4, size + 2);
  ctx.fillStyle = isFailed(model) || isUnseen(model) ? theme.muted : theme.ink;
  ctx.fillText(model.short, x, y + LABEL_DROP, width);
}
