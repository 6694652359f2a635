// The legend shows what occurs in this graph, painted by the same hand. It is a list of groups of keys, which stand on the
// page and beside a picture that is saved.
const KEY = { width: 28, height: 24 };

// `paint` paints into a field of KEY's size.
const key = (text, paint) => ({ text, paint });
const group = (title, keys) => (keys.length ? [{ title, keys }] : []);

function keyElement({ text, paint }) {
  const canvas = element("canvas", { width: KEY.width * 2, height: KEY.height * 2, "aria-hidden": "true" });
  const ctx = canvas.getContext("2d");
  ctx.scale(2, 2);
  paint(ctx);
  return element("li", {}, canvas, element("bdi", {}, text));
}

const groupElement = ({ title, keys }) =>
  element("div", {}, element("h2", {}, title), element("ul", {}, ...keys.map(keyElement)));

function modelKey(text, shape, colour, mark = "") {
  return key(text, (ctx) => {
    ctx.translate(KEY.width / 2, KEY.height / 2);
    ctx.scale(0.8, 0.8);
    paintShape(ctx, shape, colour, 0, 0);
    if (mark) paintMark(ctx, mark, inkOn(colour), 0, 0);
  });
}

function edgeKey(text, { kind = null, width = 2, dash = [], open = false }) {
  return key(text, (ctx) => {
    ctx.strokeStyle = ctx.fillStyle = theme.edge;
    ctx.translate(0, KEY.height / 2);
    if (open) paintDoubt(ctx, KEY.width / 2 - GLYPH, 2);
    ctx.rotate(-Math.PI / 2); // what points down points to the right
    ctx.lineWidth = width;
    ctx.setLineDash(dash);
    ctx.beginPath();
    ctx.moveTo(0, 1);
    ctx.lineTo(0, KEY.width - (kind ? GLYPH : 1));
    ctx.stroke();
    if (kind) paintHead(ctx, kind, 0, KEY.width - 1);
  });
}

function modelKeys() {
  const shapes = new Set(MODELS.map(shapeOf));
  const names = {
    root: "root",
    child: "descendant",
    merge: "several parents",
    unseen: "unseen ancestor",
    isolated: "without relatives",
    failed: "could not be read",
  };
  const colour = state.colour === "family" ? HUES[0] : theme.neutral;
  return Object.keys(names)
    .filter((shape) => shapes.has(shape))
    .map((shape) => modelKey(names[shape], shape, shape === "isolated" ? theme.neutral : colour));
}

function colourKeys() {
  return COLOURINGS[state.colour].entries().map(([text, colour, mark]) => modelKey(text, "child", colour ?? theme.neutral, mark));
}

function cardKeys() {
  if (!FOLDS.length) return [];
  const paint = (ctx) => {
    ctx.fillStyle = HUES[0];
    [8, 18, 12].forEach((width, row) => ctx.fillRect((KEY.width - width) / 2, 4 + row * 6, width, 4.5));
  };
  return [key("a row for each generation", paint)];
}

function legendOfTree() {
  const kinds = Object.keys(HEADS).filter((kind) => EDGES.some((edge) => edge.kind === kind));
  const others = [...new Set(EDGES.map((edge) => edge.kind))].filter((kind) => !(kind in HEADS)).slice(0, 3);
  const edges = [...kinds, ...others].map((kind) => edgeKey(kind, { kind }));
  const certainty = EDGES.length ? [edgeKey("50 %", { width: 1 }), edgeKey("100 %", { width: 2.4 })] : [];
  const dashes = EDGES.map((edge) => edgeDash(edge)[0]);
  if (dashes.includes(2.5)) certainty.push(edgeKey("direction < 75 %", { dash: [2.5, 4] }));
  if (EDGES.some(isOpen)) certainty.push(edgeKey("direction open", { dash: [2.5, 4], open: true }));
  if (dashes.includes(8)) certainty.push(edgeKey("unseen ancestor", { dash: [8, 5] }));
  const models = state.colour === "family" ? "Models by family" : "Models";
  return [...group("Folded", cardKeys()), ...group(models, modelKeys()), ...group("Edges", edges), ...group("Certainty", certainty)];
}

const legend = () => view().paint === null ? [] : [...group(COLOURINGS[state.colour].title, colourKeys()), ...view().legend()];

function paintLegend() {
  byId("legend").querySelector(".keys").replaceChildren(...legend().map(groupElement));
  byId("legend").hidden = !legend().length;
}

onChange((before) => {
  if (before.colour !== state.colour || before.view !== state.view) paintLegend();
});
