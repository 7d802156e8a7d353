// Drawings by uPlot; the tables beside them have the same figures.

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const drawn = new Map();

function axes() {
  const [ink, line] = [style("--soft"), style("--line")];
  return { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
}

function draw(host, make) {
  if (typeof uPlot === "undefined") return;
  drawn.get(host)?.plot.destroy();
  const plot = make(Math.max(280, host.clientWidth));
  drawn.set(host, { plot, make });
}

// Compute below, waiting for the chain on top.
export function spans(host, list) {
  const places = list.map((_, index) => index + 1);
  const compute = list.map((span) => span.compute_ms);
  const total = list.map((span) => span.total_ms);
  draw(host, (width) => new uPlot({
    width, height: 220, cursor: { y: false }, legend: { live: true },
    scales: { x: { time: false, range: [0.5, Math.max(1, list.length) + 0.5] }, y: { range: (_, __, most) => [0, most * 1.1 || 1] } },
    axes: [{ ...axes(), incrs: [1, 2, 5, 10] }, { ...axes(), size: 70, values: (_, ticks) => ticks.map((tick) => `${tick} ms`) }],
    series: [
      { label: "Step" },
      { label: "Total with the chain", fill: style("--bar2"), stroke: style("--bar2"), width: 0, paths: uPlot.paths.bars({ size: [0.7, 60] }), points: { show: false } },
      { label: "Compute", fill: style("--bar"), stroke: style("--bar"), width: 0, paths: uPlot.paths.bars({ size: [0.7, 60] }), points: { show: false } },
    ],
  }, [places, total, compute], host));
}

// Impact by dollars, and the limit that the agent goes by.
export function curve(host, decision) {
  const dollars = decision.curve.map((quote) => quote.dollars / 1e6);
  const impact = decision.curve.map((quote) => quote.impact);
  draw(host, (width) => new uPlot({
    width, height: 220, legend: { live: true },
    scales: { x: { time: false }, y: { range: (_, __, most) => [0, Math.max(most, decision.limit) * 1.1] } },
    axes: [{ ...axes(), values: (_, ticks) => ticks.map((tick) => `$${tick} M`) }, { ...axes(), size: 70, values: (_, ticks) => ticks.map((tick) => `${tick} bp`) }],
    series: [
      { label: "Paid, $ million" },
      { label: "Impact, bp", stroke: style("--bar"), width: 2 },
      { label: "Limit, bp", stroke: style("--bad"), width: 2, dash: [6, 4] },
    ],
  }, [dollars, impact, dollars.map(() => decision.limit)], host));
}

function again() {
  for (const [host, { make }] of drawn) if (host.isConnected) draw(host, make);
}

let waiting;
addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(again, 150); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
