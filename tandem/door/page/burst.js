// Sixteen requests at once, and how Triton batched them: its counters are read while they are answered.
import { counters, grown, send } from "/page/api.js";
import { element } from "/page/card.js";
import { t } from "/page/words.js";

const COUNT = 16;
const LOOK_MS = 120;

export async function sendSixteen(panel, service, file) {
  panel.hidden = false;
  const items = panel.querySelector(".sixteen-items");
  const lanes = panel.querySelector(".lanes");
  const sum = panel.querySelector(".sum");
  sum.textContent = "";
  items.replaceChildren(...Array.from({ length: COUNT }, (_, at) => element("li", "sent", String(at + 1))));
  const before = await counters();
  const drawn = new Map(service.steps.map((step) => [step, lane(step)]));
  lanes.replaceChildren(...[...drawn.values()].map((each) => each.root));
  let answered = 0, ok = 0;
  const began = performance.now();
  const all = Promise.all([...items.children].map(async (item) => {
    try {
      await send(service.name, [file]);
      item.className = "done";
      ok += 1;
    } catch {
      item.className = "failed";
    }
    answered += 1;
  }));
  const look = async () => {
    const now = await counters();
    for (const [step, each] of drawn) each.show(grown(before[step], now[step]).sizes);
  };
  while (answered < COUNT) {
    await Promise.race([all, new Promise((done) => setTimeout(done, LOOK_MS))]);
    await look();
  }
  await all;
  const seconds = (performance.now() - began) / 1000;
  await look();
  const after = await counters();
  const [step, sizes] = slowest(service.steps, before, after);
  panel.dataset.two = String(sizes[2] ?? 0);
  panel.dataset.one = String(sizes[1] ?? 0);
  sum.textContent = t("burst_sum", {
    ok, s: seconds.toFixed(1), rate: (ok / seconds).toFixed(1), step, two: sizes[2] ?? 0, one: sizes[1] ?? 0,
  });
}

// A row of batches that only grows: each is drawn when a counter first tells of it.
function lane(step) {
  const root = element("div", "lane");
  const batches = element("div", "batches");
  const shown = {};
  root.append(element("span", "", step), batches);
  const show = (sizes) => {
    for (const [size, count] of Object.entries(sizes)) {
      for (; (shown[size] ?? 0) < count; shown[size] = (shown[size] ?? 0) + 1) {
        const batch = element("span", Number(size) === 2 ? "batch two" : "batch");
        batch.append(...Array.from({ length: Number(size) }, () => element("i")));
        batches.append(batch);
      }
    }
  };
  return { root, show };
}

function slowest(steps, before, after) {
  const all = steps.map((step) => [step, grown(before[step], after[step])]);
  const [step, most] = all.reduce((a, b) => (b[1].computeMs > a[1].computeMs ? b : a));
  return [step, most.sizes];
}
