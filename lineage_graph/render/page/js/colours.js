// What the colour of a model stands for. Whatever it is, a short mark in the model or its place says the same.
const NO_LICENSE = "not stated";

// Okabe & Ito, "Color Universal Design" (2008), without black: seven hues that colour-blind people can tell apart.
const HUES = ["#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9", "#cc79a7", "#f0e442"];
const familyColour = (family) => HUES[(family - 1) % HUES.length];

// Steps of cividis, which is even in lightness for every kind of colour vision. Nuñez, Anderton & Renslow (2018),
// https://doi.org/10.1371/journal.pone.0199239
const CIVIDIS = ["#00224e", "#434e6c", "#7d7c78", "#bcae6c", "#fee838"];
const DEEPEST = Math.max(1, ...MODELS.map((model) => model.generation));

function generationColour(generation) {
  const place = DEEPEST > 1 ? ((generation - 1) / (DEEPEST - 1)) * (CIVIDIS.length - 1) : 0;
  const low = Math.min(Math.floor(place), CIVIDIS.length - 2);
  const [from, to] = [CIVIDIS[low], CIVIDIS[low + 1]].map(channels);
  return hex(from.map((channel, index) => Math.round(channel + (to[index] - channel) * (place - low))));
}

const channels = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
const hex = (parts) => `#${parts.map((part) => part.toString(16).padStart(2, "0")).join("")}`;

// The most frequent licences have a hue and a letter each; all others share one.
const LICENSES = (() => {
  const counts = new Map();
  for (const { license } of MODELS) if (license) counts.set(license, (counts.get(license) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([license]) => license);
})();
const licenseRank = (model) => (model.license ? Math.min(LICENSES.indexOf(model.license), HUES.length) : -1);
const OTHER = "+";

const AUDIT = {
  confirmed: { hue: HUES[2], mark: "✓" },
  contradicted: { hue: HUES[3], mark: "✗" },
  untestable: { hue: HUES[4], mark: "?" },
  missing: { hue: HUES[6], mark: "–" },
  licence: { hue: HUES[5], mark: "§" },
};

// By name of a colouring: its title, the colour (null: neutral) and mark of a model, the entries of its legend as
// [text, colour, mark], and whether there is anything to be coloured.
const COLOURINGS = {
  family: {
    title: "Family",
    colour: (model) => (isAlone(model) ? null : familyColour(model.family)),
    mark: () => "",
    entries: () => [],
    occurs: () => true,
  },
  generation: {
    title: "Generation",
    colour: (model) => (isAlone(model) ? null : generationColour(model.generation)),
    mark: (model) => (isAlone(model) ? "" : String(model.generation)),
    entries: () => [...Array(DEEPEST).keys()].map((n) => [`generation ${n + 1}`, generationColour(n + 1), String(n + 1)]),
    occurs: () => true,
  },
  license: {
    title: "Licence",
    colour: (model) => HUES[licenseRank(model)] ?? null,
    mark: (model) => (model.license ? ("ABCDEFG"[licenseRank(model)] ?? OTHER) : ""),
    entries: () => [
      ...LICENSES.slice(0, HUES.length).map((license, rank) => [license, HUES[rank], "ABCDEFG"[rank]]),
      ...(LICENSES.length > HUES.length ? [["another licence", null, OTHER]] : []),
      [NO_LICENSE, null, ""],
    ],
    occurs: () => LICENSES.length > 0,
  },
  audit: {
    title: "Audit result",
    colour: (model) => AUDIT[model.audit]?.hue ?? null,
    mark: (model) => AUDIT[model.audit]?.mark ?? "",
    entries: () => [
      ...Object.entries(AUDIT)
        .filter(([result]) => MODELS.some((model) => model.audit === result))
        .map(([result, { hue, mark }]) => [result, hue, mark]),
      ["nothing to say", null, ""],
    ],
    occurs: () => MODELS.some((model) => model.audit),
  },
};

const colourOf = (model) => COLOURINGS[state.colour].colour(model) ?? theme.neutral;
const markOf = (model) => COLOURINGS[state.colour].mark(model);

// Black or white, whichever reads better on a colour; luminance after WCAG 2.
function inkOn(colour) {
  const linear = channels(colour).map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
  const luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  return luminance > 0.179 ? "#000000" : "#ffffff";
}
