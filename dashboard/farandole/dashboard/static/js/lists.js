// Lists: filters whose state is the address, filters that are kept by name, selection, bulk acts, export.
import { ask } from "./acts.js";
import { refresh } from "./live.js";
import { make, recall, remember, say, toast } from "./tools.js";

const MOST = 100_000;
const picked = new Set();

function addressOf(form) {
  const url = new URL(location.href);
  for (const name of ["cursor", "min_position", "focus"]) url.searchParams.delete(name);
  for (const input of form.elements) {
    if (!input.name) continue;
    if (input.value && !(input.name === "order" && input.value === "touched")) url.searchParams.set(input.name, input.value);
    else url.searchParams.delete(input.name);
  }
  const between = form.elements.range.value === "between";
  for (const input of form.querySelectorAll("[data-instant]")) {
    if (between && input.value) url.searchParams.set(input.dataset.instant, String(new Date(input.value).getTime()));
    else url.searchParams.delete(input.dataset.instant);
  }
  return url.pathname + url.search;
}

const two = (n) => String(n).padStart(2, "0");

// Instants are milliseconds in the address, and local time in the fields.
function instants() {
  for (const input of document.querySelectorAll("[data-instant]")) {
    if (document.activeElement === input || !input.dataset.at) continue;
    const at = new Date(Number(input.dataset.at));
    input.value = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`;
  }
}

function filters() {
  const form = document.querySelector("[data-filters]");
  if (!form) return;
  let typing = null;
  instants();
  form.addEventListener("submit", (event) => { event.preventDefault(); refresh(addressOf(form)); });
  form.addEventListener("input", (event) => {
    clearTimeout(typing);
    typing = setTimeout(() => refresh(addressOf(form)), event.target.type === "search" ? 220 : 0);
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-filter-link]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    refresh(link.getAttribute("href"));
  });
}

function saved() {
  const place = document.querySelector("[data-saved]");
  if (!place) return;
  place.replaceChildren(...recall("filters", []).map(({ name, query }) => {
    const chip = make("a", { class: "chip", href: `/runs${query}`, "aria-current": query === location.search ? "true" : null }, name);
    const forget = make("button", { class: "icon-button", type: "button", "aria-label": `Forget the filter ${name}` }, "×");
    forget.addEventListener("click", () => {
      remember("filters", recall("filters", []).filter((each) => each.name !== name));
      saved();
    });
    return make("span", { class: "saved" }, chip, forget);
  }));
}

function keep() {
  const query = location.search;
  const dialog = make("dialog", { "aria-labelledby": "keep-title" });
  const input = make("input", { id: "keep-name", required: true, maxlength: 40, autocomplete: "off" });
  const form = make("form", { class: "inner", method: "dialog" },
    make("h2", { id: "keep-title" }, "Save this filter"),
    make("div", { class: "field" }, make("label", { for: "keep-name" }, "Name"), input, make("p", { class: "hint" }, "It stays in this browser. The address of the page is the same filter, for others.")),
    make("div", { class: "buttons" }, make("button", { class: "button main", type: "submit" }, "Save")));
  dialog.append(form);
  document.body.append(dialog);
  form.addEventListener("submit", () => {
    const name = input.value.trim();
    if (name) remember("filters", [...recall("filters", []).filter((each) => each.name !== name), { name, query }]);
    saved();
  });
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
}

function selection() {
  const bulk = document.getElementById("bulk");
  if (!bulk) return;
  for (const box of document.querySelectorAll("[data-pick]")) box.checked = picked.has(box.dataset.pick);
  bulk.classList.toggle("hidden", picked.size === 0);
  bulk.querySelector("[data-picked]").textContent = picked.size;
  bulk.querySelector('[data-bulk="diff"]').disabled = picked.size !== 2;
}

function bulk(verb) {
  const ids = [...picked];
  const done = () => { picked.clear(); selection(); };
  if (verb === "none") return done();
  if (verb === "diff") {
    location.href = `/diff?a=${encodeURIComponent(ids[0])}&b=${encodeURIComponent(ids[1])}`;
    return undefined;
  }
  ask({
    urls: ids.map((id) => `/api/v1/runs/${encodeURIComponent(id)}/${verb}`),
    title: `${verb === "retry" ? "Retry" : "Cancel"} ${ids.length} run${ids.length === 1 ? "" : "s"}`,
    say: verb === "retry" ? "Their parked steps are owed again." : "What they owe is dropped. This cannot be undone.",
    cli: "", reason: verb === "cancel" ? "required" : "optional", tone: verb === "cancel" ? "bad" : "",
    confirm: verb === "retry" ? "Retry them" : "Cancel them", body: {}, then: (answer) => { if (answer.run_id) picked.delete(answer.run_id); selection(); },
  });
  return undefined;
}

async function download(address) {
  const lines = [];
  const url = new URL(address, location.origin);
  url.searchParams.set("limit", "500");
  let cursor = null;
  do {
    if (cursor) url.searchParams.set("cursor", cursor);
    const response = await fetch(url, { headers: { Accept: "application/json" } });
    const page = await response.json();
    if (!response.ok) { toast(page.title ?? "It cannot be exported", page.detail ?? "", true); return; }
    const found = Array.isArray(page) ? page : page.items ?? [];
    lines.push(...found.map((each) => JSON.stringify(each)));
    cursor = page.next;
  } while (cursor && lines.length < MOST);
  const name = `${url.pathname.split("/").filter(Boolean).slice(2).join("-") || "export"}.jsonl`;
  const link = make("a", { href: URL.createObjectURL(new Blob([lines.join("\n") + "\n"], { type: "application/x-ndjson" })), download: name });
  link.click();
  URL.revokeObjectURL(link.href);
  say(`${lines.length} exported`);
  toast(`${lines.length.toLocaleString()} lines exported`, name);
}

export function startLists() {
  filters();
  saved();
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-pick]")) {
      picked[event.target.checked ? "add" : "delete"](event.target.dataset.pick);
      selection();
    } else if (event.target.matches("[data-pick-all]")) {
      for (const box of document.querySelectorAll("[data-pick]")) picked[event.target.checked ? "add" : "delete"](box.dataset.pick);
      selection();
    }
  });
  document.addEventListener("click", (event) => {
    const verb = event.target.closest("[data-bulk]")?.dataset.bulk;
    if (verb) bulk(verb);
    if (event.target.closest("[data-save-filter]")) keep();
    const from = event.target.closest("[data-export]");
    if (from) download(from.dataset.export);
  });
  document.addEventListener("farandole:refreshed", () => { saved(); selection(); instants(); });
}
