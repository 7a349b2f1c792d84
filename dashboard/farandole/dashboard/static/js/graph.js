// Graphs on a canvas, which can hold no markup. What is drawn stands beside it as a list, too.
const STYLE = {
  light: { ink: "#17202c", soft: "#4a586b", line: "#aeb8c5", panel: "#ffffff", work: "#4b8fe2", warn: "#e5a43b", wait: "#8e6bdc", bad: "#d9463c", good: "#2f9a5b", mute: "#8a97a8" },
  dark: { ink: "#e4e9f0", soft: "#a3afbf", line: "#4a5665", panel: "#1b212a", work: "#5b9bea", warn: "#d79a36", wait: "#a58be0", bad: "#e5665c", good: "#4bb877", mute: "#74808f" },
};

export const isDark = () => (document.documentElement.dataset.theme
  ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";

export function style() {
  const c = STYLE[isDark() ? "dark" : "light"];
  const tones = ["work", "warn", "wait", "bad", "good", "mute"];
  return [
    { selector: "node", style: {
      label: "data(label)", "font-size": 12, "font-family": "system-ui, sans-serif", color: c.ink, "text-valign": "center", "text-wrap": "wrap", "text-max-width": 170,
      width: "data(w)", height: "data(h)", padding: 9, shape: "round-rectangle", "background-color": c.panel, "border-width": 1.5, "border-color": c.mute } },
    { selector: "node.step, node.reactor", style: { shape: "cut-rectangle", "border-style": "dashed" } },
    { selector: "node.reactor", style: { "border-style": "solid", shape: "round-rectangle", "background-color": c.panel, "font-weight": 600, "text-max-width": 210, "line-height": 1.25 } },
    { selector: "node.type", style: { shape: "ellipse", padding: 7, color: c.soft } },
    { selector: "node.decision", style: { shape: "diamond", padding: 22, "text-max-width": 110 } },
    { selector: "node.timer", style: { shape: "round-tag" } },
    { selector: "node.child", style: { shape: "round-octagon" } },
    ...tones.map((tone) => ({ selector: `node.${tone}`, style: { "border-color": c[tone] } })),
    { selector: "node.stopped", style: { "border-style": "double", "border-width": 5 } },
    { selector: "node:selected", style: { "border-width": 3 } },
    { selector: "edge", style: {
      width: 1.4, "line-color": c.line, "target-arrow-color": c.line, "target-arrow-shape": "triangle", "arrow-scale": 0.8, "curve-style": "bezier",
      label: "data(label)", "font-size": 10.5, color: c.soft, "text-background-color": c.panel, "text-background-opacity": 0.92, "text-background-padding": 2, "text-rotation": "none" } },
    { selector: "edge.never", style: { "line-style": "dashed", opacity: 0.75 } },
    { selector: "edge.undeclared", style: { "line-color": c.warn, "target-arrow-color": c.warn } },
    { selector: "edge.bad", style: { "line-color": c.bad, "target-arrow-color": c.bad } },
  ];
}

// How large a node must be for its label: a canvas has no layout of its own.
const pen = document.createElement("canvas").getContext("2d");
function sized(given) {
  if (given.data.source) return given;
  const label = given.data.label.slice(0, 120).replace(/\S{27,}/g, (word) => `${word.slice(0, 25)}…`);
  const element = { ...given, data: { ...given.data, label } };
  pen.font = `${element.classes.includes("reactor") ? 600 : 400} 12px system-ui, sans-serif`;
  const most = element.classes.includes("reactor") ? 210 : element.classes.includes("decision") ? 110 : 170;
  let rows = 0;
  let widest = 0;
  for (const line of element.data.label.split("\n")) {
    const width = pen.measureText(line).width;
    rows += Math.max(1, Math.ceil(width / most));
    widest = Math.max(widest, Math.min(width, most));
  }
  return { ...element, data: { ...element.data, w: Math.ceil(widest) + 4, h: rows * 15 } };
}

const read = () => JSON.parse(document.getElementById("graph-data").textContent).map(sized);
const LAYOUT = { name: "dagre", rankSep: 46, nodeSep: 22, edgeSep: 10, fit: true, padding: 24, animate: false };

// Draw what the page says, and keep to it as it changes: places stay where nodes stay.
export function draw(container, options = {}) {
  if (typeof window.cytoscapeDagre === "function") cytoscape.use(window.cytoscapeDagre);
  const layout = { ...LAYOUT, rankDir: options.wide ? "LR" : "TB" };
  const graph = cytoscape({ container, elements: read(), style: style(), layout, minZoom: 0.15, maxZoom: 2.2, boxSelectionEnabled: false });
  if (graph.zoom() > 1.15) { graph.zoom(1.15); graph.center(); }
  if (graph.zoom() < 0.5) { // small screens: legible, from the beginning on, and the rest by dragging
    const box = graph.elements().boundingBox();
    graph.zoom(0.6);
    graph.pan({ x: 16 - box.x1 * 0.6, y: 16 - box.y1 * 0.6 });
  }
  graph.on("tap", "node", (event) => options.open?.(event.target.data()));
  document.addEventListener("farandole:theme", () => graph.style(style()));
  document.addEventListener("farandole:refreshed", () => {
    if (!document.getElementById("graph-data")) return;
    const wanted = read();
    const ids = new Set(wanted.map((each) => each.data.id));
    let moved = false;
    graph.elements().forEach((each) => { if (!ids.has(each.id())) { each.remove(); moved = true; } });
    for (const each of wanted) {
      const had = graph.getElementById(each.data.id);
      if (had.length) { had.data(each.data); had.classes(each.classes); } else { graph.add(each); moved = true; }
    }
    if (moved) graph.layout(layout).run();
  });
  document.addEventListener("click", (event) => {
    const verb = event.target.closest("[data-graph]")?.dataset.graph;
    if (verb === "fit") graph.fit(undefined, 24);
    if (verb === "png") {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(graph.png({ output: "blob", full: true, scale: 2, bg: isDark() ? "#0a0d11" : "#ffffff" }));
      link.download = "graph.png";
      link.click();
      URL.revokeObjectURL(link.href);
    }
  });
  new ResizeObserver(() => graph.resize()).observe(container);
  container.dataset.drawn = String(graph.nodes().length);
  return graph;
}

const container = document.getElementById("graph");
if (container && !("map" in container.dataset)) {
  draw(container, {
    open: (data) => {
      if (data.run) location.href = `/runs/${encodeURIComponent(data.run)}`;
      else if (data.offset !== null && data.offset !== undefined) {
        location.href = `${location.pathname}?tab=events&offset=${data.offset}`;
      }
    },
  });
}
