// Where the blocks of a model come from: a strip with one cell for each block, in the order of the network.
const NOWHERE = -1;

// [origin, number of blocks] from the most frequent one on; what comes from no model of the zoo is last.
function originCounts(blocks) {
  const counts = new Map();
  for (const [, origin] of blocks) counts.set(origin, (counts.get(origin) ?? 0) + 1);
  const rank = ([origin, number]) => (origin === NOWHERE ? Infinity : -number);
  return [...counts].sort((a, b) => rank(a) - rank(b) || a[0] - b[0]);
}

// The most frequent origins have a hue each, the next ones the same hues striped; all others share the neutral colour.
function originLooks(counts) {
  const models = counts.map(([origin]) => origin).filter((origin) => origin !== NOWHERE);
  const hues = HUES.length;
  const look = (index) => (index < 2 * hues ? { hue: HUES[index % hues], striped: index >= hues } : { hue: "var(--neutral)" });
  return new Map(models.map((origin, index) => [origin, look(index)]));
}

function swatch(look) {
  const kind = !look ? "swatch none" : look.striped ? "swatch striped" : "swatch";
  const made = element("i", { class: kind, "aria-hidden": "true" });
  if (look) made.style.backgroundColor = look.hue;
  return made;
}

const BLENDED = "Every block of a merge is a blend; named is the model of the zoo that it is nearest to.";

const originName = (origin) => (origin === NOWHERE ? "no model of this zoo" : MODELS[origin].name);

function blockCell([block, origin, there, probability], look) {
  const place = there && there !== block ? `, ${there}` : "";
  const cell = swatch(look);
  cell.title = `${block}: ${originName(origin)}${place} (${percent(probability)})`;
  return cell;
}

function originKey([origin, number], look, total) {
  const name = origin === NOWHERE ? element("span", {}, "No model of this zoo") : nameButton(origin);
  return element("li", {}, swatch(look), name, element("span", { class: "note" }, `${number} of ${total}`));
}

function blockRow([block, origin, there, probability, cosine]) {
  const from = element("td", {}, origin === NOWHERE ? "none" : nameButton(origin));
  if (there && there !== block) from.append(element("div", { class: "note" }, element("bdi", {}, there)));
  const sure = element("td", {}, percent(probability));
  const near = element("td", {}, origin === NOWHERE ? "" : rounded(cosine));
  return element("tr", {}, element("th", { scope: "row" }, element("bdi", {}, block)), from, sure, near);
}

function blockTable(blocks) {
  const titles = ["Block", "From", "Sure", "Cosine"].map((title) => element("th", { scope: "col" }, title));
  return element(
    "details",
    {},
    element("summary", {}, "Block by block"),
    element(
      "table",
      { class: "blocks" },
      element("thead", {}, element("tr", {}, ...titles)),
      element("tbody", {}, ...blocks.map(blockRow)),
    ),
  );
}

function originsOf(model) {
  const blocks = DATA.origins[model.id] ?? [];
  if (blocks.every(([, origin]) => origin === NOWHERE)) return [];
  const counts = originCounts(blocks);
  const looks = originLooks(counts);
  const said = counts.map(([origin, number]) => `${number} from ${originName(origin)}`).join(", ");
  const cells = blocks.map((block) => blockCell(block, looks.get(block[1])));
  return [
    section(
      "Origin of the blocks",
      PARENT_EDGES[model.id].some((edge) => edge.kind === "merge") ? element("p", { class: "note" }, BLENDED) : "",
      element("div", { class: "strip", role: "img", "aria-label": `${plural(blocks.length, "block")}: ${said}` }, ...cells),
      element("ul", { class: "origins" }, ...counts.slice(0, MOST).map((one) => originKey(one, looks.get(one[0]), blocks.length))),
      blockTable(blocks),
    ),
  ];
}

// A list of names as running text.
function namesOf(names) {
  const parts = names.flatMap((name, index) => [index ? ", " : "", element("bdi", {}, name)]);
  return element("p", { class: "long", tabindex: names.length > MOST ? "0" : null }, ...parts);
}
