// The state as the fragment of the page's address, so that it can be linked to and gone back to. Models go by their names:
// the address outlives a build that numbers them anew.
const BY_NAME = new Map(MODELS.map((model) => [model.name, model.id]));
const OPENING = Object.keys(views)[0];

function addressOf() {
  const words = new URLSearchParams();
  const put = (name, value, plain) => value !== plain && words.set(name, value);
  put("view", state.view, OPENING);
  if (state.chosen?.kind === "model") words.set("model", MODELS[state.chosen.id].name);
  if (state.chosen?.kind === "fold") words.set("fold", String(state.chosen.id));
  if (state.chosen?.kind === "edge") {
    words.set("parent", MODELS[EDGES[state.chosen.id].from].name);
    words.set("child", MODELS[EDGES[state.chosen.id].to].name);
  }
  put("lineage", state.selection?.way ?? "", "");
  put("colour", state.colour, "family");
  put("confidence", String(state.least), "0");
  put("theme", state.theme, "");
  put("open", [...state.open].sort((a, b) => a - b).join("."), "");
  for (const facet of FACETS) for (const value of state.filters[facet]) words.append(facet, value);
  return words.size ? `#${words}` : "";
}

function chosenFrom(words) {
  if (words.has("model")) return BY_NAME.has(words.get("model")) ? { kind: "model", id: BY_NAME.get(words.get("model")) } : undefined;
  if (words.has("fold")) return FOLD_BY_ID.has(Number(words.get("fold"))) ? { kind: "fold", id: Number(words.get("fold")) } : undefined;
  if (!words.has("parent")) return null;
  const [from, to] = [BY_NAME.get(words.get("parent")), BY_NAME.get(words.get("child"))];
  const edge = EDGES.find((one) => one.from === from && one.to === to);
  return edge ? { kind: "edge", id: edge.id } : undefined;
}

// What an address says; what it says wrongly is left out.
function stateFrom(fragment) {
  const words = new URLSearchParams(fragment.replace(/^#/, ""));
  const one = (name, known, plain) => (known.includes(words.get(name)) ? words.get(name) : plain);
  const chosen = chosenFrom(words);
  const way = one("lineage", Object.keys(WAYS), null);
  const sure = Number(words.get("confidence") ?? 0);
  return {
    lost: chosen === undefined,
    view: one("view", Object.keys(views), OPENING),
    chosen: chosen ?? null,
    selection: way && chosen?.kind === "model" ? { id: chosen.id, way } : null,
    colour: one("colour", Object.keys(COLOURINGS).filter((name) => COLOURINGS[name].occurs()), "family"),
    theme: one("theme", ["light", "dark"], ""),
    open: new Set((words.get("open") ?? "").split(".").filter(Boolean).map(Number).filter((id) => FOLD_BY_ID.has(id))),
    least: sure >= 0 && sure <= 1 ? sure : 0,
    filters: Object.fromEntries(FACETS.map((facet) => [facet, new Set(words.getAll(facet).filter((v) => LISTS[facet].includes(v)))])),
  };
}

function followAddress() {
  const { lost, ...wanted } = stateFrom(window.location.hash);
  following = true;
  change({ ...wanted, hovered: null });
  following = false;
  if (lost) notice("The link names a model or an edge that is not in this graph.");
}

// Every step is one entry of the history, but a slider that moves makes one in all.
let following = false;
let sliding = false;
function writeAddress(before) {
  const address = addressOf();
  if (following || window.location.hash === address) return;
  const slides = before.least !== state.least;
  window.history[slides && sliding ? "replaceState" : "pushState"](null, "", address || "#");
  sliding = slides;
}

onChange(writeAddress);
window.addEventListener("popstate", followAddress); // of a changed fragment, too
byId("link").addEventListener("click", () => copy(window.location.href, "the link to this view"));
