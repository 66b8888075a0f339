// Draws each [data-chart] from the numbers of its table, so the table is never different from the drawing.
// Series differ in shape and filling, not only in color. The drawing follows a change of the theme.
// A chart near the window is drawn first, the others when the browser has time: scrolling never shows an empty chart.
// The library is loaded for the first one: it is larger than the page.
const SHAPES = ["circle", "rectRot", "triangle", "rect"];
const MOST_DOTS = 40; // more of them are one thick line
const DASHES = [[], [6, 4], [2, 3], [10, 4, 2, 4]];
const COLORS = ["--accent", "--ink", "--ink-3", "--accent"];
const drawings = new Map();

const readToken = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const readNumber = (cell) => (cell.dataset.value === "" ? null : Number(cell.dataset.value));

function readTable(figure) {
  const [head, ...rows] = figure.querySelectorAll("tr");
  const names = [...head.cells].slice(1).map((cell) => cell.textContent.trim());
  const labels = rows.map((row) => row.cells[0].dataset.tick ?? row.cells[0].dataset.value);
  return { labels, series: names.map((name, index) => ({ name, values: rows.map((row) => readNumber(row.cells[index + 1])) })) };
}

// A second series of bars is hatched, a third dotted: readable without color.
function makeFilling(index, color) {
  if (index === 0) return color;
  const tile = Object.assign(document.createElement("canvas"), { width: 8, height: 8 });
  const pen = tile.getContext("2d");
  pen.strokeStyle = pen.fillStyle = color;
  if (index % 2) {
    pen.lineWidth = 2;
    for (const offset of [-8, 0, 8]) pen.stroke(new Path2D(`M${offset} 8 L${offset + 8} 0`));
  } else {
    pen.fillRect(2, 2, 3, 3);
  }
  return pen.createPattern(tile, "repeat");
}

function makeDataset(kind, { name, values }, index, labels) {
  const color = readToken(COLORS[index % COLORS.length]);
  const isScatter = kind === "scatter";
  return {
    label: name,
    data: isScatter
      ? values.map((y, row) => ({ x: Number(labels[row]), y })).filter((point) => point.y !== null)
      : values,
    borderColor: color,
    backgroundColor: kind === "bar" ? makeFilling(index, color) : color,
    borderWidth: kind === "bar" ? 1 : 2,
    borderDash: kind === "line" ? DASHES[index % DASHES.length] : [],
    maxBarThickness: 36,
    pointStyle: SHAPES[index % SHAPES.length],
    pointRadius: values.length > MOST_DOTS ? 1 : 4,
    pointHoverRadius: 6,
    spanGaps: true,
  };
}

function makeLimit(figure, kind, labels) {
  const value = Number(figure.dataset.limit);
  const xs = kind === "scatter" ? labels.map(Number) : labels;
  const ends = kind === "scatter" ? [Math.min(...xs), Math.max(...xs)] : xs;
  return {
    type: "line",
    label: figure.dataset.limitLabel,
    data: kind === "scatter" ? ends.map((x) => ({ x, y: value })) : ends.map(() => value),
    borderColor: readToken("--ink-2"),
    borderWidth: 1,
    borderDash: [4, 4],
    pointRadius: 0,
    pointStyle: "line",
    showLine: true,
  };
}

function makeAxis(title, { ticks, ...options } = {}) {
  const ink = readToken("--ink-2");
  return {
    title: { display: Boolean(title), text: title, color: ink },
    ticks: { color: ink, maxRotation: 0, autoSkip: true, ...ticks },
    grid: { color: readToken("--line") },
    border: { color: readToken("--line-control") },
    ...options,
  };
}

function makeOptions(figure, kind, datasets) {
  const { x, y, min, max, bare } = figure.dataset;
  const range = min === undefined ? { beginAtZero: kind === "bar" } : { min: Number(min), max: Number(max) };
  const isCount = kind === "bar" && datasets.every(({ data }) => data.every((value) => Number.isInteger(value ?? 0)));
  return {
    animation: false,
    responsive: true,
    maintainAspectRatio: false,
    locale: "en",
    scales: {
      x: makeAxis(bare === undefined ? x : "", kind === "scatter" ? { type: "linear" } : { grid: { display: false } }),
      y: makeAxis(bare === undefined ? y : "", { ...range, ticks: isCount ? { precision: 0 } : {} }),
    },
    plugins: {
      legend: {
        display: datasets.length > 1 && bare === undefined,
        position: "bottom",
        labels: { color: readToken("--ink-2"), usePointStyle: kind !== "bar", boxWidth: kind === "bar" ? 12 : 8, boxHeight: 8 },
      },
    },
  };
}

function drawChart(figure) {
  const kind = figure.dataset.chart;
  const { labels, series } = readTable(figure);
  const datasets = series.map((one, index) => makeDataset(kind, one, index, labels));
  if (figure.dataset.limit !== undefined) datasets.push(makeLimit(figure, kind, labels));
  const data = { labels: kind === "scatter" ? undefined : labels, datasets };
  drawings.set(figure, new window.Chart(figure.querySelector("canvas"), { type: kind, data, options: makeOptions(figure, kind, datasets) }));
  figure.querySelector("[data-drawing]").dataset.drawing = "done";
}

function removeDrawings(isOver) {
  for (const [figure, drawing] of drawings) {
    if (!isOver(figure)) continue;
    drawing.destroy();
    drawings.delete(figure);
  }
}

async function drawNear(figure) {
  try {
    await Promise.all([import("../vendor/chart.js/chart.umd.min.js"), document.fonts.ready]); // it keeps its first font
    Object.assign(window.Chart.defaults.font, { family: getComputedStyle(document.body).fontFamily, size: 12 });
    await new Promise((resolve) => setTimeout(resolve)); // the page answers between two charts
    if (figure.isConnected && !drawings.has(figure)) drawChart(figure);
  } catch (error) {
    console.warn("Cannot draw the chart:", error);
    figure.querySelector("[data-drawing]").hidden = true;
    figure.querySelector("details").open = true; // its table says the same
  }
}

const observer = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      observer.unobserve(target);
      drawNear(target);
    }
  },
  { rootMargin: "800px 0px" },
);

// A chart in a closed fold has no place yet: the observer draws it when the fold opens.
function drawWhenIdle(figure) {
  const draw = () => figure.isConnected && figure.offsetParent && drawNear(figure);
  if (window.requestIdleCallback) window.requestIdleCallback(draw, { timeout: 2000 });
  else setTimeout(draw, 500);
}

// Each new chart gets its place at once, so that nothing moves when it is drawn.
function watchCharts() {
  removeDrawings((figure) => !figure.isConnected);
  for (const figure of document.querySelectorAll("[data-chart]")) {
    const place = figure.querySelector("[data-drawing]");
    if (!place.hidden) continue;
    place.hidden = false;
    observer.observe(figure);
    drawWhenIdle(figure);
  }
}

watchCharts();
document.addEventListener("htmx:load", watchCharts);
new MutationObserver(() => {
  const drawn = [...drawings.keys()];
  removeDrawings(() => true);
  drawn.filter((figure) => figure.isConnected).forEach(drawChart);
}).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
// Printed pages have every chart, if the library is there.
window.addEventListener("beforeprint", () => {
  if (!window.Chart) return;
  for (const figure of document.querySelectorAll("[data-chart]")) if (!drawings.has(figure)) drawChart(figure);
});
