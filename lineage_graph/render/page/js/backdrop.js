// Generations as bands with their names, and the names of the families.
const BAND_NAME = 11; // pixels on the screen

const shadeOf = (generation) => (generation % 2 ? theme.band : theme.ground);

function paintBands(ctx, view) {
  for (const [generation, y, height] of layout.bands) {
    if (y > view.bottom || y + height < view.top) continue;
    ctx.fillStyle = shadeOf(generation);
    ctx.fillRect(view.left, y, view.right - view.left, height);
  }
}

// Kept in sight at the left edge, wherever the camera is.
function paintBandNames(ctx, scale, view) {
  const lowest = Math.min(...layout.bands.filter(([generation]) => generation).map(([, , height]) => height));
  if (lowest * scale < BAND_NAME + 1) return;
  const size = BAND_NAME / scale;
  ctx.textBaseline = "middle";
  ctx.textAlign = "left";
  ctx.font = `600 ${size}px ${theme.font}`;
  for (const [generation, y, height] of layout.bands) {
    if (!generation || y > view.bottom || y + height < view.top) continue;
    const name = narrow() ? `G${generation}` : `Generation ${generation}`;
    const middle = Math.min(Math.max(y + height / 2, view.top + size), y + height - size / 2);
    const left = view.left + (narrow() ? 8 : 16) / scale;
    const pad = 4 / scale;
    ctx.fillStyle = shadeOf(generation);
    ctx.fillRect(left - pad, middle - size * 0.75, ctx.measureText(name).width + 2 * pad, size * 1.5);
    ctx.fillStyle = theme.muted;
    ctx.fillText(name, left, middle);
  }
}

// From afar names are larger than the line kept for them: what lies behind gives way.
function coverFor(ctx, x, baseline, width, size) {
  ctx.globalAlpha = 0.8;
  ctx.fillStyle = theme.ground;
  ctx.fillRect(x, baseline - size, width, size * 1.3);
  ctx.globalAlpha = 1;
}

// Like the names of the generations, kept in sight as long as a part of the family is.
function paintHeadings(ctx, scale, view) {
  const size = Math.min(Math.max(14 * scale, 11), 15) / scale;
  ctx.textBaseline = "alphabetic";
  ctx.textAlign = "left";
  layout.handles = []; // where a click folds a family: [fold, left, top, right, bottom]
  for (const [family, title, detail, start, y, width, fold] of layout.headings) {
    if (y > view.bottom || y + 40 < view.top || start > view.right || start + width < view.left) continue;
    const shown = fold === undefined ? title : `▾ ${title}`;
    const used = paintHeading(ctx, { family, title: shown, detail, start, width, size, baseline: y + 25, least: view.left + 16 / scale });
    if (fold !== undefined && used) layout.handles.push([fold, used[0] - size / 2, y + 25 - size * 1.3, used[1] + size / 2, y + 25 + size * 0.6]);
  }
}

// Gives its left and right end; null where not even a number has room.
function paintHeading(ctx, { family, title, detail, start, width, size, baseline, least }) {
  const swatch = family ? size * 0.95 : 0;
  ctx.font = `400 ${size * 0.9}px ${theme.font}`;
  const detailWidth = ctx.measureText(detail).width;
  ctx.font = `650 ${size}px ${theme.font}`;
  const shown = [title, String(family || "")].find((text) => ctx.measureText(text).width + swatch < width);
  if (!shown) return null;
  const used = swatch + ctx.measureText(shown).width;
  const detailed = shown === title && used + size * 0.6 + detailWidth < width;
  const x = Math.max(start, Math.min(least, start + width - used - (detailed ? size * 0.6 + detailWidth : 0)));
  if (size > 14) coverFor(ctx, x - size * 0.2, baseline, used + size * 0.4, size);
  if (family) {
    ctx.fillStyle = familyColour(family);
    circle(ctx, x + size * 0.32, baseline - size * 0.34, size * 0.32);
    ctx.fill();
  }
  ctx.fillStyle = theme.ink;
  ctx.fillText(shown, x + swatch, baseline);
  if (!detailed) return [x, x + used];
  ctx.font = `400 ${size * 0.9}px ${theme.font}`;
  ctx.fillStyle = theme.muted;
  ctx.fillText(detail, x + used + size * 0.6, baseline);
  return [x, x + used + size * 0.6 + detailWidth];
}

// The name of the model under the pointer, at a size that can be read at any zoom.
function paintNameTag(ctx, model, scale) {
  const [x, y] = at(model.id);
  const size = Math.max(12.5, LABEL_SIZE * scale) / scale;
  const name = model.name.length > 60 ? `${model.name.slice(0, 30)}…${model.name.slice(-29)}` : model.name;
  ctx.font = `600 ${size}px ${theme.font}`;
  ctx.textAlign = "center";
  ctx.textBaseline = "top";
  const width = ctx.measureText(name).width + size;
  const top = y + LABEL_DROP - size * 0.3;
  const view = viewport();
  const middle = Math.min(Math.max(x, view.left + width / 2), view.right - width / 2);
  ctx.fillStyle = theme.ink;
  ctx.beginPath();
  ctx.roundRect(middle - width / 2, top, width, size * 1.6, size * 0.35);
  ctx.fill();
  ctx.fillStyle = theme.surface;
  ctx.fillText(name, middle, top + size * 0.32);
}
