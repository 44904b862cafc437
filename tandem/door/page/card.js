// A card's answer: the outline over the picture, fields, checks, and the card straightened from its four corners.
import { checkName, fieldName, t } from "/page/words.js";

const RECTIFIED = { width: 506, height: 319 };

export function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

export async function bitmapOf(file) {
  try { return await createImageBitmap(file, { imageOrientation: "from-image" }); } catch { return null; }
}

export function drawPicture(canvas, bitmap, cards) {
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  const unit = Math.max(bitmap.width, bitmap.height) / 400;
  for (const card of cards) {
    outline(context, card.quad, "#0b6bcb", unit * 1.4);
    for (const box of Object.values(card.boxes ?? {})) if (box) outline(context, box, "#12a06e", unit * 0.7);
    const [x, y] = card.quad[0];
    context.fillStyle = "#0b6bcb";
    context.beginPath();
    context.arc(x, y, unit * 2.4, 0, 2 * Math.PI);
    context.fill();
  }
  canvas.dataset.outlines = String(cards.length);
}

function outline(context, quad, colour, width) {
  context.beginPath();
  quad.forEach(([x, y], at) => (at ? context.lineTo(x, y) : context.moveTo(x, y)));
  context.closePath();
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.lineJoin = "round";
  context.stroke();
}

export function cardPanel(card, bitmap) {
  const panel = element("article", "card");
  const head = element("h2", "", t(card.side));
  if (card.score !== undefined) head.append(element("small", "", `${t("found")} ${(card.score * 100).toFixed(0)} %`));
  panel.append(head, fieldList(card), checkList(card.checks));
  if (bitmap && card.quad) panel.append(rectified(bitmap, card.quad));
  return panel;
}

function fieldList(card) {
  const list = element("dl");
  for (const [field, text] of Object.entries(card.fields)) {
    const sure = card.confidence?.[field];
    const percent = sure === undefined ? "" : `${Math.floor(sure * 100)} %`;
    list.append(element("dt", "", fieldName(field)), element("dd", "", text || "—"));
    list.append(element("dd", sure < 0.8 ? "sure low" : "sure", percent));
  }
  return list;
}

function checkList(checks) {
  const list = element("ul", "checks");
  for (const [check, value] of Object.entries(checks ?? {})) {
    const good = check === "expired" ? value === false : value === true;
    const mark = value === null ? "?" : good ? "✓" : "✗";
    list.append(element("li", value === null ? "unknown" : good ? "yes" : "no", `${mark} ${checkName(check)}`));
  }
  return list;
}

function rectified(bitmap, quad) {
  const source = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d", { willReadFrequently: true });
  source.drawImage(bitmap, 0, 0);
  const from = source.getImageData(0, 0, bitmap.width, bitmap.height);
  const canvas = element("canvas", "rectified");
  Object.assign(canvas, RECTIFIED);
  const context = canvas.getContext("2d");
  const to = context.createImageData(RECTIFIED.width, RECTIFIED.height);
  const map = unitSquareTo(quad);
  const source32 = new Uint32Array(from.data.buffer), target32 = new Uint32Array(to.data.buffer);
  for (let row = 0; row < RECTIFIED.height; row++) {
    for (let column = 0; column < RECTIFIED.width; column++) {
      const [x, y] = map((column + 0.5) / RECTIFIED.width, (row + 0.5) / RECTIFIED.height);
      const inside = x >= 0 && y >= 0 && x < bitmap.width && y < bitmap.height;
      target32[row * RECTIFIED.width + column] = inside ? source32[(y | 0) * bitmap.width + (x | 0)] : 0;
    }
  }
  context.putImageData(to, 0, 0);
  return canvas;
}

// The projective map of the unit square to a quad (Heckbert, "Fundamentals of texture mapping", 1989, section 2.2.3).
function unitSquareTo([[x0, y0], [x1, y1], [x2, y2], [x3, y3]]) {
  const sx = x0 - x1 + x2 - x3, sy = y0 - y1 + y2 - y3;
  const dx1 = x1 - x2, dx2 = x3 - x2, dy1 = y1 - y2, dy2 = y3 - y2;
  const det = dx1 * dy2 - dx2 * dy1;
  const g = (sx * dy2 - dx2 * sy) / det, h = (dx1 * sy - sx * dy1) / det;
  const a = x1 - x0 + g * x1, b = x3 - x0 + h * x3, d = y1 - y0 + g * y1, e = y3 - y0 + h * y3;
  return (u, v) => {
    const w = g * u + h * v + 1;
    return [(a * u + b * v + x0) / w, (d * u + e * v + y0) / w];
  };
}
