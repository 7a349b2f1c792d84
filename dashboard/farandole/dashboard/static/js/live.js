// Keeps a page as the tables are: the server says that something has changed, and what is shown is fetched anew as HTML
// and morphed in, so that focus, selection and what was unfolded stay. No element of a page has htmx attributes, and
// those that stand in somebody's payload are dead: the extension hx-csp strips what bears no nonce of the server's.
import { say } from "./tools.js";

const LEAST = 50; // milliseconds between two refreshes at least, and as long as the last one took; a page that asks for much says data-quiet
const MOST = 2000; // milliseconds that a slow refresh holds up the next one
const SAID = 8000; // between two announcements
let wanted = null;
let busy = false;
let again = false;
let asked = false; // by who looks on, who does not wait for a quiet moment
let last = performance.now(); // a page is as new as a refresh when it comes
let took = 0;
let said = "";
let saidAt = 0;
let later = null;

const region = () => document.getElementById("live");

// Fetch the page's live part anew. An address of its own becomes the page's.
export async function refresh(address = null, positions = "") {
  if (address !== null) {
    history.replaceState(null, "", address);
  }
  if (!region()) return;
  if (busy) {
    again = true;
    asked ||= address !== null || positions !== "";
    wanted = positions || wanted;
    return;
  }
  busy = true;
  const began = performance.now();
  try {
    const url = new URL(location.href);
    if (positions) url.searchParams.set("min_position", positions);
    await htmx.ajax("GET", url.pathname + url.search, { target: "#live", select: "#live", swap: "outerMorph" });
    document.dispatchEvent(new CustomEvent("farandole:refreshed"));
    announce();
  } finally {
    busy = false;
    last = performance.now();
    took = Math.min(last - began, MOST);
    if (again) {
      again = false;
      const p = wanted ?? "";
      wanted = null;
      setTimeout(() => refresh(null, p), asked ? LEAST : quiet());
      asked = false;
    }
  }
}

const quiet = () => Math.max(Number(region()?.dataset.quiet ?? LEAST), took);

function announce() {
  const text = document.querySelector("[data-announce]")?.dataset.announce ?? "";
  if (!text || text === said) return;
  const wait = saidAt + SAID - Date.now();
  if (wait > 0) {
    // What comes too soon is said later: where nothing more comes, the last counts would never be.
    later ??= setTimeout(() => { later = null; announce(); }, wait);
    return;
  }
  if (said) say(text);
  said = text;
  saidAt = Date.now();
}

let due = null;
export function changed() {
  if (due !== null || document.hidden) return;
  due = setTimeout(() => {
    due = null;
    refresh();
  }, Math.max(0, quiet() - (performance.now() - last)));
}

const GRACE = 2000; // milliseconds within which a stream that has ended is there again, as each is after a minute
let events = null;
let trouble = "";
let stream = null;

function mark() {
  const fresh = document.getElementById("fresh");
  if (!fresh) return;
  const live = events?.readyState === 1;
  fresh.dataset.live = live && !trouble ? "on" : "off";
  fresh.title = trouble ? `Not up to date: ${trouble}` : live ? "Live: what changes is shown at once" : "Not live: trying to reach the server again";
}

const wants = () => document.querySelector("[data-stream]")?.dataset.stream ?? "/api/v1/stream";

function listen() {
  stream = wants();
  const source = new URL(stream, location.origin);
  // From where the page was drawn: what came in between is told, too.
  const after = document.getElementById("fresh")?.dataset.after;
  if (after) source.searchParams.set("after", after);
  events = new EventSource(source);
  events.addEventListener("open", () => { trouble = ""; mark(); }); // what still is the server says anew
  events.addEventListener("error", () => setTimeout(mark, GRACE));
  events.addEventListener("trouble", (event) => { trouble = JSON.parse(event.data).why ?? ""; mark(); });
  const names = ["run.changed", "record", "reset", ...(document.querySelector("[data-rates]") ? ["reactor.rates"] : [])];
  for (const name of names) events.addEventListener(name, changed);
  events.addEventListener("live", (event) => {
    document.dispatchEvent(new CustomEvent("farandole:said", { detail: JSON.parse(event.data) }));
  });
}

export function startLive() {
  said = document.querySelector("[data-announce]")?.dataset.announce ?? "";
  if (!region() || !("EventSource" in window)) return;
  listen();
  // A browser has few connections to one host: a tab that nobody looks at keeps none.
  document.addEventListener("visibilitychange", () => {
    events.close();
    if (document.hidden) return;
    listen();
    changed();
  });
  document.addEventListener("farandole:refreshed", () => {
    mark();
    // What is shown now may be told by another stream: that of a run with a child more, say.
    if (wants() === stream || document.hidden) return;
    events.close();
    listen();
  });
  setInterval(() => { if (events.readyState === 2 && !document.hidden) { listen(); changed(); } }, 5000);
  addEventListener("pagehide", () => events.close());
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
}
