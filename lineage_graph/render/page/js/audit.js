// What was declared beside what was detected: the findings of the audit, worst first, then what it has not looked at.
const VERDICTS = {
  contradicted: "the weights say otherwise",
  licence: "the licence drops what an ancestor's imposes",
  missing: "the card does not name a detected parent",
  untestable: "the weights do not tell",
  confirmed: "the weights say so, too",
};

const FINDINGS = Map.groupBy(DATA.audit, ([model]) => model);

function declaredOf(model) {
  const [findings, claims] = [FINDINGS.get(model.id) ?? [], model.claims ?? []];
  const entries = [...findings.map((one) => () => finding(one)), ...claims.map((name) => () => claim(name))];
  return entries.length ? section("Declared against detected", capped(entries, (entry) => entry())) : null;
}

const claim = (name) =>
  element("li", {}, element("bdi", { class: "name" }, name), element("span", { class: "tag" }, "declared, not audited"));

function finding([, verdict, words, mend]) {
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
