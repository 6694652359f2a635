// The curves as a picture that is kept: thousands of them take longer to paint than the reader's hand takes to move. While
// the camera moves the picture is moved and stretched with it, and painted anew once it rests.
const RING_REST = 120; // milliseconds
const RING_FEW = 150; // curves that are painted anew in any case
const ringLayer = { canvas: document.createElement("canvas"), of: null, camera: null, timer: 0 };

// What the picture shows, but for the camera. `shown` is another object whenever the filters change.
const ringLayerOf = () => [shown, theme.dark, ringCanvas.width, ringCanvas.height];
const ringLayerFits = () => ringLayer.of !== null && ringLayerOf().every((value, index) => value === ringLayer.of[index]);
const ringLayerRests = () => ["x", "y", "radius"].every((key) => ringLayer.camera[key] === ringCamera[key]);

function ringPaintAll(ctx, most) {
  ringPaintCurves(ctx, ringCamera.radius, { most });
}

function ringRenewLayer() {
  clearTimeout(ringLayer.timer);
  ringLayer.timer = 0;
  const { width, height } = ringCanvas;
  Object.assign(ringLayer.canvas, { width, height }); // which empties it
  const ctx = ringLayer.canvas.getContext("2d");
  const ratio = window.devicePixelRatio || 1;
  ctx.scale(ratio, ratio);
  ctx.translate(ringCamera.x, ringCamera.y);
  ringPaintAll(ctx, 1);
  ringLayer.of = ringLayerOf();
  ringLayer.camera = { ...ringCamera };
}

// The kept picture where there is one; in a context whose origin is the centre of the ring.
function ringPaintLayer(ctx, most) {
  if (!ringLayerFits() || (!ringLayerRests() && ringCurves().length < RING_FEW)) ringRenewLayer();
  else if (!ringLayerRests()) {
    clearTimeout(ringLayer.timer);
    ringLayer.timer = setTimeout(() => {
      ringRenewLayer();
      redraw();
    }, RING_REST);
  }
  const { x, y, radius } = ringLayer.camera;
  const by = ringCamera.radius / radius;
  const ratio = window.devicePixelRatio || 1;
  const { width, height } = ringLayer.canvas;
  ctx.globalAlpha = most;
  ctx.drawImage(ringLayer.canvas, -x * by, -y * by, (width / ratio) * by, (height / ratio) * by);
  ctx.globalAlpha = 1;
}
