// Forms that were made from a schema: gathers what was filled in as the JSON of an event, and sends it.
import { refresh } from "./live.js";
import { curl, positions, post, toast } from "./tools.js";

class Wrong extends Error {
  constructor(input, message) { super(message); this.input = input; }
}

function valueOf(input) {
  const said = input.type === "checkbox" ? input.checked : input.value;
  const kind = input.dataset.kind;
  if (kind === "boolean") return said === true || said === "true" ? true : said === "" ? undefined : false;
  if (said === "") {
    if ("optional" in input.dataset) return input.dataset.optional === "null" ? null : undefined;
    if (kind === "string") return "";
    throw new Wrong(input, "This is needed.");
  }
  if (kind === "integer") {
    if (!/^[+-]?\d+$/.test(said.trim())) throw new Wrong(input, "This is a whole number.");
    const whole = Number(said);
    if (!Number.isSafeInteger(whole)) throw new Wrong(input, "This number is too large for a form.");
    return whole;
  }
  if (kind === "number") {
    if (Number.isNaN(Number(said))) throw new Wrong(input, "This is a number.");
    return Number(said);
  }
  if (kind === "lines") return said.split("\n").map((line) => line.trim()).filter(Boolean);
  if (kind === "json") {
    try { return JSON.parse(said); } catch { throw new Wrong(input, "This is JSON."); }
  }
  return said;
}

function differs(input) {
  if (input.type === "checkbox") return input.checked !== input.defaultChecked;
  if (input.tagName === "SELECT") return [...input.options].some((option) => option.selected !== option.defaultSelected) && input.selectedOptions[0]?.defaultSelected !== true;
  return input.value !== input.defaultValue;
}

export function payloadOf(form) {
  const payload = {};
  // Where an event is edited, fields that nobody touched stay as they are, those too that this page may not show.
  const changed = "onlyChanged" in form.dataset
    ? new Set([...form.querySelectorAll("[data-path]")].filter(differs)) : null;
  for (const input of form.querySelectorAll("[data-path]")) {
    input.removeAttribute("aria-invalid");
    if (input.closest("[hidden]") || input.matches(":disabled")) continue;
    const value = valueOf(input);
    if (value === undefined) continue;
    const path = JSON.parse(input.dataset.path);
    if (!path.length) return value;
    if (changed && !changed.has(input)) continue;
    let at = payload;
    for (const name of path.slice(0, -1)) at = at[name] ??= {};
    at[path.at(-1)] = value;
  }
  return payload;
}

function bodyOf(form) {
  const body = form.dataset.body ? JSON.parse(form.dataset.body) : {};
  const payload = payloadOf(form);
  if (!("nopayload" in form.dataset)) body.payload = payload;
  for (const input of form.querySelectorAll("[data-also]")) {
    if (input.value.trim()) body[input.dataset.also] = input.value.trim();
  }
  return body;
}

function show(form) {
  const code = form.querySelector("[data-form-curl]");
  if (!code) return;
  try { code.textContent = curl(form.dataset.form, bodyOf(form)); } catch { /* not whole yet */ }
}

function complain(form, error) {
  if (!(error instanceof Wrong)) return false;
  error.input.setAttribute("aria-invalid", "true");
  error.input.focus();
  toast(`${error.input.labels?.[0]?.textContent ?? "A field"}: ${error.message}`, "", true);
  return true;
}

async function submitted(event) {
  const form = event.target.closest("form[data-form]");
  if (!form) return;
  event.preventDefault();
  let body;
  try { body = bodyOf(form); } catch (error) { if (complain(form, error)) return; throw error; }
  const button = event.submitter;
  if (button?.dataset.type) body.type = button.dataset.type;
  for (const each of form.querySelectorAll("button")) each.disabled = true;
  try {
    const answer = await post(form.dataset.form, body);
    toast(form.dataset.done ?? "Done");
    if (form.dataset.goto === "run") {
      location.href = `/runs/${encodeURIComponent(answer.run_id)}?min_position=${encodeURIComponent(positions(answer))}`;
      return;
    }
    form.closest("dialog")?.close();
    form.closest("details.menu")?.removeAttribute("open");
    await refresh(null, positions(answer));
    if (form.dataset.form.includes("/signals")) form.reset();
  } catch (error) {
    toast(error.message, error.detail, true);
  } finally {
    for (const each of form.querySelectorAll("button")) each.disabled = false;
  }
}

function chosen(select) {
  for (const each of document.querySelectorAll(`[data-variant-of="${CSS.escape(select.id)}"]`)) {
    const shown = each.dataset.variant === select.value;
    each.hidden = !shown;
    each.disabled = !shown;
  }
}

export function startForms() {
  document.addEventListener("submit", submitted);
  document.addEventListener("input", (event) => {
    const form = event.target.closest("form[data-form]");
    if (form) show(form);
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-variants]")) chosen(event.target);
  });
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog]");
    if (opener) document.getElementById(opener.dataset.dialog)?.showModal();
  });
  const all = () => {
    for (const select of document.querySelectorAll("[data-variants]")) chosen(select);
    for (const form of document.querySelectorAll("form[data-form]")) show(form);
  };
  document.addEventListener("farandole:refreshed", all);
  all();
}
