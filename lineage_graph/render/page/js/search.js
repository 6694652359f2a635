// Search by name, with the first matches listed and all of them lit.
const LISTED = 8;
const input = byId("search");
const hits = byId("hits");
let active = 0;
let matches = [];

function find(query) {
  const wanted = query.trim().toLowerCase();
  if (!wanted) return [];
  const ranked = MODELS.map((model) => [model.name.toLowerCase().indexOf(wanted), model]).filter(([place]) => place >= 0);
  return ranked.sort(([a, first], [b, second]) => a - b || first.name.length - second.name.length).map(([, model]) => model);
}

function update() {
  matches = find(input.value);
  active = 0;
  list();
  change({ found: new Set(matches.map((model) => model.id)) });
}

function list() {
  const searching = input.value.trim() !== "";
  const options = matches.slice(0, LISTED).map((model, index) =>
    element(
      "li",
      { role: "option", id: `hit-${index}`, "aria-selected": String(index === active), onmousedown: (event) => take(event, model) },
      element("bdi", {}, model.name),
      element("span", { class: "note" }, !isShown("models", model.id) ? "filtered away" : isFailed(model) ? "not readable" : model.role === "isolated" ? "no relatives" : `family ${model.family}`),
    ),
  );
  const rest = matches.length - LISTED;
  const note = matches.length ? (rest > 0 ? `and ${whole.format(rest)} more` : null) : "No model has this in its name";
  hits.replaceChildren(...options, ...(note ? [element("li", { class: "more", role: "presentation" }, note)] : []));
  hits.hidden = !searching;
  input.setAttribute("aria-expanded", String(searching));
  if (searching && matches.length) input.setAttribute("aria-activedescendant", `hit-${active}`);
  else input.removeAttribute("aria-activedescendant");
}

function take(event, model) {
  event.preventDefault();
  closeSearch();
  choose("model", model.id);
  view().reveal(model.id);
}

function closeSearch() {
  input.value = "";
  update();
}

input.addEventListener("input", update);
input.addEventListener("blur", () => (hits.hidden = true));
input.addEventListener("focus", list);
input.addEventListener("keydown", (event) => {
  const last = Math.min(matches.length, LISTED) - 1;
  if (event.key === "Enter" && matches[active]) take(event, matches[active]);
  else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    active = Math.min(Math.max(active + (event.key === "ArrowDown" ? 1 : -1), 0), Math.max(last, 0));
    list();
  }
});
