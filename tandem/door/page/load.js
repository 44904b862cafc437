// What the server does now, and the planner's curve for what it measured.
import { counters, get, grown } from "/page/api.js";
import { element } from "/page/card.js";
import { t } from "/page/words.js";

const EVERY_MS = 2000;
const BOX = { width: 720, height: 300, left: 56, right: 16, top: 14, bottom: 40 };
const HIGHEST = 6; // of the curve, times s(1)

export function showLoad(root, services) {
  let before = null, beforeMs = 0, going = true;
  const steps = [...new Set(services.flatMap((service) => service.steps ?? []))];
  const body = root.querySelector("tbody");
  const look = async () => {
    if (!going) return;
    try {
      const now = await counters(), nowMs = performance.now();
      if (before) body.replaceChildren(...steps.map((step) => row(step, grown(before[step], now[step]), (nowMs - beforeMs) / 1000)));
      else body.replaceChildren(...steps.map((step) => row(step, grown(now[step], now[step]), 1)));
      before = now;
      beforeMs = nowMs;
    } catch { body.replaceChildren(); }
    setTimeout(look, EVERY_MS);
  };
  look();
  const made = services.find((service) => service.steps);
  if (made) showCurve(root, made.name);
  return () => { going = false; };
}

function row(step, more, seconds) {
  const made = element("tr");
  const each = (ms) => (more.requests ? (ms / more.requests).toFixed(1) : "–");
  const cells = [step, (more.items / seconds).toFixed(1), each(more.queueMs), each(more.computeMs), `${more.sizes[1] ?? 0} · ${more.sizes[2] ?? 0}`];
  made.append(...cells.map((text) => element("td", "", text)));
  return made;
}

async function showCurve(root, service) {
  const note = root.querySelector(".curve-note");
  const told = await get(`/page/curve.json?service=${service}`).catch(() => ({ state: "absent" }));
  if (told.state !== "measured") {
    note.textContent = t(told.state === "unmeasured" ? "curve_none" : "curve_absent");
    return;
  }
  note.textContent = t("curve_note", { step: told.step, s1: told.service_ms[0].toFixed(1), s2: told.service_ms[1].toFixed(1) });
  root.querySelector(".curve").replaceChildren(chart(told));
}

function svg(name, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function chart(told) {
  const { width, height, left, right, top, bottom } = BOX;
  const most = Math.max(...told.curves.flatMap((curve) => curve.points.map(([rate]) => rate)));
  const high = told.service_ms[0] * HIGHEST;
  const x = (rate) => left + (rate / most) * (width - left - right);
  const y = (ms) => height - bottom - (Math.min(ms, high) / high) * (height - top - bottom);
  const made = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" });
  made.append(svg("path", { class: "axis", d: `M${left} ${top}V${height - bottom}H${width - right}` }));
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    made.append(svg("text", { x: x(most * share), y: height - 20, "text-anchor": "middle" }, (most * share).toFixed(1)));
    made.append(svg("text", { x: left - 8, y: y(high * share) + 4, "text-anchor": "end" }, (high * share).toFixed(0)));
  }
  made.append(svg("text", { x: (width + left) / 2, y: height - 4, "text-anchor": "middle" }, t("curve_x")));
  made.append(svg("text", { x: left + 8, y: top + 8 }, t("curve_y")));
  told.curves.forEach((curve, at) => {
    const shown = curve.points.filter(([, ms]) => ms !== null && ms <= high);
    made.append(svg("path", { class: `m${curve.max_batch}`, d: shown.map(([rate, ms], i) => `${i ? "L" : "M"}${x(rate)} ${y(ms)}`).join("") }));
    const label = `— ${t(curve.max_batch === 1 ? "one" : "two")}`;
    made.append(svg("text", { x: left + 130, y: top + 8 + at * 18, class: `label m${curve.max_batch}` }, label));
  });
  return made;
}
