// What the rings and the curves mean, as in the figure.
const RING_NAMED = 8; // roots that the legend names one by one

const ringSwatch = (text, colour, { hollow = null, dash = [] } = {}) =>
  key(text, (ctx) => {
    ctx.fillStyle = colour;
    ctx.fillRect(7, 5, 14, 14);
    if (!hollow) return;
    ctx.strokeStyle = hollow;
    ctx.lineWidth = 1.5;
    ctx.setLineDash(dash);
    ctx.strokeRect(7, 5, 14, 14);
  });

const ringLine = (text, colour, width, dash = []) =>
  key(text, (ctx) => {
    ctx.strokeStyle = colour;
    ctx.lineWidth = width * 1.8;
    ctx.setLineDash(dash);
    ctx.beginPath();
    ctx.moveTo(1, KEY.height / 2);
    ctx.lineTo(KEY.width - 1, KEY.height / 2);
    ctx.stroke();
  });

function ringRootKeys() {
  if (RING.roots.length > RING_NAMED) return [ringSwatch(`1 to ${whole.format(RING.roots.length)}, in order`, ringBlue(1))];
  return RING.roots.map((id, root) => ringSwatch(`${root + 1} ${MODELS[id].short}`, ringBlue(root)));
}

function ringModelKeys() {
  const keys = [];
  if (MODELS.some(isUnseen)) keys.push(ringSwatch("unseen ancestor", theme.ground, { hollow: theme.muted, dash: [3, 2] }));
  if (MODELS.some((model) => isAlone(model) && !isFailed(model))) keys.push(ringSwatch("without relatives", theme.neutral));
  if (MODELS.some(isFailed)) keys.push(ringSwatch("could not be read", theme.ground, { hollow: theme.danger }));
  return keys;
}

function legendOfRing() {
  const { reds, gaps } = ringColours();
  const found = new Set(ringCurves().map((curve) => curve.gap));
  const lines = RING_GAPS.map((name, index) => [name, index]).filter(([, index]) => found.has(index + 1));
  const curves = lines.map(([name, index]) => ringLine(`${index + 1} ${name}`, gaps[index], RING_STROKES[index][0]));
  if (ringCurves().some((curve) => curve.inferred)) curves.push(ringLine("through an unseen model", theme.muted, 1, [5, 4]));
  return [
    ...group("Generation", reds.map((colour, index) => ringSwatch(String(index + 1), colour))),
    ...group("Root", ringRootKeys()),
    ...group("Generation gap", curves),
    ...group("Models", ringModelKeys()),
  ];
}
