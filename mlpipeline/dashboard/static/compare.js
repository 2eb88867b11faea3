// Draws what the page that compares runs was given.
"use strict";

function drawCompared() {
  const data = document.getElementById("charts");
  if (!data) return;
  const found = JSON.parse(data.textContent);
  const curves = Object.entries(found.curves).map(([name, series]) => charts.lines(name, series, { hasLegend: false }));
  const place = document.getElementById("compared-curves");
  place.replaceChildren(...curves);
  if (curves.length && found.names.length > 1) place.append(charts.legend(found.names));
  if (curves.length && found.without_curves) note(place, `These are the first ${found.names.length} rows: ${found.without_curves} more have no line here.`);
  if (!curves.length) note(place, "None of these runs has recorded anything over its steps.");
  if (found.parallel) {
    const rows = [...document.querySelectorAll("main tbody th")].map((each) => each.textContent);
    document.getElementById("compared-parallel").replaceChildren(charts.parallel(found.parallel, rows.slice(0, found.parallel.axes[0].places.length)));
  }
  const axes = found.parallel ? found.parallel.axes.map((each) => each.name) : [];
  document.getElementById("compared-scatter").replaceChildren(...Object.entries(found.scatter).slice(0, 12).map(([name, chart]) => {
    const isLog = axes.includes(`${name} (log)`);
    const series = isLog ? chart.series.map((each) => ({ ...each, x: each.x.map(Math.log10) })) : chart.series;
    const x = isLog ? (value) => String(Number((10 ** value).toPrecision(1))) : undefined;
    return charts.lines(`${chart.y_label} over ${name}${isLog ? " (log)" : ""}`, series, { isPoints: true, ticks: chart.ticks, x });
  }));
}

drawCompared();
