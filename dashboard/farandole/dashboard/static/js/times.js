// Times: relative, kept so; the whole one on hover, in local time or UTC as was chosen.
import { recall, remember } from "./tools.js";

const UNITS = [[86400, "d"], [3600, "h"], [60, "min"]];

function largest(seconds) {
  for (const [size, unit] of UNITS) if (seconds >= size) return `${Math.floor(seconds / size)} ${unit}`;
  return `${Math.floor(seconds)} s`;
}

export function relative(ms, now = Date.now()) {
  const seconds = (now - ms) / 1000;
  if (Math.abs(seconds) < 1) return "now";
  return seconds > 0 ? `${largest(seconds)} ago` : `in ${largest(-seconds)}`;
}

let utc = recall("utc", false);

function exactly(ms) {
  const time = new Date(ms);
  if (utc) return time.toISOString().replace("T", " ").replace("Z", " UTC");
  const two = (n, w = 2) => String(n).padStart(w, "0");
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${two(time.getMilliseconds(), 3)}`;
}

export function showTimes(root = document) {
  const now = Date.now();
  for (const time of root.querySelectorAll("time[data-ms]")) {
    const ms = Number(time.dataset.ms);
    const text = "whole" in time.dataset ? exactly(ms) : relative(ms, now);
    if (time.textContent !== text) time.textContent = text;
    const title = exactly(ms);
    if (time.title !== title) time.title = title;
  }
}

export function startTimes() {
  const show = () => {
    showTimes();
    for (const button of document.querySelectorAll("[data-zone]")) {
      button.textContent = utc ? "times: UTC" : "times: local";
      button.setAttribute("aria-pressed", String(utc));
    }
  };
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-zone]")) return;
    utc = !utc;
    remember("utc", utc);
    show();
  });
  document.addEventListener("farandole:refreshed", show);
  setInterval(show, 1000);
  show();
}
