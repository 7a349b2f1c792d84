// The keyboard: / searches, j and k walk the list, Enter opens, g and a letter goes elsewhere, ? tells.
const PLACES = {
  r: "/runs", w: "/waiting", i: "/inbox", f: "/failures", m: "/map", c: "/reactors", t: "/timers", s: "/schemas",
  d: "/diff", a: "/audit", o: "/costs", p: "/projections",
};
let going = 0;

const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent !== null);
const marked = () => document.querySelector("[data-row][data-cursor]");

function walk(by) {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(marked());
  const next = all[Math.max(0, Math.min(all.length - 1, at + by))] ?? all[0];
  marked()?.removeAttribute("data-cursor");
  next.setAttribute("data-cursor", "");
  next.scrollIntoView({ block: "nearest" });
  (next.querySelector("[data-open]") ?? next.querySelector("a, button, summary, input"))?.focus({ preventScroll: true });
}

function key(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const field = event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");
  if (event.key === "Escape" && field) {
    field.blur();
    return;
  }
  if (field || document.querySelector("dialog[open]")) return;
  if (Date.now() - going < 1200 && PLACES[event.key]) {
    event.preventDefault();
    location.href = PLACES[event.key];
    return;
  }
  going = 0;
  const row = marked();
  switch (event.key) {
    case "/": {
      const search = document.querySelector("[data-search]");
      if (search) { event.preventDefault(); search.focus(); search.select?.(); } else { location.href = "/runs?focus=search"; }
      break;
    }
    case "j": walk(1); break;
    case "k": walk(-1); break;
    case "o": row?.querySelector("[data-open]")?.click(); break;
    case "Enter":
      if (row && event.target === document.body) row.querySelector("[data-open]")?.click();
      break;
    case "x": row?.querySelector("[data-pick]")?.click(); break;
    case "e": {
      const more = row?.querySelector("details");
      if (more) more.open = !more.open;
      break;
    }
    case "g": going = Date.now(); break;
    case "n": location.href = "/start"; break;
    case "?": document.getElementById("help").showModal(); break;
    default:
  }
}

export function startKeys() {
  document.addEventListener("keydown", key);
  if (new URLSearchParams(location.search).get("focus") === "search") document.querySelector("[data-search]")?.focus();
  document.addEventListener("focusin", (event) => {
    const row = event.target.closest("[data-row]");
    if (row && row !== marked()) {
      marked()?.removeAttribute("data-cursor");
      if (document.documentElement.dataset.keyboard === "true") row.setAttribute("data-cursor", "");
    }
  });
}
