// Charts of one reactor, drawn anew with each refresh.
import { isDark } from "./graph.js";

const colours = () => (isDark()
  ? { work: "#5b9bea", bad: "#e5665c", wait: "#a58be0", ink: "#a3afbf", line: "#252d38" }
  : { work: "#2f74d0", bad: "#d9463c", wait: "#7d57cf", ink: "#4a586b", line: "#e2e6ec" });
const charts = new Map();

function chart(id, series, data) {
  const place = document.getElementById(id);
  if (!place) return;
  charts.get(id)?.destroy();
  const c = colours();
  const axis = { stroke: c.ink, grid: { stroke: c.line, width: 1 }, ticks: { stroke: c.line, width: 1 }, font: "11px system-ui, sans-serif" };
  const options = {
    width: Math.max(place.clientWidth - 20, 200), height: 170, cursor: { y: false }, legend: { live: true },
    axes: [{ ...axis, values: "{HH}:{mm}" }, { ...axis, size: 46 }], scales: { y: { range: (_, __, most) => [0, Math.max(most ?? 1, 1) * 1.1] } },
    series: [{ value: "{HH}:{mm}" }, ...series.map((each) => ({ width: 1.6, points: { show: each.points ?? false, size: 5 }, label: each.label, stroke: c[each.tone] }))],
  };
  charts.set(id, new uPlot(options, data, place));
}

function draw() {
  const said = document.getElementById("series");
  if (!said) return;
  const s = JSON.parse(said.textContent);
  chart("chart-steps", [{ label: "done", tone: "work" }, { label: "failed", tone: "bad" }], [s.times, s.done, s.failed]);
  chart("chart-took", [{ label: "mean", tone: "work", points: true }, { label: "slowest", tone: "wait", points: true }], [s.times, s.mean, s.most]);
}

draw();
document.addEventListener("farandole:refreshed", draw);
document.addEventListener("farandole:theme", draw);
addEventListener("resize", draw);
