// The way of an edge: cubic Béziers [x, y, control, control, x, y] that join, from under the parent's name to the child's
// outline. Most edges are one swing, which leaves and arrives vertically; others take the lanes that the layout found.
const CORNER = 6;

const swing = (x1, y1, x2, y2) => [x1, y1, x1, (y1 + y2) / 2, x2, (y1 + y2) / 2, x2, y2];
const corner = (x1, y1, x, y, x2, y2) => [x1, y1, x, y, x, y, x2, y2];

const tipOf = (edge) => at(edge.to)[1] - reachOf(MODELS[edge.to]) - 2.5;

// `short`: how far before the tip the way ends.
function wayOf(edge, short = 0) {
  const [lanes, branch] = layout.routes[edge.id] ?? [[], null];
  const end = tipOf(edge) - short;
  let [x, y] = at(edge.from);
  y = Math.min(y + footOf(MODELS[edge.from]), lanes.length ? lanes[0][1] : end);
  const way = [];
  const reach = (nextX, nextY) => {
    way.push(swing(x, y, nextX, nextY));
    [x, y] = [nextX, nextY];
  };
  lanes.forEach(([laneX, top, bottom], index) => {
    reach(laneX, top);
    if (index < lanes.length - 1 || branch === null) reach(laneX, bottom);
  });
  const child = at(edge.to)[0];
  if (branch === null) reach(child, end);
  else way.push(...turn(x, y, branch, child, end));
  return way;
}

// Down a trunk, along a branch and down to the child, around two corners.
function turn(x, y, branch, child, end) {
  const radius = Math.min(CORNER, Math.abs(child - x) / 2);
  const side = Math.sign(child - x) * radius;
  return [
    swing(x, y, x, branch - radius),
    corner(x, branch - radius, x, branch, x + side, branch),
    swing(x + side, branch, child - side, branch),
    corner(child - side, branch, child, branch, child, branch + radius),
    swing(child, branch + radius, child, end),
  ];
}

// A point of a Bézier, `t` from 0 to 1.
function pointOf([x1, y1, ax, ay, bx, by, x2, y2], t) {
  const [a, b, c, d] = [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t ** 3];
  return [a * x1 + b * ax + c * bx + d * x2, a * y1 + b * ay + c * by + d * y2];
}

const STEPS = [...Array(33).keys()];
const pointsOf = (part) => STEPS.map((step) => pointOf(part, step / 32));

function paintEdge(ctx, edge, scale) {
  const headed = scale > 0.3;
  const way = wayOf(edge, headed ? GLYPH - 1 : 0);
  ctx.lineWidth = Math.max(edgeWidth(edge), 0.7 / scale);
  ctx.setLineDash(edgeDash(edge));
  ctx.beginPath();
  ctx.moveTo(way[0][0], way[0][1]);
  for (const [, , ...rest] of way) ctx.bezierCurveTo(...rest);
  ctx.stroke();
  if (!headed) return;
  paintHead(ctx, edge.kind, at(edge.to)[0], tipOf(edge));
  if (isOpen(edge)) paintDoubt(ctx, at(edge.to)[0], tipOf(edge));
}

// The edge that passes nearest to a point, if it is at most `tolerance` away. Where edges share a trunk, that is the
// first of them.
function edgeNear(x, y, tolerance) {
  let [nearest, least] = [null, tolerance];
  for (const edge of layout.edges) {
    if (!isShown("edges", edge.id)) continue;
    if (y < at(edge.from)[1] - least || y > at(edge.to)[1] + least) continue;
    for (const part of wayOf(edge)) {
      const [x1, y1, , , , , x2, y2] = part;
      if (y < y1 - least || y > y2 + least || x < Math.min(x1, x2) - least || x > Math.max(x1, x2) + least) continue;
      for (let step = 0; step <= 32; step += 1) {
        const [px, py] = pointOf(part, step / 32);
        const distance = Math.hypot(px - x, py - y);
        if (distance < least) [nearest, least] = [edge.id, distance];
      }
    }
  }
  return nearest;
}
