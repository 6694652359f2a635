// The ring as a view: its canvas, its camera and the pointer in it.
const ringBox = byId("ring");
const ringCanvas = element("canvas", { class: "ring" });
const ringCamera = { x: 0, y: 0, radius: 1, fits: "" }; // centre and radius on the screen, in pixels; the size that it fits
const RING_CLICK = 4; // pixels that the pointer may move in a click
const RING_RANGE = [40, 60_000]; // of the radius

function ringFit() {
  const { clientWidth: width, clientHeight: height } = ringBox;
  const side = Math.max(Math.min(width, height) / 2, 60);
  ringCamera.radius = side - 14;
  const named = narrow() ? [] : ringNamed(ringCamera.radius * 0.75);
  const longest = Math.max(0, ...named.map(({ model }) => ringNameWidth(model)));
  const radius = Math.max(side - 14 - longest, side * 0.55);
  Object.assign(ringCamera, { x: width / 2, y: height / 2, radius, fits: `${width}x${height}` });
  ringDraw();
}

// Once the reader has moved it, it stays when the size changes.
const ringMoved = (place) => Object.assign(ringCamera, place, { fits: "" });

// The camera moves so that what was at a place on the screen is there again, larger or smaller.
function ringZoom(factor, x = ringBox.clientWidth / 2, y = ringBox.clientHeight / 2) {
  const radius = Math.min(Math.max(ringCamera.radius * factor, RING_RANGE[0]), RING_RANGE[1]);
  const by = radius / ringCamera.radius;
  ringMoved({ x: x + (ringCamera.x - x) * by, y: y + (ringCamera.y - y) * by, radius });
  ringDraw();
}

function ringSpot(id) {
  const { middle } = ringBlockOf(id);
  const [x, y] = onRing(middle, ringCamera.radius * (RING_BANDS[2][0] + RING_BANDS[2][1]) * 0.5);
  return { x: ringCamera.x + x, y: ringCamera.y + y };
}

function ringReveal(id) {
  const free = freeArea();
  const within = (value, size, margin) => Math.min(Math.max(value, margin), Math.max(size - margin, margin));
  const { x, y } = ringSpot(id);
  const [right, down] = [within(x, free.width, 60) - x, within(y, free.height, 40) - y];
  if (right || down) ringMoved({ x: ringCamera.x + right, y: ringCamera.y + down });
  ringDraw();
}

const ringInside = (x, y) => {
  const [right, down] = [x + ringCamera.x, y + ringCamera.y];
  return right >= 0 && right <= ringBox.clientWidth && down >= 0 && down <= ringBox.clientHeight;
};

// `curves`: what paints all of them, at most this bright.
function ringPicture(ctx, curves = ringPaintAll) {
  ctx.save();
  ctx.translate(ringCamera.x, ringCamera.y);
  curves(ctx, lit ? RING_DIM : 1);
  if (lit) ringPaintCurves(ctx, ringCamera.radius, { bright: true });
  ringPaintBands(ctx, ringCamera.radius);
  ringPaintBlocks(ctx, ringCamera.radius);
  ringPaintNames(ctx, ringCamera.radius, ringInside);
  ctx.restore();
  const hovered = ringBlockOfTarget(state.hovered);
  if (hovered) ringPaintTag(ctx, hovered);
}

function ringDraw() {
  const ratio = window.devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = ringBox;
  if (!width || !height) return;
  if (ringCamera.fits && ringCamera.fits !== `${width}x${height}`) {
    ringFit();
    return;
  }
  const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (ringCanvas.width !== across || ringCanvas.height !== down) Object.assign(ringCanvas, { width: across, height: down });
  const ctx = ringCanvas.getContext("2d");
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, width, height);
  ringPicture(ctx, ringPaintLayer);
  ringBox.classList.toggle("pointing", state.hovered !== null);
}

// The whole name of the model under the pointer, towards the centre from its block.
function ringPaintTag(ctx, block) {
  const { name } = MODELS[block.model];
  const short = RING.folded ? `${ringNameOf(block.model)}, ${plural(block.count, "model")}` : name.length > 60 ? `${name.slice(0, 30)}…${name.slice(-29)}` : name;
  ctx.font = `600 12.5px ${theme.font}`;
  const width = ctx.measureText(short).width + 14;
  const [x, y] = onRing(block.middle, ringCamera.radius * RING_BANDS[2][0] - 16);
  const aside = Math.sin(block.middle) * width * 0.5;
  const within = (value, size, half) => Math.min(Math.max(value, half), Math.max(size - half, half));
  const centre = within(ringCamera.x + x - aside, ringBox.clientWidth, width / 2 + 4);
  const middle = within(ringCamera.y + y, ringBox.clientHeight, 14);
  ctx.globalAlpha = 1;
  ctx.fillStyle = theme.ink;
  ctx.beginPath();
  ctx.roundRect(centre - width / 2, middle - 11, width, 22, 5);
  ctx.fill();
  ctx.fillStyle = theme.surface;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillText(short, centre, middle + 0.5);
}

// What is under a place on the screen: the model of a block, whichever ring is pointed at; or an edge; or null.
function ringUnder(x, y) {
  const [dx, dy] = [(x - ringCamera.x) / ringCamera.radius, (y - ringCamera.y) / ringCamera.radius];
  const away = Math.hypot(dx, dy);
  if (away >= RING_REACH && away <= 1.01) {
    const block = ringBlockAt((Math.atan2(dx, -dy) + 2 * Math.PI) % (2 * Math.PI));
    return block && ringBlockIsShown(block) ? ringTarget(block) : null;
  }
  const edge = away < RING_REACH ? ringEdgeNear(dx, dy, POINTER / ringCamera.radius) : null;
  return edge === null ? null : { kind: "edge", id: edge };
}

// One pointer moves the ring or clicks, two zoom it.
function ringFollowPointers() {
  const down = new Map();
  let travelled = 0;
  const span = () => {
    const [a, b] = [...down.values()];
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, size: Math.hypot(a.x - b.x, a.y - b.y) };
  };
  const place = ({ clientX, clientY }) => {
    const { left, top } = ringCanvas.getBoundingClientRect();
    return { x: clientX - left, y: clientY - top };
  };
  ringCanvas.addEventListener("pointerdown", (event) => {
    ringBox.focus({ preventScroll: true });
    ringCanvas.setPointerCapture(event.pointerId);
    if (!down.size) travelled = 0;
    down.set(event.pointerId, place(event));
  });
  ringCanvas.addEventListener("pointermove", (event) => {
    const now = place(event);
    const then = down.get(event.pointerId);
    if (!then) return hover(ringUnder(now.x, now.y));
    const before = down.size === 2 ? span() : null;
    down.set(event.pointerId, now);
    travelled += Math.hypot(now.x - then.x, now.y - then.y);
    if (before) {
      const after = span();
      ringMoved({ x: ringCamera.x + after.x - before.x, y: ringCamera.y + after.y - before.y });
      return ringZoom(after.size / Math.max(before.size, 1), after.x, after.y);
    }
    if (travelled <= RING_CLICK) return undefined;
    ringMoved({ x: ringCamera.x + now.x - then.x, y: ringCamera.y + now.y - then.y });
    return ringDraw();
  });
  ringCanvas.addEventListener("pointerup", (event) => {
    const { x, y } = place(event);
    const clicked = down.size === 1 && travelled <= RING_CLICK;
    down.delete(event.pointerId);
    if (!clicked) return;
    const target = ringUnder(x, y);
    if (target) choose(target.kind, target.id);
    else change({ chosen: null, selection: null });
  });
  ringCanvas.addEventListener("pointercancel", (event) => down.delete(event.pointerId));
  ringCanvas.addEventListener("pointerleave", () => hover(null));
  const turn = (event) => {
    event.preventDefault();
    const { x, y } = place(event);
    ringZoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), x, y);
  };
  ringCanvas.addEventListener("wheel", turn, { passive: false });
}

// Round the circle, up to a parent, down to a child.
function ringStep(key) {
  const blocks = RING_BLOCKS.filter(ringBlockIsShown);
  if (!blocks.length) return null;
  const own = ringBlockOfTarget(state.chosen);
  if (!own) return ringTarget(blocks[0]);
  if (!RING.folded && key === "ArrowUp") return stepAlong(PARENT_EDGES[own.model], "from") ?? ringTarget(own);
  if (!RING.folded && key === "ArrowDown") return stepAlong(CHILD_EDGES[own.model], "to") ?? ringTarget(own);
  const way = key === "ArrowRight" || key === "ArrowDown" ? 1 : -1;
  return ringTarget(blocks[(blocks.indexOf(own) + way + blocks.length) % blocks.length]);
}

function boxesOfRing() {
  return RING_BLOCKS.filter(ringBlockIsShown).map(({ model, start, end }) => {
    const { x, y } = ringSpot(model);
    const corners = [start, (start + end) / 2, end].flatMap((angle) => RING_BANDS[2].map((band) => onRing(angle, band * ringCamera.radius)));
    const [xs, ys] = [corners.map(([one]) => one + ringCamera.x), corners.map(([, one]) => one + ringCamera.y)];
    return { name: MODELS[model].name, x, y, model: [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)] };
  });
}

views.ring = {
  title: "Ring",
  element: ringBox,
  mount() {
    ringBox.append(ringCanvas);
    ringFollowPointers();
    walkable(ringBox, "left and right round the circle, up to a parent, down to a child");
  },
  draw: ringDraw,
  open: ringFit,
  fit: ringFit,
  reveal: ringReveal,
  revealFold: (id) => ringBlockOfTarget({ kind: "fold", id }) && ringReveal(ringBlocks.get(id).model),
  zoom: (factor) => ringZoom(factor),
  step: ringStep,
  paint: (ctx) => ringPicture(ctx),
  legend: legendOfRing,
  boxes: boxesOfRing,
};
