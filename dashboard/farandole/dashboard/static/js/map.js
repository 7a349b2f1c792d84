// The live map: drawn once, then patched with each refresh.
import { draw } from "./graph.js";

const container = document.getElementById("graph");
if (container) {
  draw(container, {
    wide: true,
    open: (data) => {
      if (data.reactor) location.href = `/reactors/${encodeURIComponent(data.reactor)}`;
      else if (data.schema) location.href = `/schemas/${encodeURIComponent(data.schema)}`;
    },
  });
}
