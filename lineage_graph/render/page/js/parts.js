// What each parent of a merge or a splice gave: a coefficient, or blocks.
const valueOf = (edge, name) => evidenceOf(edge).find(([signal]) => DATA.signals[signal] === name)?.[1];

const isJoined = (edge) => edge.kind === "merge" || edge.kind === "splice";

// As short as the drawing needs it: "0.56", "3 blocks"; empty for an edge from an only parent.
function partOf(edge) {
  const coefficient = valueOf(edge, "merge.coefficient");
  if (coefficient !== undefined) return coefficient.toFixed(2);
  return edge.layers ? plural(edge.layers.length, "block") : "";
}

// With the spread of a coefficient over the layers: "0.564 ± 0.002".
function shareOf(edge) {
  const [coefficient, spread] = ["merge.coefficient", "merge.uncertainty"].map((name) => valueOf(edge, name));
  if (coefficient === undefined) return partOf(edge);
  return spread === undefined ? coefficient.toFixed(3) : `${coefficient.toFixed(3)} ± ${spread.toFixed(3)}`;
}

// The largest part first.
function byPart(edges) {
  const part = (edge) => valueOf(edge, "merge.coefficient") ?? edge.layers?.length ?? 0;
  return [...edges].sort((a, b) => part(b) - part(a));
}

// The model's blocks in the order of its network, those from the edge's parent coloured.
function blockStrip(edge) {
  const names = (DATA.origins[edge.to] ?? []).map(([block]) => block);
  const given = new Set(edge.layers);
  if (!edge.layers.every((name) => names.includes(name))) return null;
  const cells = names.map((name) => {
    const cell = swatch(given.has(name) ? { hue: "var(--accent)" } : null);
    cell.title = name;
    return cell;
  });
  const said = `${given.size} of ${plural(names.length, "block")}`;
  return element("div", { class: "strip", role: "img", "aria-label": said }, ...cells);
}

// The edge's own part, then those of the other parents.
function partsOf(edge) {
  if (!isJoined(edge)) return [];
  const others = byPart(PARENT_EDGES[edge.to].filter((other) => other.kind === edge.kind && other !== edge));
  const row = (one) =>
    element("li", { class: one === edge ? "own" : null }, nameButton(one.from), element("span", { class: "tag" }, shareOf(one)));
  const title = edge.kind === "merge" ? "Coefficients of the merge" : "Parts of the splice";
  const blocks = edge.layers ? [section("Blocks from this parent", blockStrip(edge), namesOf(edge.layers))] : [];
  return [...blocks, section(title, capped([edge, ...others], row))];
}

// Beside the edges of the model or the edge that is looked at, what they gave.
const PART_SIZE = 11; // pixels on the screen

function paintParts(ctx, scale) {
  const target = state.hovered ?? state.chosen;
  if (!target || target.kind === "fold") return;
  const edges = target.kind === "edge" ? [EDGES[target.id]] : PARENT_EDGES[target.id];
  const size = PART_SIZE / scale;
  ctx.font = `600 ${size}px ${theme.font}`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  for (const edge of edges.filter(isJoined)) {
    const text = partOf(edge);
    if (!text || !isShown("edges", edge.id) || !isPlaced(edge.to)) continue;
    const [x, y] = pointOf(wayOf(edge)[0], 0.35);
    const width = ctx.measureText(text).width + size * 0.6;
    ctx.globalAlpha = 0.9;
    ctx.fillStyle = theme.surface;
    ctx.fillRect(x - width / 2, y - size * 0.65, width, size * 1.3);
    ctx.globalAlpha = 1;
    ctx.fillStyle = theme.ink;
    ctx.fillText(text, x, y);
  }
}
