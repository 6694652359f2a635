// What the audit of the models' cards found, worst first.
const VERDICTS = {
  contradicted: "the weights say otherwise",
  licence: "the licence drops what an ancestor's imposes",
  missing: "the card does not name a detected parent",
  untestable: "the weights do not tell",
  confirmed: "the weights say so, too",
};

const findingsOf = (model) => DATA.audit.filter((one) => one.model === model.id);

function finding({ verdict, words, mend }) {
  const mark = AUDIT[verdict] ? element("span", { "aria-hidden": "true" }, `${AUDIT[verdict].mark} `) : null;
  const mended = () => copy(mend, "the lines that mend the card");
  return element(
    "li",
    { class: "tall" },
    element(
      "div",
      { class: "finding" },
      element("span", { class: `tag ${verdict}`, title: VERDICTS[verdict] ?? null }, mark, verdict),
      mend ? element("button", { type: "button", class: "link quiet", onclick: mended }, "Copy the mend") : null,
    ),
    element("p", { class: "note" }, element("bdi", {}, words)),
    mend ? element("pre", { class: "mend" }, mend) : null,
  );
}
