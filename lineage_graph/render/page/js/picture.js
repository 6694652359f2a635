// A drawing context that makes SVG of what is painted: the part of CanvasRenderingContext2D that the views use. All else
// that a canvas can do is missing on purpose: a view that calls it fails at once.
const SVG = "http://www.w3.org/2000/svg";

function svgElement(tag, attributes, text = "") {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null) made.setAttribute(name, value);
  if (text) made.textContent = text;
  return made;
}

const short = (number) => Number(number.toFixed(2));

class PictureContext {
  fillStyle = "#000000";
  strokeStyle = "#000000";
  lineWidth = 1;
  lineCap = "butt";
  lineJoin = "miter";
  globalAlpha = 1;
  font = "10px sans-serif";
  textAlign = "start";
  textBaseline = "alphabetic";
  dash = [];
  matrix = new DOMMatrix();
  saved = [];
  path = [];

  constructor(width, height) {
    this.root = svgElement("svg", { xmlns: SVG, width, height, viewBox: `0 0 ${width} ${height}` });
  }

  save() {
    const { fillStyle, strokeStyle, lineWidth, lineCap, lineJoin, globalAlpha, font, textAlign, textBaseline, dash } = this;
    const kept = { fillStyle, strokeStyle, lineWidth, lineCap, lineJoin, globalAlpha, font, textAlign, textBaseline, dash };
    this.saved.push({ ...kept, matrix: DOMMatrix.fromMatrix(this.matrix) });
  }
  restore() {
    Object.assign(this, this.saved.pop());
  }
  translate(x, y) {
    this.matrix.translateSelf(x, y);
  }
  scale(x, y) {
    this.matrix.scaleSelf(x, y);
  }
  rotate(angle) {
    this.matrix.rotateSelf((angle * 180) / Math.PI);
  }
  setLineDash(dash) {
    this.dash = dash;
  }

  beginPath() {
    this.path = [];
  }
  go(command, ...numbers) {
    this.path.push(command + numbers.map(short).join(" "));
  }
  moveTo(x, y) {
    this.go("M", x, y);
  }
  lineTo(x, y) {
    this.go(this.path.length ? "L" : "M", x, y);
  }
  quadraticCurveTo(...numbers) {
    this.go("Q", ...numbers);
  }
  bezierCurveTo(...numbers) {
    this.go("C", ...numbers);
  }
  closePath() {
    this.go("Z");
  }
  arc(x, y, r, from, to, back = false) {
    const turn = back ? from - to : to - from;
    const at = (angle) => [x + r * Math.cos(angle), y + r * Math.sin(angle)];
    const steps = Math.abs(turn) >= 2 * Math.PI - 1e-6 ? 2 : 1; // one command cannot go all the way round
    const sweep = steps === 2 ? 2 * Math.PI : ((turn % (2 * Math.PI)) + 2 * Math.PI) % (2 * Math.PI);
    this.lineTo(...at(from));
    for (let step = 1; step <= steps; step += 1) {
      const end = at(from + ((back ? -1 : 1) * sweep * step) / steps);
      this.go("A", r, r, 0, sweep / steps > Math.PI ? 1 : 0, back ? 0 : 1, ...end);
    }
  }
  rect(x, y, width, height) {
    this.go("M", x, y);
    this.path.push(`h${short(width)}v${short(height)}h${short(-width)}Z`);
  }
  roundRect(x, y, width, height, radius) {
    const r = Math.min(radius, width / 2, height / 2);
    const [w, h] = [width - 2 * r, height - 2 * r].map(short);
    const turn = (dx, dy) => `a${short(r)} ${short(r)} 0 0 1 ${short(dx)} ${short(dy)}`;
    this.go("M", x + r, y);
    this.path.push(`h${w}${turn(r, r)}v${h}${turn(-r, r)}h${-w}${turn(-r, -r)}v${-h}${turn(r, -r)}Z`);
  }

  add(tag, attributes, text) {
    const { a, b, c, d, e, f } = this.matrix;
    const transform = this.matrix.isIdentity ? null : `matrix(${[a, b, c, d, e, f].map((n) => Number(n.toFixed(4))).join(" ")})`;
    const opacity = this.globalAlpha === 1 ? null : short(this.globalAlpha);
    this.root.append(svgElement(tag, { ...attributes, opacity, transform }, text));
  }
  fill() {
    if (this.path.length) this.add("path", { d: this.path.join(""), fill: this.fillStyle });
  }
  stroke() {
    if (!this.path.length) return;
    this.add("path", {
      d: this.path.join(""),
      fill: "none",
      stroke: this.strokeStyle,
      "stroke-width": short(this.lineWidth),
      "stroke-dasharray": this.dash.length ? this.dash.map(short).join(" ") : null,
      "stroke-linecap": this.lineCap === "butt" ? null : this.lineCap,
      "stroke-linejoin": this.lineJoin === "miter" ? null : this.lineJoin,
    });
  }
  fillRect(x, y, width, height) {
    this.add("rect", { x: short(x), y: short(y), width: short(width), height: short(height), fill: this.fillStyle });
  }
  strokeRect(x, y, width, height) {
    this.beginPath();
    this.rect(x, y, width, height);
    this.stroke();
  }

  measureText(text) {
    measuring.font = this.font;
    return measuring.measureText(text);
  }
  // Text stands on its baseline, which every reader of SVG understands.
  fillText(text, x, y, most = Infinity) {
    const [, style, size, family] = /^(.*?)([\d.]+)px (.*)$/.exec(this.font);
    const ascent = (baseline) => {
      measuring.textBaseline = baseline;
      return this.measureText(text).fontBoundingBoxAscent;
    };
    const drop = ascent("alphabetic") - ascent(this.textBaseline);
    this.add(
      "text",
      {
        x: short(x),
        y: short(y + drop),
        "font-family": family,
        "font-size": short(Number(size)),
        "font-weight": style.match(/\d+|bold/)?.[0] ?? null,
        "text-anchor": { center: "middle", right: "end", end: "end" }[this.textAlign] ?? null,
        textLength: this.measureText(text).width > most ? short(most) : null,
        lengthAdjust: this.measureText(text).width > most ? "spacingAndGlyphs" : null,
        fill: this.fillStyle,
      },
      text,
    );
  }
}
