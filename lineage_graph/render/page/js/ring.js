// The ring's geometry, as Python computed it: angles in radians clockwise from the top, lengths in radii of the ring.
const RING = DATA.ring;
const RING_BANDS = [[0.95, 1], [0.875, 0.94], [0.8, 0.865]]; // generations, roots, models: inner and outer radius
const RING_REACH = 0.795; // where the curves end
const RING_GAPS = ["parent", "grandparent", "great-grandparent"];

const RING_BLOCKS = RING.blocks.map(([start, end, model, count]) => ({ start, end, middle: (start + end) / 2, model, count }));

// A block is a model, or a family where they are folded.
const ringFold = (block) => FOLD_BY_ID.get(FOLD_OF[block.model]);
const ringTarget = (block) => (RING.folded ? { kind: "fold", id: FOLD_OF[block.model] } : { kind: "model", id: block.model });
const ringBlocks = new Map(RING_BLOCKS.map((block) => [ringTarget(block).id, block]));
const ringBlockOf = (id) => ringBlocks.get(RING.folded ? FOLD_OF[id] : id);
const ringBlockIsShown = (block) => (RING.folded ? shownIn(ringFold(block)) > 0 : isShown("models", block.model));
const ringBlockIsLit = (block) => (RING.folded ? litIn(ringFold(block)) > 0 : isLit("models", block.model));

// The block of what is chosen or under the pointer; of an edge there is none.
function ringBlockOfTarget(target) {
  if (target === null || target.kind === "edge") return undefined;
  return target.kind === "model" ? ringBlockOf(target.id) : RING.folded ? ringBlocks.get(target.id) : undefined;
}

const onRing = (angle, radius) => [radius * Math.sin(angle), -radius * Math.cos(angle)];
const ringMix = (a, b, share) => [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share];

// A uniform cubic B-spline of the control points, drawn towards the straight line between its ends, as Béziers: the start,
// then two control points and an end for each. Holten, "Hierarchical Edge Bundles", IEEE TVCG 2006.
function ringSpline(points) {
  const last = points.length - 1;
  const drawn = points.map((point, index) => ringMix(ringMix(points[0], points[last], index / last), point, RING.tension));
  const knots = [drawn[0], drawn[0], ...drawn, drawn[last], drawn[last]];
  const way = [drawn[0]];
  for (let index = 0; index < knots.length - 3; index += 1) {
    const [, a, b, after] = knots.slice(index, index + 4);
    const outer = ringMix(a, b, 2 / 3);
    way.push(ringMix(a, b, 1 / 3), outer, ringMix(outer, ringMix(b, after, 1 / 3), 1 / 2));
  }
  return way;
}

function ringWay(from, to, route) {
  const ends = [from, to].map((id) => onRing(ringBlockOf(id).middle, 1));
  const through = RING.routes[route].map((hub) => RING.hubs[hub]);
  return ringSpline([ends[0], ...through, ends[1]]).map(([x, y]) => [x * RING_REACH, y * RING_REACH]);
}

// Made when the ring is first looked at. `edge`: the one that a curve from a parent stands for.
let ringMade = null;
const ringCurves = () => (ringMade ??= ringMakeCurves());

function ringMakeCurves() {
  const edges = new Map(EDGES.map((edge) => [`${edge.from},${edge.to}`, edge.id]));
  const curves = RING.curves.map(([from, to, gap, inferred, route]) => ({
    from,
    to,
    gap,
    inferred: inferred === 1,
    way: ringWay(from, to, route),
    edge: gap === 1 ? edges.get(`${from},${to}`) : null,
  }));
  return curves.sort((a, b) => b.gap - a.gap); // parents come to lie on top
}

// How many blocks have their middle before an angle.
function ringBlocksBefore(angle) {
  let [low, high] = [0, RING_BLOCKS.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (RING_BLOCKS[middle].middle < angle) low = middle + 1;
    else high = middle;
  }
  return low;
}

// The block at an angle, or null in a gap.
function ringBlockAt(angle) {
  const next = ringBlocksBefore(angle);
  const holds = (block) => block !== undefined && block.start <= angle && angle < block.end;
  return [RING_BLOCKS[next - 1], RING_BLOCKS[next]].find(holds) ?? null;
}

// The curve from a parent that passes nearest to a point, at most `tolerance` away, as the number of its edge; or null.
function ringEdgeNear(x, y, tolerance) {
  let [nearest, least] = [null, tolerance];
  for (const curve of ringCurves()) {
    if (curve.edge === null || !ringIsShown(curve)) continue;
    for (let at = 0; at + 3 < curve.way.length; at += 3) {
      const [a, b, c, d] = curve.way.slice(at, at + 4);
      for (let step = 0; step <= 8; step += 1) {
        const [px, py] = pointOf([...a, ...b, ...c, ...d], step / 8);
        const distance = Math.hypot(px - x, py - y);
        if (distance < least) [nearest, least] = [curve.edge, distance];
      }
    }
  }
  return nearest;
}

// Pairs whose way down is left by the filters: from each model up to three edges further, by the edges that are shown.
let ringPairs = { shown: null, kept: null };
function ringIsShown({ from, to, gap }) {
  if (shown === null) return true;
  if (ringPairs.shown !== shown) {
    const kept = new Set();
    for (const model of MODELS) {
      let level = [model.id];
      for (let up = 1; up <= RING_GAPS.length; up += 1) {
        level = level.flatMap((id) => PARENT_EDGES[id].filter((edge) => isShown("edges", edge.id)).map((edge) => edge.from));
        for (const id of level) kept.add(`${id},${model.id},${up}`);
      }
    }
    ringPairs = { shown, kept };
  }
  return ringPairs.kept.has(`${from},${to},${gap}`);
}
