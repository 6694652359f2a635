// What the panel says of an edge: how sure it is, what speaks for its direction and against it, every signal.
const CUE = "direction.";

function meter(name, share, floor) {
  const bar = element("i");
  bar.style.width = `${Math.max(0, Math.min(1, (share - floor) / (1 - floor))) * 100}%`;
  return element(
    "div",
    { class: "meter" },
    element("span", {}, name),
    element("b", {}, percent(share)),
    element("div", { class: "bar", "aria-hidden": "true" }, bar),
  );
}

// One row of evidence. The bar is full at `most`; where the sign counts, 0 is in the middle.
function signal([name, value, meaning], most, signed) {
  const row = element("tr", {}, element("th", { scope: "row" }, explained(name, meaning)), element("td", {}, rounded(value)));
  if (typeof value !== "number" || Math.abs(value) > most || (value < 0 && !signed)) return row.append(element("td")), row;
  const bar = element("i", { class: value < 0 ? "minus" : "plus" });
  bar.style.width = `${(Math.abs(value) / most) * (signed ? 50 : 100)}%`;
  row.append(element("td", { "aria-hidden": "true" }, element("div", { class: signed ? "bar centred" : "bar" }, bar)));
  return row;
}

// A name with what it means, shown to whoever points at it or comes to it with the keyboard.
function explained(name, meaning) {
  if (!meaning) return element("bdi", {}, name);
  const tip = element("span", { role: "tooltip", id: `tip-${(tips += 1)}` }, meaning);
  return element("span", { class: "tip", tabindex: "0", "aria-describedby": tip.id }, element("bdi", {}, name), tip);
}
let tips = 0;

const signals = (entries, most, isSigned) =>
  element("table", {}, element("tbody", {}, ...entries.map((entry) => signal(entry, most, isSigned(entry[0])))));

// Cues with their log-odds, the strongest first: those for the direction that is drawn, then those against it.
function cuesOf(edge, cues) {
  if (!cues.length) return [];
  const strength = ([, value]) => (Number.isFinite(value) ? Math.abs(value) : 0);
  const sorted = [...cues].sort((a, b) => strength(b) - strength(a));
  const most = Math.max(1, ...cues.map(strength));
  const list = (chosen) => signals(chosen, most, () => true);
  const group = (title, chosen) => (chosen.length ? [element("h4", {}, title), list(chosen)] : []);
  return [
    section(
      "Direction cues",
      element("p", { class: "note" }, isJoined(edge) ? JOINED : "In log-odds; they are pooled over the whole family."),
      ...group("For this direction", sorted.filter(([, value]) => !(value < 0))),
      ...group("Against it", sorted.filter(([, value]) => value < 0)),
    ),
  ];
}

const JOINED = "In log-odds. They took no part here: what its parents gave says which model is the child.";

// What a reader should know before all numbers.
function warningsOf(edge) {
  const box = (title, text) => element("div", { class: "warning" }, element("strong", {}, title), element("p", {}, element("bdi", {}, text)));
  const told = edge.why?.includes(edge.conflict ?? "\n");
  return [
    edge.why ? box("Direction open", `Either of the two may be the parent: ${edge.why}.`) : null,
    edge.conflict && !told ? box("Cues contradict", edge.conflict) : null,
  ];
}

// Where in the network the two lie apart, as columns in the order of the network; the largest fills the height.
function apartOf(edge) {
  if (!DATA.apart[edge.id]) return [];
  const [place, values] = DATA.apart[edge.id];
  const names = DATA.networks[place];
  const most = Math.max(...values);
  const columns = values.map((value, index) => {
    const column = element("i", { title: `${names[index]}: ${rounded(value)}` });
    column.style.height = `${most > 0 ? Math.max((value / most) * 100, 2) : 2}%`;
    return column;
  });
  const farthest = names[values.indexOf(most)];
  const said = most > 0 ? `${plural(values.length, "block")}; farthest apart: ${farthest}, ${rounded(most)}` : "equal in every block";
  const rows = values.map((value, index) => signal([names[index], value, ""], most || 1, false));
  return [
    section(
      "Distance by block",
      element("div", { class: "columns", role: "img", "aria-label": said }, ...columns),
      element("p", { class: "note" }, element("bdi", {}, said)),
      element("details", {}, element("summary", {}, "Block by block"), element("table", {}, element("tbody", {}, ...rows))),
    ),
  ];
}

const LEFT_OUT = "In so large a zoo this page leaves it out. It is in lineage.json, and lgraph explain PARENT CHILD --in DIR shows it.";

function edgeContent(edge) {
  const entries = evidenceOf(edge).map(([signal, value]) => [DATA.signals[signal], value, DATA.meanings[signal]]);
  const cues = entries.filter(([name]) => name.startsWith(CUE)).map(([name, ...rest]) => [name.slice(CUE.length), ...rest]);
  const others = entries.filter(([name]) => !name.startsWith(CUE));
  const declared = { confirmed: "confirmed", contradicted: "contradicted" }[edge.declared] ?? "nobody declared it";
  return [
    section("Ends", element("ul", { class: "plain ends" }, endOf("Parent", edge.from), endOf("Child", edge.to))),
    section("Certainty", meter("Related as drawn", edge.confidence, 0), meter("Direction", edge.direction_confidence, 0.5)),
    ...warningsOf(edge),
    section("Facts", definitions([["Kind", edge.kind], ["Distance", rounded(edge.distance)], ["Declaration", declared]])),
    ...partsOf(edge),
    ...cuesOf(edge, cues),
    ...apartOf(edge),
    others.length ? section("Evidence", signals(others, 1, isSigned)) : null,
    DATA.evidence.values[edge.id] ? null : section("Evidence", element("p", { class: "note" }, LEFT_OUT)),
  ];
}

const endOf = (title, id) => element("li", {}, element("span", { class: "note" }, title), nameButton(id));
