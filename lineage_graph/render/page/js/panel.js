// The panel beside the drawing: everything known about the model or the edge that was chosen.
const MOST = 40; // entries of a list
const UNSEEN = "Nobody has seen this model. That there must have been one is inferred from how its descendants lie apart.";
const panel = byId("panel");

// The part of the view, from its upper left corner, that the panel does not cover.
function freeArea() {
  const open = !panel.hidden;
  const { clientWidth, clientHeight } = view().element;
  return {
    width: clientWidth - (open && !narrow() ? panel.offsetWidth : 0),
    height: clientHeight - (open && narrow() ? panel.offsetHeight : 0),
  };
}

function section(title, ...content) {
  return element("section", {}, element("h3", {}, title), ...content);
}

function capped(list, entry) {
  const rest = list.length - MOST;
  const more = rest > 0 ? element("li", { class: "more" }, `and ${whole.format(rest)} more`) : null;
  return element("ul", { class: "plain" }, ...list.slice(0, MOST).map(entry), more);
}

const nameButton = (id, kind = "model") =>
  element("button", { type: "button", class: "link", onclick: () => choose(kind, id) }, element("bdi", {}, MODELS[id].name));

function relation(edge, other) {
  const evidence = element(
    "button",
    { type: "button", class: "link quiet", title: "Show the evidence", onclick: () => choose("edge", edge.id) },
    [edge.kind, partOf(edge), percent(edge.confidence), isOpen(edge) ? "direction open" : ""].filter(Boolean).join(", "),
  );
  return element("li", {}, nameButton(other), evidence);
}

function miss([a, b, confidence, , reason], id) {
  const why = element("p", { class: "note" }, `${percent(confidence)} — ${reason}`);
  return element("li", { class: "tall" }, nameButton(a === id ? b : a), why);
}

function definitions(facts) {
  const list = element("dl");
  for (const [name, text] of facts) {
    const shown = element("bdi", { class: name === FACTS.sha256 ? "digest" : null }, text);
    list.append(element("dt", {}, name), element("dd", {}, shown));
  }
  return list;
}

// The network that gave features, then what it did without; or only why there is none.
function features(text) {
  const [network, ...rest] = text.startsWith("none: ") ? ["", text.slice(6)] : text.split("; ");
  return [
    element("p", {}, element("bdi", {}, network || "None")),
    rest.length ? element("p", { class: "note long", tabindex: "0" }, element("bdi", {}, rest.join("; "))) : null,
  ].filter(Boolean);
}

// What the filters hide can still be found by name, and led to.
function hiddenNote(model) {
  if (isShown("models", model.id)) return null;
  const show = element("button", { type: "button", class: "link", onclick: clearFilters }, "Clear the filters");
  return element("p", { class: "note hidden" }, "The filters hide it. ", show);
}

function modelContent(model) {
  const [parents, children] = [PARENT_EDGES[model.id], CHILD_EDGES[model.id]];
  const facts = factsOf(model);
  const misses = DATA.misses.filter(([a, b]) => a === model.id || b === model.id);
  return [
    hiddenNote(model),
    isFailed(model)
      ? element("div", { class: "alert" }, element("strong", {}, model.status), element("p", {}, model.message))
      : null,
    isUnseen(model) ? element("p", { class: "note" }, UNSEEN) : null,
    isAlone(model) ? null : lineageSection(model),
    facts.length ? section("Facts", definitions(facts)) : null,
    model.features ? section("Features", ...features(model.features)) : null,
    parents.length ? section("Parents", capped(byPart(parents), (edge) => relation(edge, edge.from))) : null,
    ...originsOf(model),
    children.length ? section("Children", capped(children, (edge) => relation(edge, edge.to))) : null,
    declaredOf(model),
    misses.length ? section("Nearest misses", capped(misses, (entry) => miss(entry, model.id))) : null,
  ];
}

// The title of the panel, what kind of thing it is, and all else.
function contentOf({ kind, id }) {
  if (kind === "fold") return foldContent(FOLD_BY_ID.get(id));
  if (kind === "model") return [MODELS[id].name, describe(MODELS[id]), modelContent(MODELS[id])];
  const edge = EDGES[id];
  const ends = `${MODELS[edge.from].name} → ${MODELS[edge.to].name}`;
  return [ends, `Edge · ${edge.kind}${isOpen(edge) ? " · direction open" : ""}`, edgeContent(edge)];
}

function showPanel() {
  if (!state.chosen) {
    panel.hidden = true;
    return;
  }
  const [title, kindOf, content] = contentOf(state.chosen);
  const close = element("button", { type: "button", class: "close", "aria-label": "Close", onclick: () => change({ chosen: null, selection: null }) }, "×");
  const heading = element("h2", {}, element("bdi", {}, title));
  const subtitle = element("p", { class: "note" }, kindOf);
  panel.replaceChildren(
    element("header", {}, element("div", {}, heading, subtitle), close),
    element("div", { class: "body" }, ...content.filter(Boolean)),
  );
  panel.hidden = false;
  say(`${title}: ${kindOf}`);
  revealChosen();
}

onChange((before) => {
  if (!same(before.chosen, state.chosen)) showPanel();
  else if (before.filters !== state.filters && state.chosen?.kind === "model") {
    panel.querySelector(".hidden")?.remove();
    const note = hiddenNote(MODELS[state.chosen.id]);
    if (note) panel.querySelector(".body").prepend(note);
  }
});
