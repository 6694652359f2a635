// Facts in words and numbers.
const FACTS = {
  architecture: "Architecture",
  parameters: "Parameters",
  format: "Format",
  source: "Source",
  weights: "Weights",
  license: "Licence",
  created: "Created",
  library: "Library",
  sha256: "SHA-256",
};
const PLACED = new Set(["name", "id", "short", "slot", "claims", "family", "generation", "role", "status", "message", "features", "measured", "audit"]);
const SIGNED =
  /^(scale|norm_growth|init_drift|kurtosis_growth|rank_loss|precision_loss|lattice_loss|spread_gain|sparsity_gain|masked|units_lost|adapter_gain|rows_added|parts_added|created|declared|linearized\.asymmetry|detector\.direction|order_lost|format_lost|merge_base|(counter|direction)\..+)$/;
const isSigned = (signal) => SIGNED.test(signal); // negative values speak for the other direction

const ROLES = {
  root: "Root",
  child: "Child",
  merge: "Merge",
  isolated: "Without relatives",
  unseen: "Unseen ancestor, not in the zoo",
};

const whole = new Intl.NumberFormat("en");
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });

const percent = (share) => (share === 1 ? "100 %" : `${(Math.min(share, 0.999) * 100).toFixed(1)} %`);
const rounded = (value) => (typeof value === "number" ? String(Number(value.toPrecision(4))) : String(value));
const plural = (number, noun) => `${whole.format(number)} ${noun}${number === 1 ? "" : "s"}`;

function parameters(number) {
  return number < 10000 ? whole.format(number) : `${compact.format(number)} (${whole.format(number)})`;
}

// [name, text] of every fact that the panel lists: the known ones first, then whatever else the model carries.
function factsOf(model) {
  const names = [...Object.keys(FACTS), ...Object.keys(model).filter((key) => !(key in FACTS) && !PLACED.has(key))];
  return names
    .filter((key) => model[key] !== undefined && model[key] !== "" && model[key] !== 0)
    .map((key) => [FACTS[key] ?? key, key === "parameters" ? parameters(model[key]) : String(model[key])]);
}

const isSpliced = (model) => model.role === "merge" && PARENT_EDGES[model.id].every((edge) => edge.kind === "splice");

function describe(model) {
  if (isFailed(model)) return "Could not be read";
  const parts = [isSpliced(model) ? "Splice" : (ROLES[model.role] ?? model.role)];
  if (model.role !== "isolated") parts.push(`family ${model.family}`, `generation ${model.generation}`);
  return parts.join(" · ");
}
