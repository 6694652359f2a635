// Large zoos: each family is a card until it is opened; then it stands in a row of its own, as Python has laid it out. The
// models without relatives, and those that could not be read, are cards too.
const FOLDS = (DATA.folds?.parts ?? []).map((part) => ({ ...part, models: [] }));
DATA.folds?.of.forEach((place, id) => FOLDS[place].models.push(MODELS[id]));
const FOLD_OF = DATA.folds && DATA.folds.of.map((place) => FOLDS[place].id); // by model; null: nothing is folded
const FOLD_BY_ID = new Map(FOLDS.map((fold) => [fold.id, fold]));
const isFolded = (id) => FOLD_OF !== null && !state.open.has(FOLD_OF[id]);

const CARD = { width: 216, height: 104, gap: 14 };
const LARGE = 24; // cards of full size; four times as many have half its sides, and so on
const LEAST_CARD = 4; // halvings
const OPEN_MARGIN = 26; // above and below an open family
const CARD_COLUMNS = [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 19, 24, 30, 38, 48, 60, 76];

// Largest first; the groups that are no families last.
const FOLDS_BY_SIZE = [
  ...FOLDS.filter(({ id }) => id > 0).sort((a, b) => b.models.length - a.models.length || a.id - b.id),
  ...FOLDS.filter(({ id }) => id < 1),
];

// How many models of each part the filters leave, and which parts hold a model that is lit.
let shownFolds = { of: null, counts: null };
function shownIn(fold) {
  if (shown === null) return fold.models.length;
  if (shownFolds.of !== shown) {
    const counts = new Map();
    for (const id of shown.models) counts.set(FOLD_OF[id], (counts.get(FOLD_OF[id]) ?? 0) + 1);
    shownFolds = { of: shown, counts };
  }
  return shownFolds.counts.get(fold.id) ?? 0;
}

let litFolds = { of: null, counts: null };
function litIn(fold) {
  if (lit === null) return fold.models.length;
  if (litFolds.of !== lit) {
    const counts = new Map();
    for (const id of lit.models) counts.set(FOLD_OF[id], (counts.get(FOLD_OF[id]) ?? 0) + 1);
    litFolds = { of: lit, counts };
  }
  return litFolds.counts.get(fold.id) ?? 0;
}

// How often the card of a part is halved: families of one size are alike.
function halvings(folds) {
  const found = new Map();
  let first = 0;
  folds.forEach((fold, rank) => {
    if (fold.models.length !== folds[rank - 1]?.models.length) first = rank;
    let [level, room] = [0, LARGE];
    while (fold.id > 0 && first >= room && level < LEAST_CARD) room += LARGE * 4 ** (level += 1);
    found.set(fold, level);
  });
  return found;
}

// Cards side by side in rows of at most `width`, what is open between them: [{fold, x, y, size, isOpen}].
function shelved(folds, levels, width) {
  const places = [];
  let [x, y, row, before] = [0, 0, 0, null];
  let across = 0;
  for (const fold of folds) {
    const isOpen = state.open.has(fold.id);
    const size = isOpen ? 1 : 0.5 ** levels.get(fold);
    const [w, h] = isOpen ? [fold.width, fold.height + 2 * OPEN_MARGIN] : [CARD.width * size, CARD.height * size];
    const gap = CARD.gap * size;
    if (before && (isOpen || before.isOpen || before.size !== size || x + w > width + 0.5)) [x, y, row] = [0, y + row, 0];
    before = { fold, x, y: isOpen ? y + OPEN_MARGIN : y, size, isOpen };
    places.push(before);
    across = Math.max(across, x + w);
    row = Math.max(row, h + gap);
    x += w + gap;
  }
  return { places, width: across, height: y + row };
}

// `of`: what the filters left when it was made.
function emptyScene() {
  const drawn = { positions: [], routes: {}, bands: [], headings: [], models: [], edges: [], cards: [], places: [] };
  return { ...drawn, of: shown, width: 0, height: 0 };
}

// The scene for a page of this aspect, width over height; like DATA.layouts, with the cards, and with what it draws.
function composed(aspect) {
  const folds = FOLDS_BY_SIZE.filter((fold) => shownIn(fold));
  const levels = halvings(folds);
  const widest = Math.max(CARD.width, ...folds.filter(({ id }) => state.open.has(id)).map(({ width }) => width));
  let best = { places: [], width: 0, height: 0 };
  let least = Infinity;
  for (const columns of CARD_COLUMNS) {
    const width = Math.max(columns * (CARD.width + CARD.gap) - CARD.gap, widest);
    const tried = shelved(folds, levels, width);
    const taken = Math.max(tried.width / aspect, tried.height);
    if (taken < least) [best, least] = [tried, taken];
    if (columns > folds.length || width > 2 * aspect * tried.height) break; // it only gets flatter
  }
  const scene = { ...emptyScene(), ...best };
  for (const place of best.places) {
    if (place.isOpen) unfold(scene, place);
    else scene.cards.push(place);
  }
  return scene;
}

function unfold(scene, { fold, x, y }) {
  scene.headings.push([Math.max(fold.id, 0), fold.title, fold.detail, x, y, fold.width, fold.id]);
  for (const [generation, top, height] of fold.bands) scene.bands.push([generation, y + top, height]);
  for (const model of fold.models) {
    const [left, top] = DATA.folds.positions[model.id];
    scene.positions[model.id] = [x + left, y + top];
    scene.models.push(model);
    for (const edge of PARENT_EDGES[model.id]) {
      scene.edges.push(edge);
      const route = DATA.folds.routes[edge.id];
      if (!route) continue;
      const [lanes, branch] = route;
      scene.routes[edge.id] = [lanes.map(([at, from, to]) => [x + at, y + from, y + to]), branch === null ? null : y + branch];
    }
  }
}

function turnFold(id, isOpen) {
  const opened = new Set(state.open);
  if (isOpen) opened.add(id);
  else opened.delete(id);
  const inside = state.chosen && state.chosen.kind !== "fold" && FOLD_OF[state.chosen.kind === "model" ? state.chosen.id : EDGES[state.chosen.id].to] === id;
  change({ view: "tree", open: opened, hovered: null, ...(inside && !isOpen ? { chosen: null, selection: null } : {}) });
}

// Whoever looks at a model in the tree has its family open.
function openChosen() {
  if (FOLD_OF === null || state.view !== "tree" || !state.chosen || state.chosen.kind === "fold") return;
  const id = state.chosen.kind === "model" ? state.chosen.id : EDGES[state.chosen.id].to;
  if (isFolded(id)) state.open = new Set([...state.open, FOLD_OF[id]]);
}

onChange((before) => {
  if (FOLD_OF === null) return;
  if (!same(before.chosen, state.chosen) || before.view !== state.view) openChosen();
  if (state.view !== "tree" || before.view !== "tree") return; // a view that comes to be looked at is composed then
  const opened = [...state.open].filter((id) => !before.open.has(id));
  const closed = [...before.open].filter((id) => !state.open.has(id));
  if (!opened.length && !closed.length && layout.of === shown) return;
  compose();
  if (opened.length && FOLD_BY_ID.has(opened.at(-1))) fitFold(opened.at(-1));
  else if (closed.length && state.open.size) fitFold(closed.at(-1));
  else fit();
});
