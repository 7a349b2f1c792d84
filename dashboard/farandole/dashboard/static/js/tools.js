// What several modules use.
export function recall(name, otherwise = null) {
  try { return JSON.parse(localStorage.getItem(`farandole.${name}`)) ?? otherwise; } catch { return otherwise; }
}

export function remember(name, value) {
  try { localStorage.setItem(`farandole.${name}`, typeof value === "string" ? value : JSON.stringify(value)); } catch { /* storage is off */ }
}

export function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

export function toast(title, detail = "", bad = false) {
  const shown = make("div", { class: bad ? "toast bad" : "toast" }, make("div", {}, make("p", { class: "strong" }, title)));
  if (bad) shown.setAttribute("role", "alert");
  if (detail) shown.firstChild.append(make("p", {}, detail));
  const close = make("button", { class: "icon-button", type: "button", "aria-label": "Dismiss" }, "×");
  close.addEventListener("click", () => shown.remove());
  shown.append(close);
  const place = document.querySelector("dialog[open]") ?? document.getElementById("toasts");
  (place.id === "toasts" ? place : place.querySelector(".inner")).append(shown);
  setTimeout(() => shown.remove(), bad ? 12000 : 4000);
}

const saying = [];

// What is said at once is said together: of a text that is replaced before it is read nothing is heard.
export function say(text) {
  if (saying.push(text) > 1) return;
  queueMicrotask(() => { document.getElementById("announcer").textContent = saying.splice(0).join(". "); });
}

const csrf = () => document.querySelector('meta[name="csrf-token"]').content;

// Does something through the API. Gives what it answered; throws what it refused.
export async function post(url, body) {
  const response = await fetch(url, {
    method: "POST",
    credentials: "same-origin",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf(), Accept: "application/json" },
    body: JSON.stringify(body),
  });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  const problem = new Error(answer.title ?? `${response.status} ${response.statusText}`);
  problem.detail = [answer.detail, answer.cure].filter((each) => typeof each === "string").join(" ");
  throw problem;
}

export const positions = (answer) => Object.entries(answer.position ?? {}).map((pair) => pair.join("=")).join(",");

export function curl(url, body) {
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  return `curl -X POST ${quoted(location.origin + url)} -H 'Authorization: Bearer …' -H 'Content-Type: application/json' -d ${quoted(JSON.stringify(body))}`;
}
