// How the ring looks. The context is in pixels, its origin in the centre; `radius` is the ring's.
const RING_STROKES = [[1.5, 0.75], [1.2, 0.65], [1, 0.65]]; // width in pixels and opacity of the curves, by gap
const RING_CROWD = 900; // curves from which on they are finer
const RING_DIM = 0.15; // of curves, while others are lit
const RING_FONT = 12;
const RING_PITCH = 13; // pixels from one name to the next

const ringColours = () => RING.colours[theme.dark ? "dark" : "light"];
const ringBlue = (root) => ringColours().blues[root % ringColours().blues.length];

function ringSector(ctx, radius, [inner, outer], start, end) {
  ctx.beginPath();
  ctx.arc(0, 0, radius * outer, start - Math.PI / 2, end - Math.PI / 2);
  ctx.arc(0, 0, radius * inner, end - Math.PI / 2, start - Math.PI / 2, true);
  ctx.closePath();
}

// How bright an arc of the outer or middle ring is: as the brightest model under it.
function ringBrightness() {
  if (!lit && !shown) return () => 1;
  const before = [0]; // bright blocks before each
  for (const block of RING_BLOCKS) before.push(before.at(-1) + (ringBlockIsShown(block) && ringBlockIsLit(block) ? 1 : 0));
  return (start, end) => (before[ringBlocksBefore(end)] > before[ringBlocksBefore(start)] ? 1 : DIM * 1.6);
}

// What is narrower than a pixel is painted as one with its neighbours before it: thousands of such would leave nothing.
function* ringWide(arcs, radius, endsOf) {
  let since = null;
  for (const arc of arcs) {
    const [start, end] = endsOf(arc);
    since ??= start;
    if (end - since < 1 / radius && end - start < 1 / radius) continue;
    yield [end - start < 1 / radius ? since : start, end, arc];
    since = null;
  }
}

const ringEnds = ([start, end]) => [start, end];
const ringBlockEnds = ({ start, end }) => [start, end];

function ringPaintBands(ctx, radius) {
  const brightness = ringBrightness();
  for (const [start, end, [, , generation]] of ringWide(RING.generations, radius, ringEnds)) {
    ctx.globalAlpha = brightness(start, end);
    ctx.fillStyle = generation ? ringColours().reds[generation - 1] : theme.line;
    ringSector(ctx, radius, RING_BANDS[0], start, end);
    ctx.fill();
  }
  const [inner, outer] = RING_BANDS[1];
  for (const [start, end, [, , roots]] of ringWide(RING.middle, radius, ringEnds)) {
    ctx.globalAlpha = brightness(start, end);
    const step = (outer - inner) / Math.max(roots.length, 1);
    for (let place = 0; place < Math.max(roots.length, 1); place += 1) {
      ctx.fillStyle = roots.length ? ringBlue(roots[place]) : theme.line;
      ringSector(ctx, radius, [outer - step * (place + 1), outer - step * place], start, end);
      ctx.fill();
    }
    if (roots.length === 1) ringPaintNumber(ctx, radius, roots[0], start, end);
  }
  ctx.globalAlpha = 1;
}

function ringPaintNumber(ctx, radius, root, start, end) {
  const [inner, outer] = RING_BANDS[1];
  const size = Math.min(radius * (outer - inner) * 0.8, 15);
  const words = String(root + 1);
  ctx.font = `700 ${size}px ${theme.font}`;
  if (size < 7 || radius * inner * (end - start) < ctx.measureText(words).width + 4) return;
  ctx.fillStyle = inkOn(ringBlue(root));
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillText(words, ...onRing((start + end) / 2, (radius * (inner + outer)) / 2));
}

function ringPaintBlocks(ctx, radius) {
  const [inner, outer] = RING_BANDS[2];
  const chosen = ringBlockOfTarget(state.chosen);
  for (const [start, end, block] of ringWide(RING_BLOCKS.filter(ringBlockIsShown), radius * inner, ringBlockEnds)) {
    const model = MODELS[block.model];
    ctx.globalAlpha = ringBlockIsLit(block) ? 1 : DIM;
    const gap = Math.min((end - start) * 0.1, 0.6 / radius);
    ringSector(ctx, radius, [inner, outer], start + gap, end - gap);
    ringPaintBlock(ctx, model, radius * inner * (end - start));
    ringPaintMark(ctx, model, block, radius);
    if (block === chosen) ringPaintHalo(ctx, radius, block);
  }
  ctx.globalAlpha = 1;
}

// Hollow and dashed: not in the zoo; hollow and red: could not be read. Families have the middle ring already.
function ringPaintBlock(ctx, model, width) {
  const hollow = isUnseen(model) || isFailed(model);
  ctx.fillStyle = hollow ? theme.ground : state.colour !== "family" ? colourOf(model) : isAlone(model) ? theme.neutral : theme.edge;
  ctx.fill();
  if (!hollow) return;
  ctx.strokeStyle = isFailed(model) ? theme.danger : theme.muted;
  ctx.lineWidth = width < 5 ? 0.75 : 1.25;
  ctx.setLineDash(isUnseen(model) ? [3, 2] : []);
  ctx.stroke();
  ctx.setLineDash([]);
}

// What the colour says, said again, where there is room.
function ringPaintMark(ctx, model, { start, end, middle }, radius) {
  const [inner, outer] = RING_BANDS[2].map((band) => band * radius);
  const size = Math.min((outer - inner) * 0.75, inner * (end - start) * 0.75, 12);
  if (!markOf(model) || size < 6) return;
  ctx.font = `600 ${size}px ${theme.font}`;
  ctx.fillStyle = isUnseen(model) || isFailed(model) ? theme.ink : inkOn(colourOf(model));
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillText(markOf(model), ...onRing(middle, (inner + outer) / 2));
}

function ringPaintHalo(ctx, radius, { start, end }) {
  ctx.globalAlpha = 1;
  ctx.strokeStyle = theme.accent;
  ctx.lineWidth = 3;
  ringSector(ctx, radius, [RING_BANDS[2][0], RING_BANDS[0][1] + 0.01], start, end);
  ctx.stroke();
}

const ringIsLit = (curve) => lit.models.has(curve.from) && lit.models.has(curve.to);

// All curves; or, `bright`, only those that are lit, so that they stand out from the others.

function ringPaintCurves(ctx, radius, { bright = false, most = 1 } = {}) {
  const fine = Math.min(1, Math.sqrt(RING_CROWD / Math.max(ringCurves().length, 1)));
  const special = (curve) =>
    [state.chosen, state.hovered].some((target) => target?.kind === "edge" && target.id === curve.edge);
  for (const curve of ringCurves()) {
    if (!ringIsShown(curve) || (bright && !ringIsLit(curve))) continue;
    const [width, opacity] = RING_STROKES[curve.gap - 1];
    ctx.globalAlpha = bright ? 0.95 : opacity * most;
    ctx.strokeStyle = bright && special(curve) ? theme.accent : ringColours().gaps[curve.gap - 1];
    ctx.lineWidth = !bright ? Math.max(width * fine, 0.4) : special(curve) ? 3 : width * 1.25;
    ctx.setLineDash(curve.inferred ? [5, 4] : []);
    ringStroke(ctx, curve.way, radius);
  }
  ctx.globalAlpha = 1;
  ctx.setLineDash([]);
}

function ringStroke(ctx, way, radius) {
  ctx.beginPath();
  ctx.moveTo(way[0][0] * radius, way[0][1] * radius);
  for (let at = 1; at < way.length; at += 3) {
    const [a, b, c] = [way[at], way[at + 1], way[at + 2]];
    ctx.bezierCurveTo(a[0] * radius, a[1] * radius, b[0] * radius, b[1] * radius, c[0] * radius, c[1] * radius);
  }
  ctx.stroke();
}

// The blocks that carry names: all where all have room; else those that are lit, then roots, as far as they have.
function ringNamed(radius) {
  const shownBlocks = RING_BLOCKS.filter(ringBlockIsShown);
  const need = RING_PITCH / radius;
  const weight = (block) => (lit && ringBlockIsLit(block) ? 2 : 0) + (MODELS[block.model].role === "root" ? 1 : 0);
  const crowded = shownBlocks.some(({ start, end }) => end - start < need);
  const wanted = crowded ? shownBlocks.filter(weight).sort((a, b) => weight(b) - weight(a)) : shownBlocks;
  const taken = new Map();
  const slots = Math.max(Math.ceil((2 * Math.PI) / need), 1);
  const apart = (a, b) => Math.min(Math.abs(a - b), 2 * Math.PI - Math.abs(a - b)); // the last one meets the first
  return wanted.filter((block) => {
    const slot = Math.floor(block.middle / need);
    const near = [-2, -1, 0, 1, 2].flatMap((step) => taken.get((slot + step + slots) % slots) ?? []);
    if (crowded && near.some((other) => apart(other, block.middle) < need)) return false;
    taken.set(slot, [...(taken.get(slot) ?? []), block.middle]);
    return true;
  });
}

// Outside, along the radius, and none upside down. `inside`: whether a place is on the screen: no name is cut off.
function ringPaintNames(ctx, radius, inside) {
  ctx.textBaseline = "middle";
  for (const block of ringNamed(radius)) {
    const { model: id, middle } = block;
    const model = MODELS[id];
    if (!inside(...onRing(middle, radius + 7 + ringNameWidth(id)))) continue;
    const right = Math.sin(middle) >= -1e-9;
    ctx.save();
    ctx.globalAlpha = ringBlockIsLit(block) ? 1 : DIM * 1.6;
    ctx.rotate(middle - Math.PI / 2 + (right ? 0 : Math.PI));
    ctx.font = labelFont(model, RING_FONT);
    ctx.textAlign = right ? "left" : "right";
    ctx.fillStyle = isFailed(model) || isUnseen(model) ? theme.muted : theme.ink;
    ctx.fillText(ringNameOf(id), (right ? 1 : -1) * (radius + 7), 0);
    ctx.restore();
  }
}

const ringNameOf = (id) => (RING.folded ? FOLD_BY_ID.get(FOLD_OF[id]).title : MODELS[id].short);

function ringNameWidth(id) {
  if (!RING.folded) return labelWidth(MODELS[id], RING_FONT);
  measuring.font = labelFont(MODELS[id], RING_FONT);
  return measuring.measureText(ringNameOf(id)).width;
}

