// What every page needs. Each module listens on the document, so that what is swapped in later needs no wiring.
import { startTimes } from "./times.js";
import { startLive } from "./live.js";
import { startActs } from "./acts.js";
import { startForms } from "./forms.js";
import { startKeys } from "./keys.js";
import { startLists } from "./lists.js";
import { remember, toast } from "./tools.js";

document.addEventListener("click", async (event) => {
  const at = (selector) => event.target.closest(selector);
  let found;
  if (at("[data-theme-switch]")) {
    const dark = getComputedStyle(document.documentElement).colorScheme;
    const now = document.documentElement.dataset.theme
      ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    const next = now === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = next;
    remember("theme", next);
    document.dispatchEvent(new CustomEvent("farandole:theme", { detail: dark }));
  } else if ((found = at("[data-menu]"))) {
    const side = document.getElementById("side");
    const open = side.toggleAttribute("data-open");
    found.setAttribute("aria-expanded", String(open));
  } else if ((found = at("[data-copy], [data-copy-from]"))) {
    const text = found.dataset.copy ?? document.getElementById(found.dataset.copyFrom).textContent;
    await navigator.clipboard.writeText(text).then(() => toast("Copied"), () => toast("This browser does not let pages copy", "", true));
  } else if (at("[data-help]")) {
    document.getElementById("help").showModal();
  } else if ((found = at("[data-close]"))) {
    found.closest("dialog").close();
  } else if (event.target instanceof HTMLDialogElement) {
    event.target.close(); // the backdrop
  }
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

startTimes();
startLive();
startActs();
startForms();
startKeys();
startLists();
document.documentElement.dataset.ready = "true";
