// Acts: a button says what is done; a dialog asks for the reason, shows the same as command and as HTTP call, and does it.
import { refresh } from "./live.js";
import { curl, positions, post, toast } from "./tools.js";

const $ = (id) => document.getElementById(id);
let doing = null;

function bodyOf(act) {
  const reason = $("act-reason").value.trim();
  return { ...act.body, ...(act.reason === "none" ? {} : { reason }) };
}

function cliOf(act) {
  const reason = $("act-reason").value.trim();
  return act.cli + (reason && act.reason !== "none" ? ` --why '${reason.replaceAll("'", "'\\''")}'` : "");
}

function showSame() {
  if (!doing) return;
  $("act-cli-line").hidden = !doing.cli;
  $("act-cli").textContent = cliOf(doing);
  $("act-curl").textContent = curl(doing.urls[0], bodyOf(doing));
}

export function ask(act) {
  doing = act;
  $("act-title").textContent = act.title;
  $("act-say").textContent = act.say;
  $("act-say").hidden = !act.say;
  $("act-reason").value = "";
  $("act-reason").required = act.reason === "required";
  $("act-reason-field").hidden = act.reason === "none";
  $("act-do").textContent = act.confirm;
  $("act-do").className = `button main ${act.tone ?? ""}`;
  $("act-do").disabled = false;
  showSame();
  $("act").showModal();
  ($("act-reason-field").hidden ? $("act-do") : $("act-reason")).focus();
}

async function perform(act) {
  let done = 0;
  let at = "";
  const failed = [];
  for (const url of act.urls) {
    try {
      const answer = await post(url, bodyOf(act));
      at = positions(answer);
      done += answer.count ?? 1;
      if (act.then) act.then(answer);
    } catch (error) {
      failed.push(error);
    }
    if (act.urls.length > 1) $("act-do").textContent = `${act.urls.indexOf(url) + 1} of ${act.urls.length}`;
  }
  return { done, at, failed };
}

async function submitted(event) {
  event.preventDefault();
  const act = doing;
  $("act-do").disabled = true;
  const { done, at, failed } = await perform(act);
  if (failed.length) {
    $("act-do").disabled = false;
    $("act-do").textContent = act.confirm;
    toast(failed.length === act.urls.length ? failed[0].message : `${failed.length} of ${act.urls.length}: ${failed[0].message}`, failed[0].detail, true);
    if (!done) return;
  }
  $("act").close();
  if (done) toast(act.urls.length > 1 ? `${act.title}: ${done} done` : `${act.title}: done`);
  await refresh(null, at);
}

export function startActs() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-act]");
    if (!button) return;
    const d = button.dataset;
    ask({
      urls: [d.act], title: d.title, say: d.say, cli: d.cli, reason: d.reason, tone: d.tone, confirm: d.confirm,
      body: d.body ? JSON.parse(d.body) : {},
    });
  });
  $("act").querySelector("form").addEventListener("submit", submitted);
  $("act-reason").addEventListener("input", showSame);
  for (const code of document.querySelectorAll("[data-curl]")) {
    code.textContent = `curl -H 'Authorization: Bearer …' '${location.origin}${code.dataset.curl}'`;
  }
}
