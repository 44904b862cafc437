// The page: a tab a service, a tab for the server's load.
import { Refused, counters, get, grown, send, setKey } from "/page/api.js";
import { sendSixteen } from "/page/burst.js";
import { bitmapOf, cardPanel, drawPicture, element } from "/page/card.js";
import { showLoad } from "/page/load.js";
import { record } from "/page/record.js";
import { switchLanguage, t, translate } from "/page/words.js";

const find = (selector, root = document) => root.querySelector(selector);
const LOAD = "load";
let told = { services: [], keys: false };
let chosen = "id_card";
let leave = () => {};

function fromTemplate(name) {
  const root = element("div");
  root.append(find(`#${name}`).content.cloneNode(true));
  translate(root);
  return root;
}

function show(name) {
  leave();
  leave = () => {};
  chosen = name;
  for (const tab of find("#tabs").children) tab.setAttribute("aria-selected", String(tab.dataset.name === name));
  const main = find("#main");
  if (name === LOAD) {
    const root = fromTemplate("load-tab");
    main.replaceChildren(root);
    leave = showLoad(root, told.services);
    return;
  }
  const service = told.services.find((each) => each.name === name);
  main.replaceChildren(name === "id_card" ? cardTab(service) : generalTab(service));
}

function say(root, text, bad = false) {
  const message = find(".message", root);
  message.textContent = text;
  message.classList.toggle("bad", bad);
}

const reason = (error) => (error instanceof Refused ? t("failed") + error.message : t("away"));

// -- Identity cards --------------------------------------------------------------------------------------------------
function cardTab(service) {
  const root = fromTemplate("card-tab");
  const drop = find(".drop", root);
  let latest = null;
  const take = (files) => {
    if (!files.length) return;
    latest = files[0];
    readCards(root, service, [...files].slice(0, 4));
  };
  drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => { event.preventDefault(); drop.classList.remove("over"); take(event.dataTransfer.files); });
  for (const input of root.querySelectorAll(".file")) input.addEventListener("change", () => { take(input.files); });
  find(".sample", root).addEventListener("click", async () => take([await sample()]));
  const sixteen = find(".sixteen", root);
  sixteen.addEventListener("click", async () => {
    sixteen.disabled = true;
    try { await sendSixteen(find(".burst", root), service, latest ?? (await sample())); } catch (error) { say(root, reason(error), true); }
    sixteen.disabled = false;
  });
  const paste = (event) => take([...event.clipboardData.files]);
  document.addEventListener("paste", paste);
  leave = () => document.removeEventListener("paste", paste);
  return root;
}

async function sample() {
  const response = await fetch("/page/sample.jpg");
  return new File([await response.blob()], "sample.jpg", { type: "image/jpeg" });
}

async function readCards(root, service, files) {
  say(root, t("reading"));
  const panels = find(".cards", root), result = find(".result", root);
  try {
    const before = await counters().catch(() => null);
    const { value, tookMs, timing } = await send(service.name, files);
    const after = before && (await counters().catch(() => null));
    const answers = value.answers ?? [value];
    const bitmaps = await Promise.all(files.map(bitmapOf));
    const made = answers.flatMap((answer, at) => answer.cards.map((card) => cardPanel(card, answers.length === files.length ? bitmaps[at] : null)));
    if (value.person) made.unshift(cardPanel({ side: "person", ...value.person }, null));
    panels.replaceChildren(...made);
    const canvas = find(".picture canvas", root);
    canvas.hidden = !bitmaps[0];
    if (bitmaps[0]) drawPicture(canvas, bitmaps[0], answers.length === files.length ? answers[0].cards : []);
    result.hidden = false;
    say(root, made.length ? others(answers) : `${t("no_card")} ${others(answers)}`);
    if (after) showTimes(find(".times", root), service, before, after, tookMs, timing, files.length);
  } catch (error) {
    result.hidden = true;
    find(".times", root).hidden = true;
    say(root, reason(error), true);
  }
}

function others(answers) {
  const kinds = answers.flatMap((answer) => (answer.others ?? []).map((other) => other.kind));
  return kinds.length ? t("others") + kinds.join(", ") : "";
}

function showTimes(panel, service, before, after, tookMs, timing, asked) {
  panel.hidden = false;
  const steps = service.steps.map((step) => [step, grown(before[step], after[step])]);
  const rows = [[t("door"), 0, timing.door ?? 0], ...steps.map(([step, more]) => [step, more.queueMs / Math.max(more.requests, 1), more.computeMs / Math.max(more.requests, 1)])];
  const most = rows.reduce((sum, [, queue, compute]) => sum + queue + compute, 0) || 1;
  let at = 0;
  const bars = rows.map(([name, queue, compute]) => {
    const bar = element("div", "bar"), track = element("div", "track");
    for (const [ms, kind] of [[queue, "waiting"], [compute, ""]]) {
      const piece = element("i", kind);
      piece.style.left = `${(at / most) * 100}%`;
      piece.style.width = `${(ms / most) * 100}%`;
      at += ms;
      track.append(piece);
    }
    bar.append(element("span", "", name), track, element("span", "value", `${(queue + compute).toFixed(1)} ms`));
    return bar;
  });
  find(".bars", panel).replaceChildren(...bars);
  const paired = steps.filter(([, more]) => more.sizes[2]).map(([step]) => step);
  const busy = steps.some(([, more]) => more.requests > asked);
  const batch = paired.length ? t("batch_pair", { steps: paired.join(", ") }) : t("batch_alone");
  find(".note", panel).textContent = [`${tookMs.toFixed(0)} ms.`, batch, t("time_note"), busy ? t("with_others") : ""].join(" ");
}

// -- Any other service -----------------------------------------------------------------------------------------------
function generalTab(service) {
  const root = fromTemplate("general-tab");
  find(".summary", root).textContent = service.summary;
  const item = find(".item", root), options = find(".options", root);
  let spoken = null;
  if (service.input === "TEXT") {
    const area = element("textarea");
    area.setAttribute("aria-label", t("text_here"));
    item.append(area);
  } else {
    const file = element("input");
    file.type = "file";
    file.accept = service.content_types.map((kind) => (kind.endsWith("/") ? `${kind}*` : kind)).join(",");
    item.append(file);
    if (service.input === "AUDIO") item.append(recorder((blob) => { spoken = blob; find("form", root).requestSubmit(); }, root));
  }
  for (const option of service.options) {
    const label = element("label", "", option.name), input = element("input");
    input.name = option.name;
    input.type = option.type === "boolean" ? "checkbox" : ["integer", "number"].includes(option.type) ? "number" : "text";
    if (option.default !== null && option.default !== undefined) input.placeholder = String(option.default);
    label.append(input);
    options.append(label);
  }
  find("form", root).addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = find("textarea", root)?.value;
    const content = text !== undefined ? new Blob([text], { type: "text/plain" }) : spoken ?? find("input[type=file]", root).files[0];
    spoken = null;
    if (!content) return;
    const given = [...options.querySelectorAll("input")].map((input) => [input.name, input.type === "checkbox" ? String(input.checked) : input.value]);
    await sendGeneral(root, service, content, Object.fromEntries(given.filter(([, value]) => value !== "" && value !== "false")));
  });
  if (!service.steps) say(root, t("not_served"), true);
  return root;
}

function recorder(done, root) {
  const button = element("button", "button", t("record"));
  button.type = "button";
  let stop = null;
  button.addEventListener("click", async () => {
    if (stop) {
      const blob = stop();
      stop = null;
      button.textContent = t("record");
      done(blob);
      return;
    }
    try {
      stop = await record();
      button.textContent = t("stop");
    } catch (error) { say(root, t("failed") + error.message, true); }
  });
  return button;
}

async function sendGeneral(root, service, content, options) {
  const output = find(".json", root);
  say(root, t("reading"));
  output.hidden = true;
  try {
    const { value, tookMs } = await send(service.name, [content], options);
    output.textContent = JSON.stringify(value, null, 2);
    output.hidden = false;
    say(root, `${tookMs.toFixed(0)} ms`);
  } catch (error) { say(root, reason(error), true); }
}

// -- Begin -----------------------------------------------------------------------------------------------------------
function drawTabs() {
  const names = [...told.services.map((service) => service.name), LOAD];
  find("#tabs").replaceChildren(...names.map((name) => {
    const tab = element("button", "", name === LOAD ? t("load") : name);
    tab.type = "button";
    tab.dataset.name = name;
    tab.setAttribute("role", "tab");
    tab.addEventListener("click", () => show(name));
    return tab;
  }));
  translate(document);
  find("#language").textContent = t("language");
  show(chosen);
}

find("#language").addEventListener("click", () => { switchLanguage(); drawTabs(); });
find("#key").addEventListener("input", (event) => setKey(event.target.value));
get("/page/services.json").then((answer) => {
  told = answer;
  find("#key-row").hidden = !told.keys;
  if (!told.services.some((service) => service.name === chosen)) chosen = told.services[0]?.name ?? LOAD;
  drawTabs();
});
