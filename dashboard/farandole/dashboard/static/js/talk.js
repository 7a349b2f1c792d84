// What is said while it is said: pieces are put one behind the other, each step's in its own place, as text and nothing
// else. Once a reply stands in the log the page is drawn anew with it, and its place is gone.

import { say } from "./tools.js";

const steps = new Map(); // by run, trigger and reactor: what the newest take of the step has said
const MOST = 500;

const key = (run, trigger, reactor) => JSON.stringify([run, trigger, reactor]);

function heard(piece) {
  const at = key(piece.run_id, piece.trigger, piece.reactor);
  let step = steps.get(at);
  if (step === undefined || (step.take !== piece.take && !step.replaced.has(piece.take))) {
    const replaced = step?.replaced ?? new Set();
    if (step !== undefined) replaced.add(step.take);
    step = { take: piece.take, next: 0, text: "", calls: [], replaced };
    steps.set(at, step);
    if (steps.size > MOST) steps.delete(steps.keys().next().value);
  } else if (step.take !== piece.take) {
    return;
  }
  if (piece.index < step.next) return;
  if (piece.index > step.next || piece.lost) step.text += " … ";
  step.next = piece.index + 1;
  if (piece.kind === "text") step.text += piece.text;
  else if (piece.kind === "call") step.calls.push(piece.text);
}

function draw() {
  for (const place of document.querySelectorAll("[data-said-by]")) {
    const step = steps.get(key(place.dataset.run, place.dataset.trigger, place.dataset.saidBy));
    const words = place.querySelector("[data-words]");
    const calls = place.querySelector("[data-calls]");
    if (step === undefined) continue;
    if (words.textContent !== step.text) words.textContent = step.text;
    const said = step.calls.length ? `calls ${step.calls.join(", ")} …` : "";
    if (calls.textContent !== said) calls.textContent = said;
  }
}

let due = false;
document.addEventListener("farandole:said", (event) => {
  heard(event.detail);
  if (due) return;
  due = true;
  requestAnimationFrame(() => {
    due = false;
    draw();
  });
});

// A reply that grows is read to nobody: whoever listens hears it once, when it is finished.
const awaited = new Map(); // by run and trigger, the places in which replies are being written

function told() {
  const open = new Set();
  for (const place of document.querySelectorAll("[data-said-by]")) {
    const id = key(place.dataset.run, place.dataset.trigger, "");
    open.add(id);
    awaited.set(id, { run: place.dataset.run, trigger: place.dataset.trigger });
  }
  for (const [id, { run, trigger }] of awaited) {
    if (open.has(id)) continue;
    awaited.delete(id);
    const reply = document.querySelector(`[data-reply="${CSS.escape(trigger)}"][data-run="${CSS.escape(run)}"]`);
    if (reply) say(`${reply.querySelector(".who").textContent}: ${reply.querySelector(".words").textContent}`);
  }
}

document.addEventListener("farandole:refreshed", () => { draw(); told(); });
told();
