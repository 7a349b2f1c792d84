// The slider: its place is the address, and the server says what the run was like there.
import { refresh } from "./live.js";

let moving = null;

function go(travel, place) {
  const offsets = travel.dataset.offsets.split(",");
  const at = Math.max(0, Math.min(offsets.length - 1, place));
  travel.querySelector("input").value = at;
  document.getElementById("travel-at").textContent = at + 1;
  clearTimeout(moving);
  moving = setTimeout(() => refresh(`${location.pathname}?tab=events&offset=${offsets[at]}`), 90);
}

document.addEventListener("input", (event) => {
  const travel = event.target.closest("[data-travel]");
  if (travel) go(travel, Number(event.target.value));
});
document.addEventListener("click", (event) => {
  const step = event.target.closest("[data-step]");
  if (step) {
    const travel = step.closest("[data-travel]");
    go(travel, Number(travel.querySelector("input").value) + Number(step.dataset.step));
  }
});
