// "What inherits from this" and "where does this come from": the models that answer, lit, counted and listed.
const WAYS = {
  heirs: { title: "What inherits from this", of: descendants, none: "Nothing in this graph inherits from it.", all: "inherit from it" },
  sources: { title: "Where does this come from", of: ancestors, none: "It comes from no model of this graph.", all: "are its ancestors" },
};

// In the common order: by family, generation, name.
const answer = ({ id, way }) => [...WAYS[way].of(id).models].sort((a, b) => a - b);

function wayButton(model, way) {
  const pressed = state.selection?.way === way;
  const toggle = () => change({ selection: pressed ? null : { id: model.id, way } });
  const number = WAYS[way].of(model.id).models.size;
  return element(
    "button",
    { type: "button", class: "button", "data-way": way, "aria-pressed": String(pressed), onclick: toggle },
    `${WAYS[way].title} `,
    element("b", {}, whole.format(number)),
  );
}

function answerOf(selection) {
  const ids = answer(selection);
  const { none, all } = WAYS[selection.way];
  if (!ids.length) return [element("p", { class: "note" }, none)];
  const copied = () => copy(ids.map((id) => MODELS[id].name).join("\n"), plural(ids.length, "id"));
  const title = ids.length === 1 ? all.replace("inherit ", "inherits ").replace("are its ancestors", "is its ancestor") : all;
  return [
    element(
      "div",
      { class: "count" },
      element("p", {}, `${plural(ids.length, "model")} ${title}`),
      element("button", { type: "button", class: "button", id: "copy", onclick: copied }, "Copy ids"),
    ),
    capped(ids, (id) => element("li", {}, nameButton(id), element("span", { class: "note" }, `generation ${MODELS[id].generation}`))),
  ];
}

function lineageContent(model) {
  const chosen = state.selection?.id === model.id ? answerOf(state.selection) : [];
  return [element("h3", {}, "Lineage"), element("div", { class: "buttons" }, ...Object.keys(WAYS).map((way) => wayButton(model, way))), ...chosen];
}

const lineageSection = (model) => element("section", { id: "lineage-of" }, ...lineageContent(model));

onChange((before) => {
  const place = state.chosen?.kind === "model" ? byId("lineage-of") : null;
  if (!place || (before.selection === state.selection && before.least === state.least)) return;
  const focused = document.activeElement?.dataset?.way;
  place.replaceChildren(...lineageContent(MODELS[state.chosen.id]));
  if (focused) place.querySelector(`[data-way="${focused}"]`).focus();
  if (state.selection) say(place.querySelector(".count p, .note").textContent);
});
