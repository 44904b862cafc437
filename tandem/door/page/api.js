// What the page asks of the door, and nothing else: every address is the door's own.
let key = "";
export const setKey = (text) => { key = text.trim(); };
const headers = () => (key ? { Authorization: `Bearer ${key}` } : {});

export class Refused extends Error {}

async function answer(response) {
  const text = await response.text();
  let value;
  try { value = JSON.parse(text); } catch { throw new Refused(response.statusText); }
  if (!response.ok) throw new Refused(value.detail ?? response.statusText);
  return value;
}

export async function get(path) {
  return answer(await fetch(path, { headers: headers(), cache: "no-store" }));
}

export async function send(service, files, options = {}) {
  const query = new URLSearchParams(options).toString();
  const form = new FormData();
  for (const file of files) form.append("file", file, file.name ?? "item");
  const began = performance.now();
  const response = await fetch(`/v1/${service}${query ? `?${query}` : ""}`, { method: "POST", body: form, headers: headers() });
  const value = await answer(response);
  return { value, tookMs: performance.now() - began, timing: timing(response.headers.get("server-timing") ?? "") };
}

function timing(text) {
  return Object.fromEntries([...text.matchAll(/(\w+);dur=([\d.]+)/g)].map(([, name, ms]) => [name, Number(ms)]));
}

// Triton's counters by model.
export async function counters() {
  const told = await get("/v2/models/stats");
  return Object.fromEntries(told.model_stats.map((each) => [each.name, each]));
}

// How counters grew between two moments: items, nanoseconds, and executions by batch size.
export function grown(before, after) {
  const was = (path) => path.split(".").reduce((at, name) => at?.[name], before) ?? 0;
  const is = (path) => path.split(".").reduce((at, name) => at?.[name], after) ?? 0;
  const more = (path) => is(path) - was(path);
  const parts = ["compute_input", "compute_infer", "compute_output"];
  const sizes = {};
  for (const each of after.batch_stats ?? []) {
    const old = (before?.batch_stats ?? []).find((one) => one.batch_size === each.batch_size);
    const count = each.compute_infer.count - (old?.compute_infer.count ?? 0);
    if (count) sizes[each.batch_size] = count;
  }
  return {
    items: more("inference_count"), requests: more("inference_stats.success.count"),
    queueMs: more("inference_stats.queue.ns") / 1e6,
    computeMs: parts.reduce((sum, part) => sum + more(`inference_stats.${part}.ns`), 0) / 1e6, sizes,
  };
}
