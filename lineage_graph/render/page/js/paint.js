// How models and edges look; the drawing and the legend both paint with these.
const RADIUS = 9;
const GLYPH = 9;

function circle(ctx, x, y, radius) {
  ctx.beginPath();
  ctx.arc(x, y, radius, 0, 2 * Math.PI);
}

function polygon(ctx, ...points) {
  ctx.beginPath();
  points.forEach(([x, y], index) => (index ? ctx.lineTo(x, y) : ctx.moveTo(x, y)));
  ctx.closePath();
}

const SHAPES = {
  root(ctx, x, y) {
    ctx.lineWidth = 1.75;
    circle(ctx, x, y, RADIUS + 4.5);
    ctx.stroke();
    SHAPES.child(ctx, x, y);
  },
  child(ctx, x, y) {
    ctx.lineWidth = 1.5;
    circle(ctx, x, y, RADIUS);
    ctx.fill();
    ctx.stroke();
  },
  merge(ctx, x, y) {
    const r = RADIUS + 3;
    ctx.lineWidth = 1.5;
    polygon(ctx, [x, y - r], [x + r, y], [x, y + r], [x - r, y]);
    ctx.fill();
    ctx.stroke();
  },
  unseen(ctx, x, y) {
    ctx.fillStyle = theme.ground;
    ctx.lineWidth = 2;
    ctx.setLineDash([4, 3]);
    SHAPES.hollow(ctx, x, y);
    ctx.setLineDash([]);
  },
  hollow(ctx, x, y) {
    circle(ctx, x, y, RADIUS);
    ctx.fill();
    ctx.stroke();
  },
  isolated(ctx, x, y) {
    SHAPES.child(ctx, x, y);
  },
  failed(ctx, x, y) {
    const r = RADIUS - 1;
    ctx.strokeStyle = theme.danger;
    ctx.fillStyle = theme.ground;
    ctx.lineWidth = 2;
    polygon(ctx, [x - r, y - r], [x + r, y - r], [x + r, y + r], [x - r, y + r]);
    ctx.fill();
    ctx.stroke();
    for (const slope of [1, -1]) {
      ctx.beginPath();
      ctx.moveTo(x - 4, y - 4 * slope);
      ctx.lineTo(x + 4, y + 4 * slope);
      ctx.stroke();
    }
  },
};

const shapeOf = (model) => (isFailed(model) ? "failed" : model.role in SHAPES ? model.role : "child");
const reachOf = (model) => ({ root: RADIUS + 5, merge: RADIUS + 3 })[shapeOf(model)] ?? RADIUS;

function paintShape(ctx, shape, colour, x, y) {
  ctx.fillStyle = colour;
  ctx.strokeStyle = outline(colour);
  SHAPES[shape](ctx, x, y);
}

const isHollow = (model) => ["unseen", "failed"].includes(shapeOf(model));

function paintMark(ctx, mark, ink, x, y) {
  ctx.font = `700 ${mark.length > 1 ? 10 : 12}px ${theme.font}`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillStyle = ink;
  ctx.fillText(mark, x, y + 0.5);
}

function paintModel(ctx, model, x, y) {
  const colour = colourOf(model);
  paintShape(ctx, shapeOf(model), colour, x, y);
  const mark = markOf(model);
  if (mark) paintMark(ctx, mark, isHollow(model) ? theme.ink : inkOn(colour), x, y);
}

// Heads of arrows by kind of edge: (x, y) is the tip, the arrow points down.
const HEADS = {
  finetune(ctx, x, y, s) {
    polygon(ctx, [x, y], [x - s / 2, y - s], [x + s / 2, y - s]);
    ctx.fill();
  },
  snapshot(ctx, x, y, s) {
    ctx.beginPath();
    ctx.moveTo(x - s / 2, y - s * 0.7);
    ctx.lineTo(x, y);
    ctx.lineTo(x + s / 2, y - s * 0.7);
    ctx.moveTo(x, y);
    ctx.lineTo(x, y - s);
    ctx.stroke();
  },
  merge(ctx, x, y, s) {
    polygon(ctx, [x, y], [x - s / 2, y - s / 2], [x, y - s], [x + s / 2, y - s / 2]);
    ctx.fill();
  },
  splice(ctx, x, y, s) {
    ctx.fillRect(x - s * 0.42, y - s * 0.9, s * 0.84, s * 0.84);
  },
  adapter(ctx, x, y, s) {
    circle(ctx, x, y - s / 2, s * 0.44);
    ctx.fill();
  },
  quantize(ctx, x, y, s) {
    ctx.fillRect(x - s * 0.6, y - s * 0.4, s * 1.2, s * 0.3);
    ctx.fillRect(x - 0.75, y - s, 1.5, s * 0.7);
  },
  prune(ctx, x, y, s) {
    polygon(ctx, [x, y], [x - s / 2, y - s], [x + s / 2, y - s]);
    ctx.save();
    ctx.fillStyle = theme.ground;
    ctx.fill();
    ctx.restore();
    ctx.stroke();
  },
  duplicate(ctx, x, y, s) {
    ctx.fillRect(x - s * 0.6, y - s * 0.35, s * 1.2, s * 0.22);
    ctx.fillRect(x - s * 0.6, y - s * 0.85, s * 1.2, s * 0.22);
  },
};

function paintHead(ctx, kind, x, y) {
  ctx.setLineDash([]);
  ctx.lineWidth = 1.5;
  (HEADS[kind] ?? HEADS.finetune)(ctx, x, y, GLYPH);
}

// Beside the head of an edge of which nothing decides the direction.
function paintDoubt(ctx, x, y) {
  ctx.font = `700 ${GLYPH + 5}px ${theme.font}`;
  ctx.textAlign = "left";
  ctx.textBaseline = "bottom";
  ctx.fillText("?", x + GLYPH * 0.7, y + 3);
}

const edgeWidth = (edge) => 1 + 1.4 * Math.min(Math.max((edge.confidence - 0.5) / 0.5, 0), 1);

function edgeDash(edge) {
  if (isUnseen(MODELS[edge.from]) || isUnseen(MODELS[edge.to])) return [8, 5];
  return edge.direction_confidence < LOW_DIRECTION ? [2.5, 4] : [];
}
