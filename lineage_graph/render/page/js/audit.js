// What the audit of declarations found: of a model, and in one word in its colour.
const AUDIT_RESULTS = Object.keys(AUDIT);

// Findings are records of text; whatever else a later version puts into them is shown as it is.
const findingsOf = (model) => (DATA.audit ?? []).filter((one) => one.model === model.id);

function finding({ kind, text }) {
  const word = AUDIT_RESULTS.includes(kind) ? kind : "";
  return element("li", { class: "tall" }, element("span", { class: `tag ${word}` }, kind), element("p", { class: "note" }, element("bdi", {}, text)));
}
