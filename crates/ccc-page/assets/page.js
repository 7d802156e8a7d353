// The public page: the chain's data and clocks, and nothing else.

import { at, cell, clock, duration, element, facts, fill, head, known, milliseconds, row, short } from "./show.js";
import { listen, now, read, showLink } from "./stream.js";
import * as charts from "./charts.js";

const state = { status: null, runs: [], transactions: [] };
const TRUST = {
  chain: "Have that file from the operator, not from this page: whoever lies here would name signers of his own.",
  simulation: "A simulated run has signers of its own, and its file is at /v1/files/deployment.json alone: this shows how a check is done, not whom to trust.",
};
const KINDS = { solvency: "Solvency", round: "Round", enclave: "Enclave", payout: "Payout" };

function say(text) {
  at("live").textContent = text;
}

function showAge() {
  const { status } = state;
  if (!status) return;
  const stale = status.stale || (status.until !== null && now() > status.until);
  const age = status.since === null ? null : duration(now() - status.since);
  const verdict = stale ? "unknown" : status.last;
  at("verdict").textContent = verdict;
  at("verdict").dataset.verdict = verdict;
  document.title = `Reserve: ${verdict}`;
  at("age").classList.toggle("stale", stale);
  if (age === null) at("age").textContent = status.mode === "simulation" ? "No solvency report of this run yet." : "No solvency report at this deployment is known.";
  else if (stale) at("age").textContent = `STALE: the last report said ${status.last} ${age} ago, and counts no more.`;
  else if (status.until === null) at("age").textContent = `Reported ${age} ago; how long that counts is known when the run ends.`;
  else at("age").textContent = `Reported ${age} ago, counts for ${duration(status.until - now())} more.`;
}

function showStatus(status) {
  const before = state.status?.last;
  state.status = status;
  at("mode").textContent = status.mode === "simulation" ? "simulation" : "chain";
  facts("facts", [
    ["Attested block", status.block],
    ["Report", status.sequence === null ? null : `number ${status.sequence}`],
    ["Chain", status.chain_id],
    ["Table version", status.table_version],
    ["Simulated", status.mode === "simulation" ? "hardware, custodian, feed, tokens" : "nothing by this page"],
  ]);
  at("trouble").hidden = status.trouble === null;
  at("trouble").textContent = status.trouble === null ? "" : `Trouble: ${status.trouble}${status.read_at ? `; last read ${duration(now() - status.read_at)} ago` : ""}.`;
  showAge();
  if (before && before !== status.last) say(`The reserve is ${status.verdict}.`);
}

const PHASES = { running: "goes on", done: "ended", stopped: "was stopped by the operator", failed: "could not go on" };

function showRun() {
  const run = state.runs.at(-1);
  at("run").hidden = !run;
  if (!run && state.status?.mode === "chain") at("run-text").textContent = "Not known: the steps of a recovery are measured where it runs, and this page reads the chain alone. Requests, fills and reports are below.";
  if (!run) return;
  const what = run.scenario ? `the scenario ${run.scenario}` : "figures of the operator's";
  const ended = run.outcome ? `, the reserve is ${run.outcome}` : "";
  at("run-text").textContent = `Run ${run.number}, ${what}: ${PHASES[run.phase]}${ended}. Begun ${clock(run.began)}.`;
  const whole = run.spans.reduce((sum, span) => sum + span.total_ms, 0);
  const rows = run.spans.map((span) => row(
    head(span.status ? `${span.name}: ${span.status}` : span.name),
    cell(milliseconds(span.compute_ms), "n"), cell(milliseconds(span.chain_ms), "n"), cell(milliseconds(span.total_ms), "n"),
    element("td", {}, element("progress", { max: Math.max(whole, 1), value: span.total_ms, "aria-label": `${span.name}, share of the whole` })),
  ));
  if (run.step) rows.push(element("tr", { class: "going" }, head(run.step), element("td", { colspan: 4 }, "goes on")));
  fill("steps", rows);
  const chain = run.spans.reduce((sum, span) => sum + span.chain_ms, 0);
  fill("steps-sum", [row(head("Together"), cell(milliseconds(whole - chain), "n"), cell(milliseconds(chain), "n"), cell(milliseconds(whole), "n"), cell(""))]);
  if (run.spans.length > 0) charts.spans(at("chart"), run.spans);
  showPrivate(run);
}

function showPrivate(run) {
  at("private-table").hidden = run.private.length === 0;
  fill("private", run.private.map(({ what, found }) => row(head(what), cell(found))));
}

async function showBytes(hash) {
  const found = await read(`/v1/transactions/${hash}`);
  at("bytes").hidden = false;
  at("bytes-text").textContent = `${found.call} at ${found.to}: transaction ${found.hash} in block ${found.block}, from ${found.from}, ${found.bytes} bytes, ${found.gas} gas.`;
  const part = ({ label, hex }) => row(cell(label), element("td", { class: "hex" }, hex.length > 4098 ? `${hex.slice(0, 4098)}… (${(hex.length - 2) / 2} bytes)` : hex));
  const table = (name, parts) => [element("h3", {}, name), element("table", { class: "parts" }, element("tbody", {}, ...parts.map(part)))];
  const events = found.events.flatMap((event) => table(`Event ${event.name} of ${event.contract}`, event.parts));
  fill("bytes-parts", [...table("Calldata", found.calldata), ...events]);
  at("bytes-title").focus();
  at("bytes").scrollIntoView({ block: "start" });
}

function showTransactions() {
  const list = state.transactions;
  at("saw").hidden = list.length === 0;
  const bytes = list.reduce((sum, sent) => sum + sent.bytes, 0);
  at("saw-text").textContent = list.length === 0 ? "Nothing yet." : `${list.length} transactions with ${bytes.toLocaleString()} bytes of calldata, newest first. Choose one to see its bytes.`;
  fill("transactions", list.map((sent) => {
    const button = element("button", { class: "plain", type: "button", "aria-label": `${sent.call} at ${sent.to}, block ${sent.block}: show its bytes` }, sent.call);
    button.addEventListener("click", () => showBytes(sent.hash).catch((error) => say(error.message)));
    return row(element("th", { scope: "row" }, button), cell(short(sent.to)), cell(sent.bytes.toLocaleString(), "n"), cell(sent.gas.toLocaleString(), "n"));
  }));
}

function showReports(list) {
  at("reports-text").textContent = list.length === 0 ? "No report yet." : `Newest first. A command checks a report against the deployment.json that you have, and writes nothing. ${TRUST[state.status?.mode] ?? ""}`;
  fill("reports", list.map((report) => {
    const fetches = `curl -fsS ${location.origin}/v1/files/${report.file}`;
    const quorum = report.holds ? element("span", { class: "holds" }, "the quorum holds") : element("span", { class: "fails" }, "the quorum does not hold");
    return element("li", {},
      element("p", {}, element("strong", {}, `${KINDS[report.kind] ?? report.kind} ${report.sequence}`), `: ${report.says}. `, quorum, `: ${report.signed_by.length} of ${report.needed} needed, of ${report.signers} signers.`),
      element("p", { class: "muted" }, `Block ${report.block}, signed by ${report.signed_by.map(short).join(", ")}.`),
      element("pre", { tabindex: "0", "aria-label": "Commands that verify this report" }, `${fetches} | \\\n  ${report.command}`));
  }));
}

function showFeed(feed) {
  at("feed").hidden = !feed;
  if (!feed) return;
  const { answer, trouble } = feed;
  at("feed-text").textContent = answer
    ? `${answer.reserves} by the feed ${answer.feed}, round ${answer.round}, ${duration(now() - answer.time)} old. A public figure, apart from the reserve above.`
    : `Not shown: ${known(trouble)}.`;
}

async function readChain() {
  const [{ transactions }, { reports }] = await Promise.all([read("/v1/transactions"), read("/v1/reports")]);
  state.transactions = transactions;
  showTransactions();
  showReports(reports);
}

// What was read is older than an event that came meanwhile: then it is read again, and until then nothing is changed.
let reading = 0;
let missed = false;

async function latest() {
  reading += 1;
  try {
    for (;;) {
      missed = false;
      const found = await Promise.all([read("/v1/status"), read("/v1/runs"), read("/v1/feed")]);
      if (!missed) return found;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  } finally {
    reading -= 1;
  }
}

const unlessReading = (take) => (data) => {
  if (reading > 0) missed = true;
  else take(data);
};

async function readAll() {
  const [{ status }, { runs }, { feed }] = await latest();
  state.runs = runs;
  showStatus(status);
  showRun();
  showFeed(feed);
  await readChain();
}

const quietly = (work) => () => work().catch((error) => say(error.message));

function ofRun(number, change) {
  const run = state.runs.find((known) => known.number === number);
  if (!run) return;
  change(run);
  showRun();
}

listen({
  anew: quietly(readAll),
  status: unlessReading(showStatus),
  feed: unlessReading(showFeed),
  chain: quietly(readChain),
  run: unlessReading((run) => {
    const place = state.runs.findIndex((known) => known.number === run.number);
    if (place < 0) {
      state.runs.push(run);
      quietly(readChain)();
    } else if (run.phase !== "running") state.runs[place] = run;
    showRun();
    say(`Run ${run.number} ${PHASES[run.phase]}${run.outcome ? `: the reserve is ${run.outcome}` : ""}.`);
  }),
  step: unlessReading(({ run, step }) => ofRun(run, (known) => { known.step = step; })),
  // one that the list had already stands at its place
  span: unlessReading(({ run, place, span }) => ofRun(run, (known) => { known.step = null; known.spans[place] = span; })),
}, showLink(at("link")));
setInterval(showAge, 1000);
