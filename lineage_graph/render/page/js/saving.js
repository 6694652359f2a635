// The view as a picture: what is on the screen, with the legend below, as SVG, PNG and on paper.
const SHARP = 2; // pixels of a PNG for one of the screen
const LEGEND_FONT = 12;
const LEGEND_PAD = 16;

// Keys in lines of `width`: [{x, y, key} or {x, y, title}], and the height that they take.
function legendPlaces(width, ctx) {
  const places = [];
  let [x, y] = [LEGEND_PAD, LEGEND_PAD];
  const put = (what, text, weight, room) => {
    ctx.font = `${weight} ${LEGEND_FONT}px ${theme.font}`;
    const taken = ctx.measureText(text).width + room;
    if (x + taken > width - LEGEND_PAD && x > LEGEND_PAD) [x, y] = [LEGEND_PAD, y + KEY.height];
    places.push({ ...what, text, x, y });
    x += taken;
  };
  for (const { title, keys } of legend()) {
    put({}, title, 600, 10);
    for (const { text, paint } of keys) put({ paint }, text, 400, KEY.width + 18);
    x += 10;
  }
  return { places, height: places.length ? y + KEY.height + LEGEND_PAD : 0 };
}

function paintLegendInto(ctx, places) {
  for (const { text, paint, x, y } of places) {
    if (paint) {
      ctx.save();
      ctx.translate(x, y);
      paint(ctx);
      ctx.restore();
    }
    ctx.font = `${paint ? 400 : 600} ${LEGEND_FONT}px ${theme.font}`;
    ctx.textAlign = "left";
    ctx.textBaseline = "middle";
    ctx.fillStyle = paint ? theme.ink : theme.muted;
    ctx.fillText(text, x + (paint ? KEY.width + 4 : 0), y + KEY.height / 2);
  }
}

// The view and its legend into the context that `make` gives for a width and a height.
function paintPicture(make) {
  const { clientWidth: width, clientHeight: height } = view().element;
  const { places, height: below } = legendPlaces(width, measuring);
  const ctx = make(width, height + below);
  ctx.fillStyle = theme.ground;
  ctx.fillRect(0, 0, width, height + below);
  ctx.save();
  view().paint(ctx);
  ctx.restore();
  ctx.globalAlpha = 1;
  ctx.fillStyle = theme.ground; // what the view painted beyond its lower edge
  ctx.fillRect(0, height, width, below);
  ctx.save();
  ctx.translate(0, height);
  paintLegendInto(ctx, places);
  ctx.restore();
  return ctx;
}

function svgPicture() {
  const { root } = paintPicture((width, height) => new PictureContext(width, height));
  root.prepend(svgElement("title", {}, `${DATA.name}: model lineage`), svgElement("desc", {}, DATA.stats.join(", ")));
  root.setAttribute("role", "img");
  return root;
}

function pngPicture() {
  const make = (width, height) => {
    const canvas = element("canvas", { width: width * SHARP, height: height * SHARP });
    const ctx = canvas.getContext("2d");
    ctx.scale(SHARP, SHARP);
    return ctx;
  };
  return paintPicture(make).canvas;
}

const fileName = (ending) => `${DATA.name.replace(/[^\p{L}\p{N}._-]+/gu, "-").slice(0, 80) || "lineage"}-${state.view}.${ending}`;

function saveSvg() {
  save(new Blob([new XMLSerializer().serializeToString(svgPicture())], { type: "image/svg+xml" }), fileName("svg"));
  notice(`Saved ${fileName("svg")}`);
}

function savePng() {
  pngPicture().toBlob((blob) => {
    save(blob, fileName("png"));
    notice(`Saved ${fileName("png")}`);
  });
}

byId("svg").addEventListener("click", saveSvg);
byId("png").addEventListener("click", savePng);
function showSaving() {
  byId("svg").disabled = byId("png").disabled = view().paint === null;
}
onChange(showSaving);

// Paper is white, and takes the picture as vectors.
window.addEventListener("beforeprint", () => {
  if (view().paint === null) return;
  const { theme: before } = state;
  state.theme = "light";
  readTheme();
  byId("printed").replaceChildren(svgPicture());
  state.theme = before;
  readTheme();
});
window.addEventListener("afterprint", () => byId("printed").replaceChildren());
