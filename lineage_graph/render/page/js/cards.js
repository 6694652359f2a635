// The card of a folded family: its name, how many models it has, its first root, and its generations as rows of a figure.
const CARD_LEGIBLE = 0.72; // pixels on the screen for one of the card, from which on all its text is shown
const CARD_NAMED = 0.2; // and from which on its name is
const CARD_DRAWN = 0.09; // and from which on it is more than a spot of colour
const FIGURE = { left: 118, right: 204, top: 14, bottom: 76 };
const MOST_ROWS = 8;

// How many models of each colour a generation has, in the order of the figure; deeper ones than MOST_ROWS are one row.
// Kept as long as neither the colours nor the filters change.
let figures = { of: [], rows: new Map() };
function figureOf(fold) {
  const of = [state.colour, theme.dark, shown];
  if (of.some((one, index) => one !== figures.of[index])) figures = { of, rows: new Map() };
  if (!figures.rows.has(fold)) figures.rows.set(fold, countFigure(fold));
  return figures.rows.get(fold);
}

function countFigure(fold) {
  const rows = [];
  for (const model of fold.models) {
    if (!isShown("models", model.id)) continue;
    const row = (rows[Math.min(fold.id > 0 ? model.generation : 1, MOST_ROWS) - 1] ??= new Map());
    const colour = colourOf(model);
    row.set(colour, (row.get(colour) ?? 0) + 1);
  }
  return Array.from(rows, (row) => [...(row ?? [])].sort((a, b) => b[1] - a[1]));
}

// A row is as wide as the root of its number of models, so that thousands and one both show.
function paintFigure(ctx, fold) {
  const rows = figureOf(fold);
  const sums = rows.map((row) => row.reduce((sum, [, number]) => sum + number, 0));
  const most = Math.max(1, ...sums.map(Math.sqrt));
  const step = Math.min((FIGURE.bottom - FIGURE.top) / Math.max(rows.length, 1), 16);
  const middle = (FIGURE.left + FIGURE.right) / 2;
  rows.forEach((row, place) => {
    const width = Math.max((Math.sqrt(sums[place]) / most) * (FIGURE.right - FIGURE.left), 4);
    let x = middle - width / 2;
    for (const [colour, number] of row) {
      const part = (width * number) / sums[place];
      ctx.fillStyle = colour;
      ctx.fillRect(x, FIGURE.top + step * place, part, step * 0.72);
      x += part;
    }
  });
}

const rootOf = (fold) => fold.models.find((model) => !isUnseen(model)) ?? fold.models[0];

function cut(ctx, text, most) {
  if (ctx.measureText(text).width <= most) return text;
  let end = text.length;
  while (end > 1 && ctx.measureText(`${text.slice(0, end)}…`).width > most) end -= 1;
  return `${text.slice(0, end)}…`;
}

function cardLines(fold) {
  const [passing, found] = [shownIn(fold), lit === null ? null : litIn(fold)];
  const models = passing < fold.models.length ? `${whole.format(passing)} of ${fold.detail}` : fold.detail;
  return [fold.title, found ? `${whole.format(found)} of ${fold.detail}` : models, fold.id > 0 ? plural(fold.bands.length, "generation") : ""];
}

function paintCardText(ctx, fold, seen) {
  const [title, models, generations] = cardLines(fold);
  ctx.textAlign = "left";
  ctx.textBaseline = "alphabetic";
  const write = (text, weight, size, ink, y, most) => {
    ctx.font = `${weight} ${size}px ${theme.font}`;
    ctx.fillStyle = ink;
    ctx.fillText(cut(ctx, text, most), 12, y);
  };
  const room = FIGURE.left - 20;
  if (seen < CARD_LEGIBLE) {
    const number = (fold.models.length < 1000 ? whole : compact).format(fold.models.length);
    write(number, 650, Math.min(34, 140 / number.length), theme.ink, 52, room + 8);
    write(fold.id > 0 ? rootOf(fold).short : fold.title, 400, 19, theme.muted, 94, CARD.width - 20);
    return;
  }
  write(title, 650, fold.id > 0 ? 14 : 12, theme.ink, 27, room);
  write(models, 400, 12.5, theme.ink, 47, room);
  write(generations, 400, 12.5, theme.muted, 65, room);
  if (fold.id > 0) write(rootOf(fold).short, 400, 12.5, theme.muted, 92, CARD.width - 24);
}

// Of the colour that most of the last generation have.
function paintSpot(ctx, { fold, x, y, size }) {
  const spot = figureOf(fold).at(-1);
  ctx.globalAlpha = litIn(fold) ? 1 : DIM;
  ctx.fillStyle = spot?.[0]?.[0] ?? theme.neutral;
  ctx.fillRect(x + CARD.width * size * 0.2, y + CARD.height * size * 0.2, CARD.width * size * 0.6, CARD.height * size * 0.6);
}

function paintCard(ctx, card, scale) {
  const { fold, x, y, size } = card;
  const seen = scale * size;
  const special = [state.chosen, state.hovered].some((target) => target?.kind === "fold" && target.id === fold.id);
  if (seen < CARD_DRAWN && !special) {
    paintSpot(ctx, card);
    return;
  }
  ctx.save();
  ctx.translate(x, y);
  ctx.scale(size, size);
  ctx.globalAlpha = litIn(fold) ? 1 : DIM;
  ctx.fillStyle = theme.surface;
  ctx.strokeStyle = special ? theme.accent : theme.line;
  ctx.lineWidth = Math.max(special ? 2.5 : 1, (special ? 1.5 : 0.5) / seen);
  ctx.beginPath();
  if (seen < CARD_NAMED) ctx.rect(0, 0, CARD.width, CARD.height);
  else ctx.roundRect(0, 0, CARD.width, CARD.height, 9);
  ctx.fill();
  ctx.stroke();
  paintFigure(ctx, fold);
  if (seen >= CARD_NAMED) paintCardText(ctx, fold, seen);
  ctx.restore();
}

function paintCards(ctx, scale, view) {
  for (const card of layout.cards) {
    const [right, bottom] = [card.x + CARD.width * card.size, card.y + CARD.height * card.size];
    if (card.x < view.right && right > view.left && card.y < view.bottom && bottom > view.top) paintCard(ctx, card, scale);
  }
}

// The family whose card, or whose heading if it is open, is under a place on the screen; or null.
function foldUnder(spot) {
  const { x, y } = network.DOMtoCanvas(spot);
  const isOver = (card) => x >= card.x && x <= card.x + CARD.width * card.size && y >= card.y && y <= card.y + CARD.height * card.size;
  const handle = (layout.handles ?? []).find(([, left, top, right, bottom]) => x >= left && x <= right && y >= top && y <= bottom);
  return layout.cards.find(isOver)?.fold.id ?? handle?.[0] ?? null;
}

// From a family to its neighbours, to those above and below, or into it when it is open.
function stepInFolds(key) {
  const places = layout.places;
  if (!places.length) return null;
  const to = (place) => ({ kind: "fold", id: place.fold.id });
  const now = places.findIndex(({ fold }) => state.chosen?.kind === "fold" && fold.id === state.chosen.id);
  if (now < 0) return to(places[0]);
  const own = places[now];
  if (key === "ArrowDown" && own.isOpen) return stepTo(own.fold.models.find(({ id }) => isShown("models", id)).id);
  if (key === "ArrowLeft" || key === "ArrowRight") return to(places[Math.min(Math.max(now + (key === "ArrowRight" ? 1 : -1), 0), places.length - 1)]);
  const way = key === "ArrowDown" ? 1 : -1;
  const beyond = places.filter((place) => (place.y - own.y) * way > 0);
  const row = beyond.filter((place) => place.y === (way > 0 ? beyond[0] : beyond.at(-1)).y);
  return to(row.length ? row.reduce((a, b) => (Math.abs(b.x - own.x) < Math.abs(a.x - own.x) ? b : a)) : own);
}

// On the screen, in pixels, for tests.
const cardBoxes = () =>
  layout.cards.map(({ fold, x, y, size }) => {
    const [start, end] = [network.canvasToDOM({ x, y }), network.canvasToDOM({ x: x + CARD.width * size, y: y + CARD.height * size })];
    return { id: fold.id, title: fold.title, x: (start.x + end.x) / 2, y: (start.y + end.y) / 2, box: [start.x, start.y, end.x, end.y] };
  });
