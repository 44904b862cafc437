// The page's words in both languages, and what a card's fields and checks are called in English.
const WORDS = {
  en: {
    motto: "two at a time", api: "Use it from your program", language: "中文", key: "API key",
    nothing_stored: "Nothing is stored: what you send is answered and forgotten, here and on the server.",
    drop: "Drop, paste or photograph an identity card",
    drop_how: "JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP, TIFF or PDF, up to 20 MiB; both sides at once, if you like",
    choose: "Choose a file", photograph: "Photograph", sample: "Take the sample", sixteen: "Send sixteen",
    reading: "Reading …", no_card: "No resident identity card in this picture.", others: "Seen as well: ",
    portrait: "Portrait side", emblem: "Emblem side", person: "Both sides together", found: "found with",
    where_time: "Where the time went", queue_for: "waiting", door: "the door",
    time_note: "By the server's own counters, before and after this request. Pale: waiting for a place or a partner.",
    with_others: "Others asked meanwhile: their requests are in these times too.",
    batch_alone: "It went alone.", batch_pair: "At {steps} it shared its batch with another request.",
    burst_title: "Sixteen requests", burst_note: "Sixteen requests at once; below, how Triton batched them at each step, by its own counters.",
    burst_sum: "{ok} of 16 answered in {s} s: {rate} cards a second. At the {step}, {two} batches of two and {one} of one.",
    load_title: "What the server does now", load_note: "By the server's own counters, over the latest two seconds.",
    model: "model", rate: "items/s", queue: "waits, ms", compute: "works, ms", sizes: "batches of 1 · 2",
    curve_title: "Is two right here?",
    curve_note: "Mean time at {step}, the slowest step, by arrival rate: the model's exact answer for s(1) = {s1} ms and s(2) = {s2} ms, which this server measured since its start.",
    curve_none: "Nothing measured yet: send sixteen first.", curve_absent: "The planner isn't installed beside this door.",
    curve_x: "items a second", curve_y: "mean time, ms", one: "one at a time", two: "batches of two",
    send: "Send", text_here: "Text", failed: "It failed: ", away: "The server can't be reached.",
    not_served: "This server doesn't serve it.", load: "Load", record: "Speak", stop: "Stop",
  },
  zh: {
    motto: "两张一批", api: "在程序中使用", language: "English", key: "API 密钥",
    nothing_stored: "不保存任何内容：您发送的内容答复后即被丢弃，本页与服务器均不留存。",
    drop: "拖入、粘贴或拍摄身份证", drop_how: "JPEG、PNG、WebP、HEIC、AVIF、GIF、BMP、TIFF 或 PDF，不超过 20 MiB；可同时选择正反两面",
    choose: "选择文件", photograph: "拍照", sample: "使用样例", sixteen: "连发十六张",
    reading: "正在识别……", no_card: "图片中没有居民身份证。", others: "另外看到：",
    portrait: "人像面", emblem: "国徽面", person: "正反两面合并", found: "检出置信度",
    where_time: "时间花在哪里", queue_for: "等待", door: "入口",
    time_note: "取自服务器自身计数器在本次请求前后的差值。浅色：等待空位或同伴。",
    with_others: "期间还有其他请求，其用时也计入其中。", batch_alone: "本次单独成批。", batch_pair: "在 {steps} 与另一请求同批。",
    burst_title: "十六个请求", burst_note: "同时发出十六个请求；下方是 Triton 在每一步如何成批，取自其自身计数器。",
    burst_sum: "{ok}/16 已答复，用时 {s} 秒：每秒 {rate} 张。在 {step}：两张一批 {two} 次，单张 {one} 次。",
    load_title: "服务器当前状态", load_note: "取自服务器自身计数器，最近两秒。",
    model: "模型", rate: "每秒", queue: "等待 毫秒", compute: "计算 毫秒", sizes: "1 张批 · 2 张批",
    curve_title: "这里用两张一批合适吗？",
    curve_note: "最慢一步 {step} 的平均用时随到达率的变化：按本服务器启动以来测得的 s(1) = {s1} 毫秒、s(2) = {s2} 毫秒精确求解。",
    curve_none: "尚无测量：请先连发十六张。", curve_absent: "此入口未安装规划器。",
    curve_x: "每秒到达", curve_y: "平均用时 毫秒", one: "一张一批", two: "两张一批",
    send: "发送", text_here: "文本", failed: "失败：", away: "无法连接服务器。", not_served: "此服务器未提供该服务。", load: "负载",
    record: "说话", stop: "停止",
  },
};
const FIELDS = {
  姓名: "name", 性别: "sex", 民族: "ethnic group", 出生: "born", 住址: "address", 公民身份号码: "number", 签发机关: "issued by", 有效期限: "valid",
};
const CHECKS = {
  number_checksum: ["check digit", "校验码"], birth_matches_number: ["birth ↔ number", "出生与号码"], sex_matches_number: ["sex ↔ number", "性别与号码"],
  region_known: ["region known", "地区代码"], validity_span: ["validity span", "有效年限"], expired: ["not expired", "未过期"],
  one_person: ["one person", "同一人"], validity_matches_age: ["validity ↔ age", "年限与年龄"], issued_after_birth: ["issued after birth", "签发晚于出生"],
  authority_matches_address: ["authority ↔ address", "机关与住址"],
};
let language = navigator.language.startsWith("zh") ? "zh" : "en";

export function t(key, values = {}) {
  return (WORDS[language][key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name]);
}
export const fieldName = (field) => (language === "zh" ? field : `${field} ${FIELDS[field] ?? ""}`);
export const checkName = (check) => CHECKS[check]?.[language === "zh" ? 1 : 0] ?? check;
export function translate(root) {
  for (const element of root.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
}
export function switchLanguage() {
  language = language === "zh" ? "en" : "zh";
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
}
export const currentLanguage = () => language;
