// Draws the figures, folds the code, and says where something scrolls sideways. All optional: without it the text reads.
"use strict";

const WORDS = {
  en: { show: "Show code", hide: "Hide code", sideways: "scroll sideways for more", save: "Save the chart as PNG" },
  fr: { show: "Montrer le code", hide: "Cacher le code", sideways: "faire défiler pour la suite", save: "Enregistrer le graphique en PNG" },
};
const words = WORDS[document.documentElement.lang] || WORDS.en;

const PAPER_WIDTH = 660; // what an A4 page with its margins has room for, in CSS pixels
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const paper = window.matchMedia("print");
const touch = window.matchMedia("(pointer: coarse)").matches;

// --- figures ---------------------------------------------------------------------------------------------------------

const darkColours = JSON.parse(document.getElementById("dark-colours")?.textContent || "{}");

function recoloured(part) {
  if (typeof part === "string") return darkColours[part] || part;
  if (Array.isArray(part)) return part.map(recoloured);
  if (part && typeof part === "object") return Object.fromEntries(Object.entries(part).map(([k, v]) => [k, recoloured(v)]));
  return part;
}

// The widest of the words on the vertical axis, roughly: on a phone they would leave no room for the bars.
function longestName(data) {
  const names = data.flatMap((trace) => (trace.orientation === "h" || trace.error_x ? trace.y : []));
  return Math.max(0, ...names.map((name) => String(name).length));
}

function wrapped(name, width) {
  const lines = [""];
  for (const word of String(name).split(" ")) {
    const line = lines[lines.length - 1];
    if (line && `${line} ${word}`.length > width) lines.push(word);
    else lines[lines.length - 1] = line ? `${line} ${word}` : word;
  }
  return lines.join("<br>");
}

function heightOf(data) {
  const names = new Set(data.flatMap((trace) => (Array.isArray(trace.y) ? trace.y : [])));
  const lines = Math.max(...[...names].map((name) => String(name).split("<br>").length));
  return names.size * (lines * 15 + 6) + 130;
}

function fitted(spec, width) {
  const layout = { ...spec.layout, autosize: true };
  delete layout.width;
  let data = spec.data;
  if (width < 560) {
    layout.legend = { y: -0.25, ...layout.legend, orientation: "h", x: 0, xanchor: "left", yanchor: "top" };
    layout.margin = { ...layout.margin, r: 12 };
    const along = layout.xaxis?.title?.text;
    if (along) layout.xaxis = { ...layout.xaxis, title: { ...layout.xaxis.title, text: wrapped(along, 32) } };
    if (layout.xaxis?.type !== "log") layout.xaxis = { ...layout.xaxis, dtick: null, nticks: 6 };
    data = data.map((trace) => (trace.type === "treemap" ? trace : { ...trace, textfont: { ...trace.textfont, size: 11 } }));
    if (longestName(data) > 16) {
      data = data.map((trace) => (Array.isArray(trace.y) ? { ...trace, y: trace.y.map((name) => wrapped(name, 16)) } : trace));
      layout.height = Math.max(layout.height || 0, heightOf(data));
      layout.yaxis = { ...layout.yaxis, tickfont: { ...layout.yaxis?.tickfont, size: 11 } };
    }
  }
  if (touch) layout.dragmode = false; // a finger scrolls the page, not the chart
  return { data, layout };
}

function draw(figure, onPaper = paper.matches) {
  const box = figure.querySelector(".plot");
  const written = JSON.parse(figure.querySelector("script").textContent);
  const spec = dark.matches && !onPaper ? recoloured(written) : written;
  const { data, layout } = fitted(spec, onPaper ? PAPER_WIDTH : box.clientWidth);
  if (onPaper) Object.assign(layout, { width: PAPER_WIDTH, autosize: false });
  // No mode bar: its buttons take the keyboard's focus while nobody sees them. The numbers and the PNG are below.
  return Plotly.react(box, data, layout, { displaylogo: false, displayModeBar: false });
}

// A chart is made for the width it has: a phone that is turned gets another one.
const widths = new Map();
const resized = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    if (contentRect.width && widths.get(target) !== contentRect.width) {
      widths.set(target, contentRect.width);
      draw(target.closest("figure"));
    }
  }
});

const charts = () => document.querySelectorAll("figure.chart");
const drawAll = (onPaper) => charts().forEach((figure) => draw(figure, onPaper));

function offerPng(figure) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = words.save;
  button.addEventListener("click", () => {
    const filename = figure.querySelector("figcaption")?.textContent.trim() || "chart";
    Plotly.downloadImage(figure.querySelector(".plot"), { format: "png", scale: 2, width: 900, filename });
  });
  figure.querySelector("details.numbers")?.append(button);
}

// --- what scrolls sideways -------------------------------------------------------------------------------------------

// A box that scrolls says so, and the keyboard can reach it; one that does not is no stop on the way.
function sideways() {
  const look = new ResizeObserver((entries) => entries.forEach(({ target }) => mark(target)));
  for (const box of document.querySelectorAll("main .table, main .picture, main pre")) {
    look.observe(box);
    if (box.firstElementChild) look.observe(box.firstElementChild);
  }
  function mark(seen) {
    const box = seen.closest(".table, .picture, pre");
    box.classList.remove("scrolls"); // which widens the first column, so that it would stay for ever
    const scrolls = box.scrollWidth > box.clientWidth + 1;
    box.classList.toggle("scrolls", scrolls);
    if (box.scrollWidth <= box.clientWidth && box.scrollHeight <= box.clientHeight) {
      for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
      return;
    }
    box.tabIndex = 0;
    if (box.tagName === "PRE") return;
    const name = box.querySelector("caption, title")?.textContent || "";
    if (scrolls) box.dataset.sideways = words.sideways;
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", name || words.sideways);
  }
}

// --- code and contents -----------------------------------------------------------------------------------------------

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
    button.textContent = open ? words.hide : words.show;
    button.setAttribute("aria-expanded", String(open));
  };
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-expanded") !== "true";
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

foldCode();
followContents();
sideways();
if (typeof Plotly !== "undefined") {
  charts().forEach((figure) => {
    resized.observe(figure.querySelector(".plot")); // which reports its first width at once
    offerPng(figure);
  });
  dark.addEventListener("change", () => drawAll());
  paper.addEventListener("change", () => drawAll());
  window.addEventListener("beforeprint", () => drawAll(true));
  window.addEventListener("afterprint", () => drawAll(false));
}
