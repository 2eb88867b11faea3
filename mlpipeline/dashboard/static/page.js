// Keeps an open page true, and asks what buttons stand for. Everything shown is made and escaped by the server.
"use strict";

const LOG_LINES = 3000;
const main = document.getElementById("content");
let dragging = null;

// Makes an element's children those of another one, changing as little as possible: focus, selection and scrolling stay.
function morph(old, wanted) {
  const keyed = new Map();
  for (const child of old.children) if (child.dataset && child.dataset.key !== undefined) keyed.set(child.dataset.key, child);
  let at = old.firstChild;
  for (const next of [...wanted.childNodes]) {
    const key = next.dataset && next.dataset.key;
    if (key !== undefined && keyed.has(key)) {
      const known = keyed.get(key);
      if (known !== at) old.insertBefore(known, at);
      update(known, next);
      at = known.nextSibling;
    } else if (at && at.nodeName === next.nodeName && !(at.dataset && at.dataset.key !== undefined) && key === undefined) {
      update(at, next);
      at = at.nextSibling;
    } else {
      old.insertBefore(next, at);
    }
  }
  while (at) {
    const after = at.nextSibling;
    at.remove();
    at = after;
  }
}

function update(old, wanted) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== wanted.nodeValue) old.nodeValue = wanted.nodeValue;
    return;
  }
  for (const each of [...old.attributes]) if (!wanted.hasAttribute(each.name) && each.name !== "open") old.removeAttribute(each.name);
  for (const each of wanted.attributes) if (old.getAttribute(each.name) !== each.value) old.setAttribute(each.name, each.value);
  morph(old, wanted);
}

function receive(regions) {
  for (const [id, html] of Object.entries(regions)) {
    const region = document.getElementById(id);
    if (!region || (dragging && region.contains(dragging))) continue;
    const wanted = document.createElement(region.tagName);
    wanted.innerHTML = html;
    morph(region, wanted);
  }
  if (regions.live_tab) document.title = document.getElementById("live_tab").textContent;
  if (!("live_trouble" in regions)) document.getElementById("live_trouble").replaceChildren();
  main.dataset.updated = String(Number(main.dataset.updated || 0) + 1);
}

// A browser opens six connections to one address at a time: a page that nobody sees gives its own back.
function listen() {
  const path = document.body.dataset.live;
  if (!path) return;
  let source = connect(path);
  document.addEventListener("visibilitychange", () => {
    source.close();
    if (!document.hidden) source = connect(path);
  });
  window.addEventListener("pagehide", () => source.close());
  window.addEventListener("pageshow", (event) => event.persisted && location.reload());
}

function connect(path) {
  const connection = document.getElementById("connection");
  const source = new EventSource(path);
  source.addEventListener("open", () => (connection.textContent = ""));
  source.addEventListener("regions", (event) => receive(JSON.parse(event.data)));
  source.addEventListener("log", (event) => appendLog(JSON.parse(event.data)));
  source.addEventListener("curves", (event) => drawCurves(JSON.parse(event.data)));
  source.addEventListener("error", () => {
    const time = new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    if (!connection.textContent) connection.textContent = `The dashboard does not answer since ${time}: what you see is of then.`;
    if (source.readyState === EventSource.CLOSED) {
      // Refused, not unreachable: the session has ended, or is one that this server does not know.
      connection.textContent = "This browser may not look any more: open a new link, of mlpipeline dashboard --link.";
    }
  });
  return source;
}

async function post(path, content) {
  try {
    const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(content) });
    return await answer.json();
  } catch {
    return { state: "refused", message: "The dashboard does not answer." };
  }
}

function toast(told, undo) {
  const made = document.createElement("div");
  made.className = `toast ${told.state}`;
  const text = document.createElement("span");
  text.textContent = told.message;
  made.append(text);
  if (undo && told.state !== "refused") {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "small";
    button.textContent = "Undo";
    button.addEventListener("click", async () => {
      made.remove();
      toast(await undo());
    });
    made.append(button);
  }
  document.getElementById("toasts").append(made);
  setTimeout(() => made.remove(), told.state === "refused" ? 15000 : 10000);
}

function confirmed(text) {
  const dialog = document.getElementById("confirm");
  document.getElementById("confirm-text").textContent = text;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((done) => dialog.addEventListener("close", () => done(dialog.returnValue === "yes"), { once: true }));
}

const OPPOSITE = { hold: "release", release: "hold", pause: "resume", resume: "pause", cancel: "retry" };

async function act(button) {
  const { action, target, confirm } = button.dataset;
  if (confirm && !(await confirmed(confirm))) return;
  button.disabled = true;
  const told = await post(`/actions/${action}`, { target });
  button.disabled = false;
  const opposite = OPPOSITE[action];
  toast(told, opposite && (() => post(`/actions/${opposite}`, { target })));
}

async function send(form) {
  const target = form.dataset.target;
  const content = form.dataset.form === "tag" ? { target, add: [form.elements.add.value] } : { target, text: form.elements.text.value };
  const told = await post(`/actions/${form.dataset.form}`, content);
  if (told.state !== "refused") form.reset();
  toast(told);
}

async function order(list, before) {
  const models = [...list.children].map((each) => each.dataset.model);
  const told = await post("/order", { order: models, digest: list.dataset.digest });
  if (told.state === "refused") list.replaceChildren(...before);
  if (told.message !== "nothing moved") toast(told, () => post("/order/undo", {}));
}

function move(button) {
  const item = button.closest("li"), list = item.parentElement;
  const isUp = button.dataset.move === "-1";
  const other = isUp ? item.previousElementSibling : item.nextElementSibling;
  if (!other) return;
  const before = [...list.children];
  if (isUp) other.before(item);
  else other.after(item);
  button.focus();
  order(list, before);
}

function startDrag(event) {
  const grip = event.target.closest(".grip");
  if (!grip || event.button) return;
  event.preventDefault();
  const item = grip.closest("li"), list = item.parentElement;
  const before = [...list.children];
  dragging = item;
  item.classList.add("dragged");
  const over = (moved) => {
    const others = [...list.children].filter((each) => each !== item);
    const next = others.find((each) => {
      const box = each.getBoundingClientRect();
      return moved.clientY < box.top + box.height / 2;
    });
    if (next) next.before(item);
    else list.append(item);
  };
  const end = (ended) => {
    document.removeEventListener("pointermove", over);
    document.removeEventListener("pointerup", end);
    document.removeEventListener("pointercancel", end);
    item.classList.remove("dragged");
    dragging = null;
    if (ended.type === "pointercancel") list.replaceChildren(...before);
    else if (before.some((each, place) => each !== list.children[place])) order(list, before);
  };
  // Not the grip: an element that is moved within the document loses the pointer.
  document.addEventListener("pointermove", over);
  document.addEventListener("pointerup", end);
  document.addEventListener("pointercancel", end);
}

function appendLog({ text, skipped, is_new }) {
  const log = document.getElementById("log");
  if (!log) return;
  if (is_new) log.replaceChildren(document.createTextNode(""));
  const first = log.firstChild;
  if (skipped) first.nodeValue = "… what came before is not shown here: the file has all of it\n";
  if (!text) return;
  log.append(document.createTextNode(text));
  let lines = 0;
  for (const node of [...log.childNodes].slice(1).reverse()) {
    lines += node.nodeValue.split("\n").length - 1;
    if (lines <= LOG_LINES || node === log.lastChild) continue;
    node.remove();
    first.nodeValue = "… what came before is not shown here: the file has all of it\n";
  }
  const follow = document.getElementById("follow");
  if (follow && follow.checked) log.scrollTop = log.scrollHeight;
}

function drawCurves(curves) {
  const place = document.querySelector("[data-curves]");
  if (!place || !Object.keys(curves).length || place.contains(document.activeElement)) return;
  place.replaceChildren(...Object.entries(curves).map(([name, each]) => {
    const made = charts.lines(name, [{ name, x: each.x, y: each.y }]);
    if (each.odd) note(made, `${each.odd} of ${each.points} values are no finite number, and are not drawn`);
    return made;
  }));
}

function note(made, text) {
  const told = document.createElement("p");
  told.className = "quiet";
  told.textContent = text;
  made.append(told);
}

async function drawSamples() {
  const place = document.querySelector("[data-samples]");
  if (!place) return;
  const found = await (await fetch(place.dataset.samples)).json();
  const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const gigabytes = found.memory_used.map((each) => each / 2 ** 30);
  const total = (found.memory_total[0] || 0) / 2 ** 30;
  place.replaceChildren(
    charts.lines("Memory in use, GiB", [{ name: "memory", x: found.at, y: gigabytes }], { x: clock, ys: [0, total] }),
    charts.lines("Processors busy", [{ name: "busy", x: found.at, y: found.busy }], { x: clock, ys: [0, 1], y: (each) => `${Math.round(each * 100)} %` }),
  );
  setTimeout(drawSamples, 5000);
}

function filter(field) {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const row of document.querySelectorAll(".runs tbody tr")) {
    const text = row.textContent.toLowerCase();
    row.hidden = !words.every((each) => text.includes(each));
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.action) act(button);
  else if (button.dataset.move) move(button);
  else if ("undo" in button.dataset) post("/order/undo", {}).then((told) => toast(told));
});
document.addEventListener("submit", (event) => {
  if (!event.target.dataset.form) return;
  event.preventDefault();
  send(event.target);
});
document.addEventListener("input", (event) => event.target.id === "filter" && filter(event.target));
document.addEventListener("change", (event) => {
  const count = document.getElementById("chosen");
  if (count && event.target.name === "run") count.textContent = document.querySelectorAll("input[name=run]:checked").length;
});
document.addEventListener("pointerdown", startDrag);
for (const each of document.querySelectorAll("details[data-load]")) {
  each.addEventListener("toggle", async () => {
    if (!each.open) return;
    each.querySelector(".loaded").innerHTML = await (await fetch(each.dataset.load)).text();
  }, { once: true });
}
// Typed or chosen before this script was there, or kept by the browser when the page was loaded again.
for (const field of document.querySelectorAll("#filter, input[name=run]:checked")) {
  field.dispatchEvent(new Event(field.id === "filter" ? "input" : "change", { bubbles: true }));
}
listen();
drawSamples();
