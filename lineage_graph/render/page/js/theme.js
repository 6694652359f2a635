// Colours live in the style sheet, once for light and once for dark; the drawing reads them from there.
const darkScheme = window.matchMedia("(prefers-color-scheme: dark)");
const theme = {};
function readTheme() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["ink", "muted", "line", "ground", "band", "edge", "accent", "danger", "neutral", "surface"]) {
    theme[name] = style.getPropertyValue(`--${name}`).trim();
  }
  theme.font = getComputedStyle(document.body).fontFamily;
  theme.dark = darkScheme.matches;
}

// Okabe & Ito, "Color Universal Design" (2008), without black: seven hues that colour-blind people can tell apart.
const FAMILY_COLOURS = ["#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9", "#cc79a7", "#f0e442"];
const familyColour = (family) => FAMILY_COLOURS[(family - 1) % FAMILY_COLOURS.length];

// A hue towards the ink of the page, so that outlines keep 3:1 against the ground.
function outline(colour) {
  const share = theme.dark ? 0.45 : 0.5;
  const target = theme.dark ? 255 : 0;
  const parts = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  return `rgb(${parts.map((part) => Math.round(part * (1 - share) + target * share)).join(",")})`;
}
