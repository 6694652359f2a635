// The bar above the views: which of them, colours, the least confidence, the theme.
const tabs = byId("tabs");
const colourSelect = byId("colour");
const least = byId("least");

function buildToolbar() {
  tabs.append(
    ...Object.entries(views).map(([name, { title }]) =>
      element("button", { type: "button", "data-view": name, onclick: () => change({ view: name }) }, title),
    ),
  );
  const offered = Object.entries(COLOURINGS).filter(([, { occurs }]) => occurs());
  colourSelect.append(...offered.map(([name, { title }]) => element("option", { value: name }, title)));
  colourSelect.addEventListener("change", () => change({ colour: colourSelect.value }));
  least.addEventListener("input", () => change({ least: Number(least.value) / 100 }));
  byId("theme").addEventListener("change", ({ target }) => change({ theme: target.value }));
  byId("fit").addEventListener("click", () => view().fit());
  byId("options").addEventListener("click", () => open("options", "controls", !byId("controls").classList.contains("open")));
}

// A button that shows and hides a part of the page.
function open(button, part, isOpen) {
  byId(button).setAttribute("aria-expanded", String(isOpen));
  byId(part).classList.toggle("open", isOpen);
}

function showToolbar() {
  for (const tab of tabs.children) tab.setAttribute("aria-pressed", String(tab.dataset.view === state.view));
  colourSelect.value = state.colour;
  least.value = String(Math.round(state.least * 100));
  byId("theme").value = state.theme;
  const kept = shown === null ? EDGES.length : shown.edges.size;
  byId("sure").textContent = `${Math.round(state.least * 100)} % · ${whole.format(kept)} of ${plural(EDGES.length, "edge")}`;
  byId("fit").disabled = !view().fit;
}

onChange(showToolbar);
