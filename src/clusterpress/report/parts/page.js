"use strict";
const $ = (id) => document.getElementById(id);
const PALETTE = ["#0b6fb8", "#d1622b", "#3a9a57", "#8a5cc2", "#b8860b", "#c2417c", "#3aa3a3", "#7a5a44", "#6b7785", "#a3a32a"];
const PARTS = ["codebook", "index", "position", "scale", "transform", "dense", "bias", "norm"];
const PART_COLOURS = Object.fromEntries(PARTS.map((part, i) => [part, PALETTE[i]]));
const VERDICTS = ["exceeded", "reproduced", "holds", "arithmetic agrees", "not reproduced", "does not hold", "arithmetic disagrees", "not comparable", "not run"];
const KIND = (verdict) => ["exceeded", "reproduced", "holds", "arithmetic agrees"].includes(verdict) ? "good"
  : ["not comparable", "not run"].includes(verdict) ? "open" : "bad";
const PAPER = { width: 940, height: 460 }; // Pixels: fits A4 and letter, landscape.
let DATA, SUITES, FRONT = new Set(), printing = false, drawn = false;
const colourOf = (suite) => PALETTE[Math.max(SUITES.indexOf(suite), 0) % PALETTE.length];
const FILTERS = ["data", "model", "suite", "method"];
async function unpacked(id) {
  const bytes = Uint8Array.from(atob($(id).textContent), (letter) => letter.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}
const TICKS = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];
const state = { sort: "change", down: false };

// Words and numbers.
const escaped = (text) => String(text).replace(/[&<>"']/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" })[c]);
const fixed = (value, digits = 2) => value === null || value === undefined || Number.isNaN(value) ? "–" : value.toFixed(digits);
const signed = (value) => value === null ? "–" : (value > 0 ? "+" : "") + (Math.abs(value) < 0.005 ? "0.00" : value.toFixed(2));
const spread = (s, digits = 2) => s.n === 0 ? "–" : fixed(s.mean, digits) + (s.half === null ? "" : " ± " + fixed(s.half, digits));
const seeds = (s) => s.n === 1 ? "n = 1, no interval" : `n = ${s.n}`;
const change = (s) => s.n === 0 ? "–" : signed(s.mean) + (s.half === null ? "" : " ± " + fixed(s.half));
// Only where the interval leaves 0 out; seeds that are all equal by chance have none to speak of.
const coloured = (s) => s.half === null || s.half < 1e-6 || Math.abs(s.mean) <= s.half ? "" : s.mean > 0 ? "bad" : "good";
const bytes = (count) => count >= 1e6 ? (count / 1e6).toFixed(2) + " MB" : (count / 1e3).toFixed(1) + " kB";
const countOf = (rows, key) => new Set(rows.map((row) => row[key])).size;
const ratioOf = (point) => point.ratios[$("filter-convention").value];

// Filters.
function fill(id, values, all = "all") {
  $(id).innerHTML = (all ? `<option value="">${all}</option>` : "") + values.map((v) => `<option>${escaped(v)}</option>`).join("");
}
function setUpFilters() {
  for (const name of FILTERS) fill(`filter-${name}`, [...new Set(DATA.points.map((point) => point[name]))].sort());
  const conventions = [...new Set(DATA.points.flatMap((point) => Object.keys(point.ratios)))].sort();
  fill("filter-convention", ["file", ...conventions.filter((name) => name !== "file")], "");
  fill("filter-verdict", VERDICTS.filter((verdict) => DATA.claims.some((claim) => claim.verdict === verdict)));
  fill("filter-paper", [...new Set(DATA.claims.map((claim) => claim.paper))].sort());
  const counts = {};
  for (const point of DATA.points) counts[point.data] = (counts[point.data] ?? 0) + 1;
  const most = Object.keys(counts).sort((a, b) => counts[b] - counts[a])[0];
  if (most) $("filter-data").value = most;
  $("filters").addEventListener("change", draw);
  $("filters").addEventListener("reset", () => setTimeout(draw));
  if (DATA.measured > DATA.points.length) $("left-out").textContent = `${DATA.measured.toLocaleString()} points were measured, ${DATA.points.length.toLocaleString()} are on this page: ${DATA.rule}. results/records.csv has all.`;
  $("claim-filters").addEventListener("change", drawClaims);
}
function chosen() {
  findFront();
  return DATA.points.filter((point) => FILTERS.every((name) => !$(`filter-${name}`).value || point[name] === $(`filter-${name}`).value)
    && (!$("filter-front").checked || FRONT.has(point)));
}
// The unbeaten points of each network, whatever suite they are of, by the convention chosen.
function findFront() {
  const networks = {};
  for (const point of DATA.points) if (ratioOf(point) && point.method !== "none") (networks[`${point.data}/${point.model}`] ??= []).push(point);
  FRONT = new Set(Object.values(networks).flatMap(front));
}

// The plot.
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
function layout(extra) {
  const axis = { gridcolor: css("--line"), zerolinecolor: css("--line"), linecolor: css("--line") };
  return {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { color: css("--text"), size: 12 },
    margin: { l: 58, r: 12, t: 12, b: 46 }, hoverlabel: { align: "left" }, ...extra,
    xaxis: { ...axis, ...extra.xaxis }, yaxis: { ...axis, ...extra.yaxis },
  };
}
function front(points) {
  const sorted = [...points].sort((a, b) => ratioOf(b).mean - ratioOf(a).mean || a.error.mean - b.error.mean);
  let best = Infinity;
  return sorted.filter((point) => point.error.mean < best && ((best = point.error.mean), true)).reverse();
}
function measuredTrace(suite, points) {
  return {
    name: suite, type: "scatter", mode: "markers", customdata: points.map((point) => point.place),
    x: points.map((point) => ratioOf(point).mean), y: points.map((point) => 100 - point.error.mean),
    error_x: { type: "data", array: points.map((point) => ratioOf(point).half ?? NaN), thickness: 1, width: 3 },
    error_y: { type: "data", array: points.map((point) => point.error.half ?? NaN), thickness: 1, width: 3 },
    marker: { size: 8, color: colourOf(suite), symbol: points.map((point) => point.selected ? "diamond" : "circle") },
    text: points.map((point) => `<b>${escaped(point.name)}</b> (${escaped(point.data)})<br>error ${spread(point.error)} %, ${seeds(point.error)}<br>` +
      `against the baseline ${change(point.change)}<br>${bytes(point.bytes)}`),
    hovertemplate: "%{text}<br>%{x:.2f}x<extra></extra>",
  };
}
function paperTraces(points, lowest) {
  const shown = new Set(points.map((point) => `${point.data}/${point.model}`));
  const convention = $("filter-convention").value;
  const stars = DATA.stars.filter((star) => shown.has(`${star.data}/${star.model}`) && (convention === "file" || star.convention === convention));
  return [true, false].map((exact) => {
    const own = stars.filter((star) => (star.accuracy !== null) === exact);
    return {
      name: exact ? "papers' rows" : "papers' ratios", type: "scatter", mode: "markers", visible: own.length ? true : false,
      x: own.map((star) => star.ratio), y: own.map((star) => star.accuracy ?? lowest),
      text: own.map((star) => `${escaped(star.label)}<br>by ${escaped(star.convention ?? "its own count")}`), hovertemplate: "%{text}<extra></extra>",
      marker: { size: exact ? 14 : 10, symbol: exact ? "star" : "triangle-up-open", color: own.map((star) => colourOf(star.paper)), line: { width: 1, color: css("--text") } },
    };
  });
}
function drawPlot(points) {
  const shown = points.filter(ratioOf);
  $("plot").hidden = !shown.length;
  $("below").textContent = shown.length ? "" : "No point has all of this.";
  if (!shown.length) return;
  const baseline = Math.max(...shown.map((point) => point.baseline.mean), 0.5);
  const accuracies = shown.map((point) => 100 - point.error.mean);
  const lowest = Math.max(Math.min(...accuracies, 100), 100 - 4 * baseline);
  const highest = Math.max(...accuracies, 100 - baseline);
  const room = (highest - lowest) * 0.06 || 0.5;
  const traces = SUITES.map((suite) => [suite, shown.filter((point) => point.suite === suite)])
    .filter(([, own]) => own.length).map(([suite, own]) => measuredTrace(suite, own));
  const networks = new Set(shown.map((point) => `${point.data}/${point.model}`));
  const span = [Math.min(...shown.map((p) => ratioOf(p).mean)), Math.max(...shown.map((p) => ratioOf(p).mean))];
  const own = shown[0].baseline.mean;
  for (const network of networks) {
    const line = front(shown.filter((point) => point.method !== "none" && `${point.data}/${point.model}` === network));
    traces.push({ name: "unbeaten", showlegend: networks.size === 1, type: "scatter", mode: "lines", x: line.map((p) => ratioOf(p).mean), y: line.map((p) => 100 - p.error.mean), line: { color: css("--dim"), width: 1, dash: "dot" }, hoverinfo: "skip" });
  }
  traces.push({ name: "baseline", type: "scatter", mode: "lines", x: span, y: span.map(() => 100 - own), line: { color: css("--text"), width: 1 }, hovertemplate: `our baseline ${fixed(100 - own)} %<extra></extra>`, visible: networks.size === 1 });
  traces.push(...paperTraces(points, lowest - room / 2));
  Plotly.react($("plot"), traces, layout({
    xaxis: { title: { text: `compression ratio by ${$("filter-convention").value}` }, type: "log", tickvals: TICKS, ticktext: TICKS.map(String) },
    yaxis: { title: { text: "top-1 accuracy, %" }, range: [lowest - room, highest + room] },
    legend: { orientation: "h", y: -0.18 }, ...(printing ? PAPER : {}),
  }), { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["lasso2d", "select2d"] });
  const below = accuracies.filter((accuracy) => accuracy < lowest).length;
  if (!drawn) $("plot").on("plotly_click", (event) => {
    const place = event.points[0].customdata;
    if (place !== undefined) openDetail(DATA.points[place]);
  });
  drawn = true;
  if (below) $("below").textContent = `${below} of ${shown.length} points lie below ${lowest.toFixed(2)} %; zoom out by the axes button above.`;
}

// Tables.
const COLUMNS = [
  { key: "suite", title: "suite", value: (p) => p.suite },
  { key: "name", title: "point", value: (p) => p.name, html: (p) => escaped(p.name) + (p.selected ? ' <span class="tag">selected</span>' : "") + (FRONT.has(p) ? ' <span class="tag">unbeaten</span>' : "") + (p.profile === "paper" ? ' <span class="tag">paper profile</span>' : "") },
  { key: "data", title: "data", value: (p) => p.data },
  { key: "method", title: "method", value: (p) => p.method },
  { key: "error", title: "error, %", number: true, value: (p) => p.error.mean, html: (p) => spread(p.error) },
  { key: "baseline", title: "baseline, %", number: true, value: (p) => p.baseline.mean, html: (p) => spread(p.baseline) },
  { key: "change", title: "Δ, points", number: true, value: (p) => p.change.mean, html: (p) => `<span class="${coloured(p.change)}">${change(p.change)}</span>` },
  { key: "n", title: "n", number: true, value: (p) => p.error.n },
  { key: "ratio", title: "ratio", number: true, value: (p) => ratioOf(p)?.mean ?? -1, html: (p) => ratioOf(p) ? fixed(ratioOf(p).mean) + "x" : "–" },
  { key: "file", title: "file", number: true, value: (p) => p.ratios.file?.mean ?? -1, html: (p) => p.ratios.file ? fixed(p.ratios.file.mean) + "x" : "–" },
  { key: "bytes", title: "bytes", number: true, value: (p) => p.bytes, html: (p) => bytes(p.bytes) },
  { key: "parameters", title: "parameters", number: true, value: (p) => p.parameters, html: (p) => fixed(100 * p.parameters, 1) + " %" },
  { key: "macs", title: "MACs", number: true, value: (p) => p.macs, html: (p) => fixed(100 * p.macs, 1) + " %" },
];
function header(table, columns) {
  table.tHead.innerHTML = "<tr>" + columns.map((c) => `<th scope="col" class="${c.number ? "number" : ""}"${c.key ? ` aria-sort="${state.sort !== c.key ? "none" : state.down ? "descending" : "ascending"}"` : ""}>` +
    (c.key ? `<button type="button" data-key="${c.key}">${c.title}${state.sort === c.key ? (state.down ? " ↓" : " ↑") : ""}</button>` : c.title) + "</th>").join("") + "</tr>";
}
function cells(columns, row) {
  return columns.map((c) => `<td class="${c.number ? "number" : ""}">${c.html ? c.html(row) : escaped(c.value(row))}</td>`).join("");
}
function drawPoints(points) {
  const column = COLUMNS.find((c) => c.key === state.sort);
  const order = (a, b) => (a < b ? -1 : a > b ? 1 : 0) * (state.down ? -1 : 1);
  const sorted = [...points].sort((a, b) => order(column.value(a), column.value(b)));
  header($("points"), COLUMNS);
  $("points").tBodies[0].innerHTML = sorted.map((point) => `<tr tabindex="0" data-point="${point.place}">${cells(COLUMNS, point)}</tr>`).join("")
    || `<tr><td colspan="${COLUMNS.length}">No point has all of this.</td></tr>`;
}
function drawStatus() {
  const papers = [...new Set(DATA.claims.map((claim) => claim.paper))];
  const verdicts = VERDICTS.filter((verdict) => DATA.claims.some((claim) => claim.verdict === verdict));
  const columns = [
    { title: "paper", value: (p) => p, html: (p) => `<b>${escaped(p)}</b><br><span class="hint">${escaped(DATA.titles[p] ?? "")}</span>` },
    ...verdicts.map((verdict) => ({ title: verdict, number: true, html: (p) => countOf(DATA.claims.filter((c) => c.paper === p && c.verdict === verdict), "id") || "" })),
  ];
  header($("status"), columns);
  $("status").tBodies[0].innerHTML = papers.map((paper) => `<tr>${cells(columns, paper)}</tr>`).join("");
}
const CLAIM_COLUMNS = [
  { title: "paper", value: (c) => c.paper }, { title: "network", value: (c) => c.model }, { title: "data", value: (c) => c.data },
  { title: "claim", value: (c) => c.claim }, { title: "paper's number", value: (c) => c.printed },
  { title: "ours", number: true, value: (c) => c.ours, html: (c) => escaped(c.ours) + (c.n ? ` <span class="tag">n = ${c.n}</span>` : "") },
  { title: "p (Holm)", number: true, value: (c) => c.p },
  { title: "verdict", html: (c) => `<span class="${KIND(c.verdict)}">${escaped(c.verdict)}</span>${c.why ? " (" + escaped(c.why) + ")" : ""}` },
  { title: "point", value: (c) => c.point }, { title: "source", value: (c) => c.source }, { title: "note", value: (c) => c.note },
];
function drawClaims() {
  const verdict = $("filter-verdict").value, paper = $("filter-paper").value;
  const shown = DATA.claims.filter((claim) => (!verdict || claim.verdict === verdict) && (!paper || claim.paper === paper));
  header($("claims"), CLAIM_COLUMNS);
  $("claims").tBodies[0].innerHTML = shown.map((claim) => `<tr>${cells(CLAIM_COLUMNS, claim)}</tr>`).join("");
}

// One point's details.
function kernel(levels, [height, width], uses) {
  const taps = levels.map((level, i) => `<rect x="${i % width}" y="${Math.floor(i / width)}" width="1" height="1" fill="${level < 0 ? "#c2452d" : "#1f6fb4"}" fill-opacity="${(Math.abs(level) / 127).toFixed(2)}"/>`);
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="kernel used ${uses} times"><title>used ${uses} times</title>${taps.join("")}</svg>`;
}
function kernelsHtml(books) {
  return books.map((book) => `<h3>Kernels: ${book.total} shared by ${book.layers} layers, the most used first</h3><div class="kernels">` +
    book.values.map((values, i) => kernel(values, book.size, book.uses[i])).join("") + "</div>").join("");
}
function ledgerHtml(layers) {
  const widest = Math.max(...layers.map((layer) => Object.values(layer.parts).reduce((a, b) => a + b, 0)), 1);
  const rows = layers.map((layer) => {
    const stored = Object.values(layer.parts).reduce((a, b) => a + b, 0);
    const bars = PARTS.filter((part) => layer.parts[part]).map((part) => `<span title="${part}: ${layer.parts[part].toLocaleString()} bytes" style="width:${100 * layer.parts[part] / widest}%;background:${PART_COLOURS[part]}"></span>`);
    return `<tr><td>${escaped(layer.layer)}</td><td style="width:45%"><div class="bar">${bars.join("")}</div></td><td class="number">${stored.toLocaleString()}</td><td class="number">${stored ? fixed(layer.reference / stored, 1) + "x" : "–"}</td><td class="number">${layer.weights ? fixed(100 * layer.kept / layer.weights, 1) + " %" : "–"}</td></tr>`;
  });
  const used = PARTS.filter((part) => layers.some((layer) => layer.parts[part]));
  return `<h3>Where the bytes are</h3><div class="legend">${used.map((part) => `<span><i style="background:${PART_COLOURS[part]}"></i>${part}</span>`).join("")}</div>` +
    `<div class="scroll"><table><thead><tr><th>layer</th><th></th><th class="number">bytes</th><th class="number">ratio</th><th class="number">weights kept</th></tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
}
function runsHtml(runs) {
  const rows = runs.map((run) => [run, DATA.places[run.place]]).map(([run, at]) => `<tr><td class="number">${run.seed}</td><td class="number">${run.baseline_seed}</td><td class="number">${fixed(run.error)}</td><td class="number">${fixed(run.seconds, 0)}</td><td><code>${escaped(run.id)}</code></td>` +
    `<td><code>${escaped(at.git_commit.slice(0, 10))}</code>${at.git_dirty === "True" ? " dirty" : ""}</td><td>${escaped(at.processor)}, ${escaped(at.device)}, ${escaped(at.precision)}, torch ${escaped(at.torch)}</td><td><code title="SHA-256 of the data: ${escaped(at.data_sha256)}">${escaped(at.data_sha256.slice(0, 8))}</code></td><td>${escaped(run.finished)}</td></tr>`);
  return `<h3>Runs</h3><div class="scroll"><table><thead><tr><th class="number">seed</th><th class="number">baseline's</th><th class="number">error, %</th><th class="number">seconds</th><th>run</th><th>commit</th><th>computed on</th><th>data</th><th>finished</th></tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
}
function drawCurves(curves) {
  for (const key of ["loss", "error"]) {
    const traces = curves.filter((curve) => curve[key].length).map((curve) => ({ name: curve.name, type: "scatter", mode: "lines+markers", x: curve[key].map(([epoch]) => epoch + 1), y: curve[key].map(([, value]) => value) }));
    if (traces.length) Plotly.newPlot(`curve-${key}`, traces, layout({ xaxis: { title: { text: "epoch" } }, yaxis: { title: { text: key === "loss" ? "training loss" : "validation error, %" } }, showlegend: true }), { responsive: true, displayModeBar: false });
    else $(`curve-${key}`).remove();
  }
}
// In plain words: how many seeds, and what an interval covers.
function words(point) {
  const n = point.error.n;
  const over = n === 1 ? "One seed (n = 1): no interval." : `Mean of ${n} seeds: error ${spread(point.error)} % (deviation ${fixed(point.error.std)}), change to the own baseline ${change(point.change)} points (95 % intervals).`;
  const shared = point.baselines < n ? ` ${point.baselines === 1 ? "All seeds share one baseline" : `The seeds share ${point.baselines} baselines`}: the intervals tell of the method, not of other baselines.` : "";
  const images = point.test_set === null ? "" : ` The test images leave ± ${fixed(point.test_set)} % of the error open, ± ${fixed(point.test_set_change)} points of the change (bootstrap).`;
  const versions = point.versions ? ` Not of one version (${escaped(point.versions)}): errors stay comparable, bytes and the ratio by file are then of no one version's file.` : "";
  return over + shared + images + versions;
}
function openDetail(point) {
  const more = DATA.details[point.runs[0].id];
  const stages = point.stages.map((stage) => `${escaped(stage.name)} ${spread(stage.error)} %`).join(" → ");
  const ratios = Object.entries(point.ratios).map(([name, value]) => `${escaped(name)} ${fixed(value.mean)}x`).join(", ");
  $("detail-content").innerHTML = `<header><div><h2 id="detail-title">${escaped(point.name)} <span class="tag">${escaped(point.suite)} on ${escaped(point.data)}</span></h2></div><button type="button" id="close">close</button></header>` +
    `<p>${words(point)}</p><p>Error after each stage: ${stages}</p><p>Ratios: ${ratios}</p>` +
    (point.command ? `<p>Repeat it:</p><pre>${escaped(point.command)}</pre>` : "<p class=\"hint\">No suite has this point; the config of a run stands in runs/&lt;run&gt;/record.json of the store.</p>") + runsHtml(point.runs) +
    (more ? ledgerHtml(more.layers) + kernelsHtml(more.kernels) + (more.curves.length ? `<h3>Training, seed ${point.runs[0].seed}</h3><div class="chart" id="curve-loss"></div><div class="chart" id="curve-error"></div>` : "")
      : `<p class="hint">${DATA.store ? "For want of room, or because its record is damaged, the page has" : "The page was written without the store, so it has"} no ledger, kernels and curves of this run.</p>`);
  $("detail").showModal();
  $("close").addEventListener("click", () => $("detail").close());
  if (more && more.curves.length) drawCurves(more.curves);
}

// Everything together.
function draw() {
  const points = chosen();
  drawPlot(points);
  drawPoints(points);
}
function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  draw();
}
// Paper is white and has a width of its own, whatever the screen is.
function setUpPrinting() {
  let theme;
  addEventListener("beforeprint", () => { theme ??= document.documentElement.dataset.theme; printing = true; setTheme("light"); });
  addEventListener("afterprint", () => { printing = false; setTheme(theme); theme = undefined; });
}
async function start() {
  const script = document.createElement("script");
  [DATA, script.textContent] = [JSON.parse(await unpacked("packed-data")), await unpacked("packed-plotly")];
  document.head.append(script);
  DATA.points.forEach((point, place) => { point.place = place; });
  SUITES = [...new Set(DATA.points.map((point) => point.suite))];
  const judged = DATA.claims.filter((claim) => KIND(claim.verdict) !== "open");
  $("summary").textContent = `${DATA.points.length} points, ${DATA.runs} runs; ${countOf(judged, "id")} of ${countOf(DATA.claims, "id")} claims of ${countOf(DATA.claims, "paper")} papers judged`;
  setUpFilters();
  const dark = matchMedia("(prefers-color-scheme: dark)");
  setTheme(dark.matches ? "dark" : "light");
  dark.addEventListener("change", () => setTheme(dark.matches ? "dark" : "light"));
  $("theme").addEventListener("click", () => setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
  setUpPrinting();
  drawStatus();
  drawClaims();
  $("points").tHead.addEventListener("click", (event) => {
    const key = event.target.dataset?.key;
    if (!key) return;
    state.down = state.sort === key ? !state.down : false;
    state.sort = key;
    drawPoints(chosen());
    $("points").tHead.querySelector(`[data-key="${key}"]`).focus();
  });
  const open = (event) => {
    const row = event.target.closest("tr[data-point]");
    if (row) openDetail(DATA.points[Number(row.dataset.point)]);
  };
  $("points").tBodies[0].addEventListener("click", open);
  $("points").tBodies[0].addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); open(event); }
  });
}
start().catch((error) => { $("summary").textContent = `This page cannot be shown: ${error.message}. It needs a browser of 2023 or later.`; throw error; });
