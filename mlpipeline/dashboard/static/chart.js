// Charts as SVG: learning curves, points, parallel coordinates. What is drawn came from the server, few points of it.
"use strict";

const SVG = "http://www.w3.org/2000/svg";
const COLORS = 8;

function svg(name, attributes, parent, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  if (parent) parent.append(made);
  return made;
}

function color(place) {
  return `var(--c${place % COLORS})`;
}

function shown(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-3) return value.toExponential(2).replace(/\.?0*e/, "e");
  return String(Number(value.toPrecision(4)));
}

function ticks(low, high, count) {
  const raw = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= raw);
  const found = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step * 1e-9 && found.length < 20; at += step) found.push(at);
  return found;
}

function spread(values) {
  let low = Infinity, high = -Infinity;
  for (const each of values) {
    if (each < low) low = each;
    if (each > high) high = each;
  }
  if (!(low <= high)) return [0, 1];
  if (low === high) return [low - (Math.abs(low) || 1) * 0.1, high + (Math.abs(high) || 1) * 0.1];
  return [low, high];
}

function figure(title, about) {
  const made = document.createElement("figure");
  made.className = "chart";
  const caption = document.createElement("figcaption");
  const name = document.createElement("span");
  name.textContent = title;
  const read = document.createElement("span");
  read.className = "read";
  read.textContent = about;
  caption.append(name, read);
  made.append(caption);
  return { made, read, about };
}

function legend(made, names) {
  if (names.length < 2) return;
  const list = document.createElement("ul");
  list.className = "legend";
  names.slice(0, 20).forEach((name, place) => {
    const item = document.createElement("li");
    const mark = svg("svg", { viewBox: "0 0 12 8", "aria-hidden": "true" }, item);
    svg("rect", { width: 12, height: 8, rx: 2, fill: color(place) }, mark);
    item.append(name);
    list.append(item);
  });
  made.append(list);
}

// On a phone fewer units: letters keep their size.
const BOX = { width: innerWidth < 640 ? 340 : 480, height: 220, left: 52, right: 10, top: 8, bottom: 24 };

function axes(picture, xs, ys, options) {
  const { width, height, left, right, top, bottom } = BOX;
  const x = (value) => left + ((value - xs[0]) / (xs[1] - xs[0])) * (width - left - right);
  const y = (value) => height - bottom - ((value - ys[0]) / (ys[1] - ys[0])) * (height - top - bottom);
  for (const each of ticks(ys[0], ys[1], 6)) {
    svg("line", { x1: left, x2: width - right, y1: y(each), y2: y(each), class: "grid" }, picture);
    svg("text", { x: left - 6, y: y(each) + 4, "text-anchor": "end" }, picture, (options.y || shown)(each));
  }
  const at = options.ticks && options.ticks.length ? options.ticks.map((_, place) => place) : ticks(xs[0], xs[1], 6);
  for (const each of at) {
    const label = options.ticks && options.ticks.length ? options.ticks[each] : (options.x || shown)(each);
    svg("text", { x: Math.min(x(each), width - right - 12), y: height - 7, "text-anchor": "middle" }, picture, label);
  }
  return { x, y };
}

// Draws series over numbers: [{name, x, y}]. Returns the figure.
draws("lines", function drawLines(title, series, options = {}) {
  const all = series.flatMap((each) => each.y);
  const last = !options.isPoints && series.length === 1 && all.length ? shown(all[all.length - 1]) : "";
  const { made, read } = figure(title, options.about || last);
  const picture = svg("svg", { viewBox: `0 0 ${BOX.width} ${BOX.height}`, role: "img", tabindex: 0 }, made);
  const range = spread(all);
  svg("title", {}, picture, `${title}: ${series.length === 1 ? "" : `${series.length} lines, `}from ${shown(range[0])} to ${shown(range[1])}`);
  const xs = spread(series.flatMap((each) => each.x));
  const { x, y } = axes(picture, xs, options.ys || range, options);
  series.forEach((each, place) => {
    if (options.isPoints || each.x.length === 1) {
      each.x.forEach((value, at) => svg("circle", { cx: x(value), cy: y(each.y[at]), r: 3.5, fill: color(place) }, picture));
    } else {
      const points = each.x.map((value, at) => `${x(value).toFixed(1)},${y(each.y[at]).toFixed(1)}`).join(" ");
      svg("polyline", { points, class: "line", stroke: color(each.place ?? place) }, picture);
    }
  });
  if (!options.isPoints) crosshair(picture, series, x, read, options);
  if (options.hasLegend !== false) legend(made, series.map((each) => each.name));
  return made;
});

draws("legend", function drawLegend(names) {
  const made = document.createElement("div");
  made.className = "chart full";
  legend(made, names);
  return made;
});

function crosshair(picture, series, x, read, options) {
  const line = svg("line", { y1: BOX.top, y2: BOX.height - BOX.bottom, class: "cross", visibility: "hidden" }, picture);
  const before = read.textContent;
  const steps = series[0] ? series[0].x : [];
  let place = steps.length - 1;
  const tell = (at) => {
    const step = steps[at];
    if (step === undefined) return;
    place = at;
    line.setAttribute("x1", x(step));
    line.setAttribute("x2", x(step));
    line.setAttribute("visibility", "visible");
    const values = series.slice(0, 4).map((each) => shown(each.y[nearest(each.x, step)]));
    read.textContent = `${(options.x || shown)(step)}: ${values.join(", ")}`;
  };
  picture.addEventListener("pointermove", (event) => {
    const box = picture.getBoundingClientRect();
    const value = ((event.clientX - box.left) / box.width) * BOX.width;
    tell(nearest(steps.map(x), value));
  });
  const hide = () => {
    line.setAttribute("visibility", "hidden");
    read.textContent = before;
  };
  picture.addEventListener("pointerleave", hide);
  picture.addEventListener("blur", hide);
  picture.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    tell(Math.max(0, Math.min(steps.length - 1, place + by)));
  });
}

function nearest(values, wanted) {
  let low = 0, high = values.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  return low > 0 && wanted - values[low - 1] < values[low] - wanted ? low - 1 : low;
}

// Draws parallel coordinates as the server reckoned them: axes with places from 0 to 1.
draws("parallel", function drawParallel(chart, names) {
  const { made } = figure(chart.title, chart.notes.join("; "));
  made.classList.add("full");
  const count = chart.axes.length;
  const width = Math.max(480, count * 150), height = 260, top = 30, bottom = 20, side = 60;
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" }, made);
  svg("title", {}, picture, `${names.length} runs over ${chart.axes.map((each) => each.name).join(", ")}`);
  const x = (place) => (count === 1 ? width / 2 : side + (place / (count - 1)) * (width - 2 * side));
  const y = (place) => height - bottom - place * (height - top - bottom);
  // Many lines in a few colors tell nothing apart: the best one stands out then.
  const isMany = names.length > 2 * COLORS;
  names.map((_, row) => row).sort((one, other) => (one === chart.best) - (other === chart.best)).forEach((row) => {
    const points = chart.axes.map((axis, place) => [x(place), axis.places[row]]).filter((each) => each[1] !== null && each[1] !== undefined);
    const drawn = points.map((each) => `${each[0].toFixed(1)},${y(each[1]).toFixed(1)}`).join(" ");
    const isBest = row === chart.best;
    svg("polyline", { points: drawn, class: "line", stroke: isMany && !isBest ? "var(--quiet)" : color(isMany ? 0 : row), "stroke-opacity": isBest ? 1 : isMany ? 0.35 : chart.best === null ? 1 : 0.55, "stroke-width": isBest ? 3 : 1.7 }, picture);
  });
  chart.axes.forEach((axis, place) => {
    svg("line", { x1: x(place), x2: x(place), y1: top, y2: height - bottom, class: "grid" }, picture);
    svg("text", { x: x(place), y: 16, "text-anchor": "middle" }, picture, axis.name);
    axis.ticks.forEach(([at, label]) => svg("text", { x: x(place) + 5, y: y(at) + 4 }, picture, label));
  });
  if (!isMany) legend(made, names);
  return made;
});

function draws(name, drawn) {
  window.charts = window.charts || {};
  window.charts[name] = drawn;
}
