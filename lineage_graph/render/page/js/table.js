// The graph as two tables, of models and of edges: what the pictures show, for those who read or hear rather than see.
const PAGE = 50; // rows on the screen
const SHEETS = 5000; // rows on paper, at most
let rowsOfPage = PAGE;
const tableRoot = byId("table");
const table = { what: "models", sort: { models: ["Model", 1], edges: ["Parent", 1] }, page: 0 };

// By table, the columns: title, the value that is sorted by, and how it is shown where that is not the value itself.
const modelCell = (id) => nameButton(id);
const COLUMNS = {
  models: [
    { title: "Model", value: (m) => m.name, show: (m) => modelCell(m.id) },
    { title: "Family", value: (m) => (isAlone(m) ? null : m.family) },
    { title: "Generation", value: (m) => (isAlone(m) ? null : m.generation) },
    { title: "Role", value: (m) => (isFailed(m) ? m.status : isUnseen(m) ? "unseen ancestor" : m.role) },
    { title: "Parents", value: (m) => PARENT_EDGES[m.id].length },
    { title: "Children", value: (m) => CHILD_EDGES[m.id].length },
    { title: "Architecture", value: (m) => m.architecture ?? null },
    { title: "Parameters", value: (m) => m.parameters || null, show: (m) => (m.parameters ? compact.format(m.parameters) : "") },
    { title: "Licence", value: (m) => m.license ?? null },
    { title: "Audit", value: (m) => m.audit ?? null },
  ],
  edges: [
    { title: "Parent", value: (e) => MODELS[e.from].name, show: (e) => modelCell(e.from) },
    { title: "Child", value: (e) => MODELS[e.to].name, show: (e) => modelCell(e.to) },
    { title: "Kind", value: (e) => e.kind, show: (e) => kindButton(e) },
    { title: "Confidence", value: (e) => e.confidence, show: (e) => percent(e.confidence) },
    { title: "Direction", value: (e) => e.direction_confidence, show: (e) => percent(e.direction_confidence) + (isOpen(e) ? ", open" : "") },
    { title: "Distance", value: (e) => e.distance, show: (e) => rounded(e.distance) },
    { title: "Declared", value: (e) => e.declared },
  ],
};
const kindButton = (edge) =>
  element("button", { type: "button", class: "link", onclick: () => choose("edge", edge.id), "aria-label": `${edge.kind}: show the evidence` }, edge.kind);

// A column that is empty throughout is left out.
const columnsOf = (what) => {
  const all = what === "models" ? MODELS : EDGES;
  return COLUMNS[what].filter(({ value }) => all.some((one) => (value(one) ?? "") !== ""));
};

const collator = new Intl.Collator("en", { numeric: true });
function compare(a, b) {
  if (a === null || b === null) return (a === null) - (b === null);
  return typeof a === "number" && typeof b === "number" ? a - b : collator.compare(String(a), String(b));
}

// A whole table in the order that it is looked at, kept: filters come and go, and many names take long to compare.
const orders = new Map();
function orderOf(what) {
  const [title, way] = table.sort[what];
  const name = `${what} ${title} ${way}`;
  if (!orders.has(name)) {
    const { value } = COLUMNS[what].find((column) => column.title === title);
    const valued = (what === "models" ? MODELS : EDGES).map((one) => [value(one), one]);
    valued.sort(([a, first], [b, second]) => (a === null || b === null ? compare(a, b) : way * compare(a, b)) || first.id - second.id);
    orders.set(name, valued.map(([, one]) => one));
  }
  return orders.get(name);
}

// What passes the filters and, while somebody searches, is found.
function rowsOf(what) {
  const found = state.found;
  const isFound = (one) => !found.size || (what === "models" ? found.has(one.id) : found.has(one.from) || found.has(one.to));
  return orderOf(what).filter((one) => isShown(what, one.id) && isFound(one));
}

function headCell({ title, value }) {
  const number = (table.what === "models" ? MODELS : EDGES).some((one) => typeof value(one) === "number");
  const [sorted, way] = table.sort[table.what];
  const turn = () => {
    table.sort[table.what] = [title, sorted === title ? -way : 1];
    table.page = 0;
    drawTable(title);
  };
  const sign = sorted === title ? (way > 0 ? " ↑" : " ↓") : "";
  const order = sorted === title ? (way > 0 ? "ascending" : "descending") : null;
  const button = element("button", { type: "button", class: "sort", onclick: turn }, title, element("span", { "aria-hidden": "true" }, sign));
  return element("th", { scope: "col", "aria-sort": order, class: number ? "number" : null }, button);
}

function rowElement(one, columns) {
  const kind = table.what === "models" ? "model" : "edge";
  const isChosen = same(state.chosen, { kind, id: one.id });
  const cells = columns.map((column, index) => {
    const shown = column.show ? column.show(one) : String(column.value(one) ?? "");
    const number = typeof column.value(one) === "number";
    const content = typeof shown === "string" ? element("bdi", {}, shown) : shown;
    if (typeof shown !== "string") content.dataset.cell = `${one.id} ${index}`;
    return element(index ? "td" : "th", { scope: index ? null : "row", class: number ? "number" : null }, content);
  });
  const dimmed = !isLit(table.what, one.id);
  return element("tr", { class: [isChosen ? "chosen" : "", dimmed ? "dim" : ""].join(" ").trim() || null, "aria-current": isChosen ? "true" : null }, ...cells);
}

function pager(number) {
  const pages = Math.max(1, Math.ceil(number / rowsOfPage));
  const turn = (by) => () => {
    table.page += by;
    drawTable(null);
    tableRoot.scrollTop = 0;
  };
  const button = (text, by) =>
    element("button", { type: "button", class: "button", onclick: turn(by), disabled: table.page + by < 0 || table.page + by >= pages }, text);
  const [first, last] = [Math.min(number, table.page * rowsOfPage + 1), Math.min(number, (table.page + 1) * rowsOfPage)];
  const said = number ? `${whole.format(first)}–${whole.format(last)} of ${whole.format(number)}` : "none";
  return element("nav", { class: "pager", "aria-label": "Pages of the table" }, button("Previous", -1), element("span", {}, said), button("Next", 1));
}

function switchTo(what) {
  table.what = what;
  table.page = 0;
  drawTable(null);
}

// What had the focus has it again: `focus`, the column of a heading, or the same button of a row.
function drawTable(focus) {
  const cell = tableRoot.contains(document.activeElement) ? document.activeElement.dataset.cell : undefined;
  const rows = rowsOf(table.what);
  table.page = Math.min(table.page, Math.max(0, Math.ceil(rows.length / rowsOfPage) - 1));
  const columns = columnsOf(table.what);
  const which = ["models", "edges"].map((what) =>
    element("button", { type: "button", "aria-pressed": String(what === table.what), onclick: () => switchTo(what) }, what === "models" ? "Models" : "Edges"),
  );
  const head = element("thead", {}, element("tr", {}, ...columns.map(headCell)));
  const start = table.page * rowsOfPage;
  const body = element("tbody", {}, ...rows.slice(start, start + rowsOfPage).map((one) => rowElement(one, columns)));
  const caption = element("caption", { class: "unseen" }, table.what === "models" ? "Models of this graph" : "Edges of this graph");
  tableRoot.replaceChildren(
    element("div", { class: "tablebar" }, element("div", { class: "segments", role: "group", "aria-label": "Rows" }, ...which), pager(rows.length)),
    element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table" }, element("table", { class: "rows" }, caption, head, body)),
  );
  if (cell) tableRoot.querySelector(`[data-cell="${cell}"]`)?.focus();
  if (focus) [...tableRoot.querySelectorAll(".sort")].find((button) => button.firstChild.data === focus)?.focus();
}

function showRow(id) {
  const place = table.what === "models" ? rowsOf("models").findIndex((model) => model.id === id) : -1;
  if (place < 0) return;
  table.page = Math.floor(place / rowsOfPage);
  drawTable(null);
  tableRoot.querySelector(".chosen")?.scrollIntoView({ block: "nearest" });
}

for (const [event, rows] of [["beforeprint", SHEETS], ["afterprint", PAGE]]) {
  window.addEventListener(event, () => {
    rowsOfPage = rows;
    if (state.view === "table") drawTable(null);
  });
}

let drawnTable = "";
views.table = {
  title: "Table",
  element: tableRoot,
  mount() {},
  // Hovering changes nothing here, and a table that is made anew loses its focus.
  draw() {
    const now = [addressOf(), ...state.found].join();
    if (now === drawnTable) return;
    drawnTable = now;
    drawTable(null);
  },
  open: () => drawTable(null),
  fit: null,
  reveal: showRow,
  revealFold() {},
  zoom() {},
  step: () => null,
  paint: null,
  legend: () => [],
  boxes: () => [],
};
