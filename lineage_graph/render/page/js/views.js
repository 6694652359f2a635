// The pictures of the graph, and the one that is looked at. All of them draw from `state`; none keeps a state of its own
// but its camera. A view is an object in `views`:
//
//   title         what its tab says
//   element       its container, an element of the page's <main>; shown only while the view is looked at
//   mount()       called once, before its first drawing: make the canvas, listen to the pointer in it. The pointer speaks
//                 through hover(target), choose(kind, id) and change({ chosen: null }), target being
//                 null or { kind: "model" | "edge" | "fold", id }; a fold is a family of a zoo that is drawn folded
//   draw()        paint everything anew, at once; called after every change of the state, of the theme and of the size
//   open()        place the camera as the view comes to be looked at, or changes its size
//   fit()         show everything
//   reveal(id)    bring a model into freeArea(), the part of the view that the panel leaves free
//   revealFold(id)  the same for a folded family
//   zoom(factor)  come closer (above 1) or go back
//   step(key)     the model that "ArrowUp", "ArrowDown", "ArrowLeft" or "ArrowRight" leads to from state.chosen, or null
//   paint(ctx)    paint what is on the screen, in CSS pixels of the container, into any 2D context: a larger canvas for PNG,
//                 a PictureContext (picture.js) for SVG and paper. What that context knows is listed there
//   legend()      what its pictures mean besides the colours of models: [...group(title, [key(text, paint), …]), …], where
//                 paint(ctx) paints into 28 × 24 pixels (legend.js)
//   fit and paint are null where there is no camera and no picture.
//   boxes()       for tests: [{ name, x, y, model: [left, top, right, bottom] }] of the models shown, in pixels
//
// What a view asks while it paints:
//   isShown("models" | "edges", id)   false: filtered away, is not painted and does not answer the pointer
//   isLit("models" | "edges", id)     false: paint it with DIM, for something else is looked at
//   colourOf(model), markOf(model)    the fill by state.colour, and the short text that says the same ("" for families)
//   theme                             the page's colours: ink, muted, line, ground, band, edge, accent, …; theme.font
// DATA.ring holds what Python computed for the ring (null: there is none). All files are one function: prefix your names.
const views = {};

const view = () => views[state.view];
const mounted = new Set();

const redraw = () => view().draw();

function hover(target) {
  if (!same(state.hovered, target)) change({ hovered: target });
}

function showView() {
  for (const [name, one] of Object.entries(views)) one.element.hidden = name !== state.view;
  if (!mounted.has(state.view)) {
    mounted.add(state.view);
    view().mount();
  }
  view().open();
  if (state.chosen) revealChosen();
}

// The model that is chosen, the child of the edge, or the family.
function revealChosen() {
  const { kind, id } = state.chosen;
  if (kind === "fold") view().revealFold(id);
  else view().reveal(kind === "model" ? id : EDGES[id].to);
}

onChange((before) => {
  if (before.view !== state.view) showView();
  redraw();
});
