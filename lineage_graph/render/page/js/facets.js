// The filters: by facet the values that occur, each with the number of models that choosing it would show.
const FACET_TITLES = {
  family: "Family",
  kind: "Kind of edge",
  architecture: "Architecture",
  license: "Licence",
  status: "Status",
};
const NO_VALUE = {
  family: "without a family",
  kind: "",
  architecture: "not known",
  license: NO_LICENSE,
  status: "",
};
const STATUS = { ok: "read", unseen: "unseen ancestor" };
const MOST_VALUES = 200; // of a facet, the most frequent ones
const filters = byId("filters");
const filterButton = byId("filter");

function valueName(facet, value) {
  if (value === "") return NO_VALUE[facet];
  return facet === "family" ? `Family ${value}` : facet === "status" ? (STATUS[value] ?? value) : value;
}

// [value, number of models] of a facet among the models that pass all other facets.
function facetCounts(facet) {
  const others = FACETS.filter((other) => other !== facet && state.filters[other].size);
  const counts = new Map();
  for (const model of MODELS) {
    if (!others.every((other) => passes(model, other))) continue;
    for (const value of VALUES[facet](model)) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return counts;
}

// The values that the facets list: families in their order, others the most frequent first.
const LISTS = Object.fromEntries(
  FACETS.map((facet) => {
    const counts = [...facetCounts(facet)];
    const byName = ([a], [b]) => (a === "") - (b === "") || (a < b ? -1 : 1);
    const byNumber = ([a], [b]) => (Number(a) || Infinity) - (Number(b) || Infinity);
    counts.sort(facet === "family" ? byNumber : (a, b) => b[1] - a[1] || byName(a, b));
    return [facet, counts.map(([value]) => value)];
  }),
);

function toggleFilter(facet, value, on) {
  const wanted = new Set(state.filters[facet]);
  if (on) wanted.add(value);
  else wanted.delete(value);
  change({ filters: { ...state.filters, [facet]: wanted } });
}

const clearFilters = () => change({ filters: noFilters(), least: 0 });

function facetBox(facet, value) {
  const box = element("input", { type: "checkbox", onchange: ({ target }) => toggleFilter(facet, value, target.checked) });
  const number = element("span", { class: "note" });
  return { facet, value, box, number, row: element("label", {}, box, element("bdi", {}, valueName(facet, value)), number) };
}

let facetBoxes = []; // of all facets, once the filters have been looked at

function buildFilters() {
  const groups = FACETS.filter((facet) => LISTS[facet].length > 1).map((facet) => {
    const own = LISTS[facet].slice(0, MOST_VALUES).map((value) => facetBox(facet, value));
    facetBoxes.push(...own);
    const rest = LISTS[facet].length - own.length;
    const more = rest > 0 ? element("p", { class: "note" }, `and ${whole.format(rest)} more`) : null;
    const values = element("div", { class: "values" }, ...own.map(({ row }) => row), more);
    return element("fieldset", {}, element("legend", {}, FACET_TITLES[facet]), values);
  });
  const close = element("button", { type: "button", class: "close", "aria-label": "Close", onclick: () => openFilters(false) }, "×");
  const clear = element("button", { type: "button", class: "button", id: "clear", onclick: clearFilters }, "Clear all");
  const head = element("header", {}, element("h2", {}, "Filters"), clear, close);
  const none = groups.length ? null : element("p", { class: "note" }, "All models of this zoo are alike in everything that can be filtered.");
  filters.append(head, element("p", { class: "note", id: "passing" }), ...groups, ...(none ? [none] : []));
}

function updateFilters() {
  const active = FACETS.reduce((sum, facet) => sum + state.filters[facet].size, 0);
  filterButton.textContent = active ? `Filters (${active})` : "Filters";
  const passing = shown === null ? MODELS.length : shown.models.size;
  const said = `${whole.format(passing)} of ${plural(MODELS.length, "model")} shown`;
  byId("empty").hidden = passing > 0;
  byId("empty").textContent = MODELS.length ? "No model passes the filters." : "This zoo holds no models.";
  if (filters.hidden) return said;
  byId("passing").textContent = said;
  const counts = Object.fromEntries(FACETS.map((facet) => [facet, facetCounts(facet)]));
  for (const { facet, value, box, number, row } of facetBoxes) {
    const found = counts[facet].get(value) ?? 0;
    box.checked = state.filters[facet].has(value);
    number.textContent = whole.format(found);
    row.classList.toggle("idle", !found && !box.checked);
  }
  return said;
}

function openFilters(isOpen) {
  if (isOpen && !facetBoxes.length) buildFilters();
  filters.hidden = !isOpen;
  filterButton.setAttribute("aria-expanded", String(isOpen));
  updateFilters();
  if (isOpen) (filters.querySelector("input") ?? filters.querySelector("button")).focus();
  else filterButton.focus();
}

filterButton.addEventListener("click", () => openFilters(filters.hidden));
onChange((before) => {
  if (before.filters === state.filters && before.least === state.least) return;
  const said = updateFilters();
  if (before.filters !== state.filters) say(said);
});
