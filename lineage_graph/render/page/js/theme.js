// Colours live in the style sheet, once for light and once for dark; the drawing reads them from there.
const darkScheme = window.matchMedia("(prefers-color-scheme: dark)");
const theme = {};
function readTheme() {
  document.documentElement.dataset.theme = state.theme;
  const probe = document.body.appendChild(element("i", { hidden: true }));
  for (const name of ["ink", "muted", "line", "ground", "band", "edge", "accent", "danger", "neutral", "surface"]) {
    probe.style.color = `var(--${name})`; // only a property that is a colour gets the one that fits the scheme
    theme[name] = hex(getComputedStyle(probe).color.match(/\d+/g).slice(0, 3).map(Number));
  }
  probe.remove();
  theme.font = getComputedStyle(document.body).fontFamily;
  theme.dark = channels(theme.ground)[0] < 128;
}

// A hue towards the ink of the page, so that outlines keep 3:1 against the ground.
function outline(colour) {
  const share = theme.dark ? 0.45 : 0.5;
  const target = theme.dark ? 255 : 0;
  return hex(channels(colour).map((part) => Math.round(part * (1 - share) + target * share)));
}
