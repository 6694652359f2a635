// The panel of a folded family: what it consists of, and the way into it.
const TALLIED = 6; // values of a fact, the most frequent ones

// [value, number of models] of one facet of a family's models.
function tally(fold, facet) {
  const counts = new Map();
  for (const model of fold.models) for (const value of VALUES[facet](model)) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
}

function tallySection(fold, facet) {
  const counts = tally(fold, facet);
  if (counts.every(([value]) => value === "")) return null;
  const row = ([value, number]) => element("li", {}, element("bdi", {}, valueName(facet, value)), element("span", { class: "note" }, whole.format(number)));
  const rest = counts.length - TALLIED;
  const more = rest > 0 ? element("li", { class: "more" }, `and ${whole.format(rest)} more`) : null;
  return section(FACET_TITLES[facet], element("ul", { class: "plain" }, ...counts.slice(0, TALLIED).map(row), more));
}

function turnButton(fold) {
  const isOpen = state.open.has(fold.id);
  const text = isOpen ? "Fold it" : fold.id > 0 ? "Open the family in the tree" : "Show them in the tree";
  return element("button", { type: "button", class: "button", id: "turn", onclick: () => turnFold(fold.id, !isOpen) }, text);
}

function foldContent(fold) {
  const roots = fold.id > 0 ? fold.models.filter((model) => !PARENT_EDGES[model.id].length) : [];
  const others = fold.id > 0 ? fold.models.filter((model) => PARENT_EDGES[model.id].length) : fold.models;
  const row = (model) => element("li", {}, nameButton(model.id));
  const kind = fold.id > 0 ? `${fold.detail} · ${plural(fold.bands.length, "generation")}` : fold.detail;
  return [
    fold.title,
    kind,
    [
      element("section", {}, turnButton(fold)),
      roots.length ? section(roots.length > 1 ? "Roots" : "Root", capped(roots, row)) : null,
      ...["architecture", "kind", "license", "status"].map((facet) => tallySection(fold, facet)),
      section(fold.id > 0 ? "Descendants" : "Models", capped(others, row)),
    ],
  ];
}

onChange((before) => {
  if (before.open === state.open || state.chosen?.kind !== "fold" || !same(before.chosen, state.chosen)) return;
  const focused = document.activeElement?.id === "turn";
  byId("turn").replaceWith(turnButton(FOLD_BY_ID.get(state.chosen.id)));
  if (focused) byId("turn").focus();
});
