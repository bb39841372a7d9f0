// Draws the figures and folds the code of a report page. Everything here is optional: without it the text still reads.
"use strict";

const narrow = () => window.matchMedia("(max-width: 700px)").matches;
const touch = window.matchMedia("(pointer: coarse)").matches;

function draw(figure) {
  const box = figure.querySelector(".plot");
  const spec = JSON.parse(figure.querySelector("script").textContent);
  const layout = { ...spec.layout, autosize: true };
  delete layout.width;
  if (touch) layout.dragmode = false; // a finger scrolls the page, not the chart
  if (narrow()) {
    layout.legend = { ...layout.legend, orientation: "h", x: 0, xanchor: "left", y: -0.25, yanchor: "top" };
    layout.margin = { ...layout.margin, r: 12 };
  }
  Plotly.newPlot(box, spec.data, layout, {
    responsive: true,
    displaylogo: false,
    displayModeBar: touch ? false : "hover",
    modeBarButtons: [["toImage", "zoom2d", "pan2d", "resetScale2d"]], // none that sends the data somewhere
  });
}

function foldCode() {
  const button = document.getElementById("all-code");
  const cells = [...document.querySelectorAll("details.code")];
  if (!button) return;
  if (!cells.length) {
    button.hidden = true;
    return;
  }
  const show = (open) => {
    for (const cell of cells) cell.open = open;
    button.textContent = open ? "Hide code" : "Show code";
    button.setAttribute("aria-pressed", String(open));
  };
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-pressed") !== "true";
    show(open);
    try {
      localStorage.setItem("indutech-code", open ? "open" : "folded");
    } catch {
      // a file:// page may have no storage: the choice then lasts as long as the page
    }
  });
  try {
    if (localStorage.getItem("indutech-code") === "open") show(true);
  } catch {
    // as above
  }
}

function followContents() {
  const contents = document.querySelector("details.contents");
  if (!contents) return;
  if (window.matchMedia("(max-width: 1000px)").matches) contents.open = false;
  const links = new Map([...contents.querySelectorAll("a")].map((a) => [decodeURIComponent(a.hash.slice(1)), a]));
  const watch = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        for (const link of links.values()) link.removeAttribute("aria-current");
        links.get(entry.target.id)?.setAttribute("aria-current", "true");
      }
    },
    { rootMargin: "-10% 0px -70% 0px" },
  );
  for (const id of links.keys()) {
    const heading = document.getElementById(id);
    if (heading) watch.observe(heading);
  }
}

const plots = () => document.querySelectorAll(".plot.js-plotly-plot");
window.addEventListener("beforeprint", () => plots().forEach((box) => Plotly.relayout(box, { width: 640 })));
window.addEventListener("afterprint", () => plots().forEach((box) => Plotly.relayout(box, { width: null, autosize: true })));

foldCode();
followContents();
document.querySelectorAll("figure.chart").forEach(draw);
