// Wire everything together and draw.
function repaint() {
  readTheme();
  paintLegend();
  redraw();
}

const placeLegend = () => (byId("legend").open = !narrow());
placeLegend();
narrowScreen.addEventListener("change", placeLegend);
darkScheme.addEventListener("change", repaint);
onChange((before) => {
  if (before.theme !== state.theme) repaint();
});
buildToolbar();
readTheme();
paintLegend();
showView();
followAddress();
performance.mark("lineage-drawn");

// The camera starts anew when the reader makes more or less room, not when the legend of other colours takes some.
const reopen = () => requestAnimationFrame(() => view().open());
window.addEventListener("resize", reopen);
byId("legend").querySelector("summary").addEventListener("click", reopen);
new ResizeObserver(redraw).observe(byId("views"));

// For the console and for tests.
window.lineage = Object.freeze({ network, state, views, points, colourOf, markOf, boxes: () => view().boxes(), cards: cardBoxes, handles: () => layout.handles, models: MODELS, edges: EDGES });
