// The operator's desk: figures come with a session, and are gone from the page when it is over.

import { at, cell, clock, element, facts, fill, head, known, pointed, row } from "./show.js";
import { listen, read, send, showLink } from "./stream.js";
import * as charts from "./charts.js";

let signedIn = false;
let halted = false;

const say = (text) => { at("live").textContent = text; };

function leave(text) {
  signedIn = false;
  at("desk").hidden = true;
  at("door").hidden = false;
  for (const id of ["numbers-body", "quotes-body", "decision", "order", "table", "journal", "lines", "curve"]) fill(id, []);
  if (text) say(text);
  at("token").focus();
}

async function doing(work, done) {
  try {
    const found = await work();
    if (done) say(done(found));
    await refresh();
  } catch (error) {
    if (error.status === 401) leave(signedIn ? "the session is over: sign in again" : error.message);
    else say(`Not done: ${error.message}`);
  }
}

function scenarioButtons(scenarios, busy) {
  at("simulate").hidden = scenarios.length === 0;
  fill("scenarios", scenarios.map(({ name, description }) => {
    const button = element("button", { type: "button", "data-scenario": name, disabled: busy }, name, element("small", {}, description));
    button.addEventListener("click", () => doing(() => send("POST", "/v1/operator/runs", { scenario: name }), ({ run }) => `Run ${run} began: ${name}.`));
    return button;
  }));
  at("figures").querySelector("button").disabled = busy;
}

const SATOSHI = /deficit|reserves|liabilities|gap|size|balance|reservation|row|total fill|^a fill$/;

function amount({ name, value }) {
  if (/notional|proceeds|payment|cost/.test(name)) return `$${pointed(value, 6)}`;
  return SATOSHI.test(name) ? `${pointed(value, 8)} BTC` : value;
}

function showOrder({ run, numbers, told }) {
  at("numbers").hidden = numbers.length === 0;
  at("order-text").textContent = run === null ? "No recovery has left figures yet." : `Of run ${run}. None of these is in any public byte.`;
  fill("numbers-body", numbers.map((number) => row(head(number.name), cell(amount(number), "n"))));
  const size = numbers.findLast((number) => number.name === "the order's size");
  facts("order", run === null ? [] : [
    ["Order", size ? amount(size) : "none was made"],
    ["Filled", told ? (told.filled ? "yes" : "no") : null],
    ["Lots ordered", told?.lots_ordered], ["Lots filled", told?.lots_filled],
    ["Paid", told ? `$${pointed(told.paid, 6)}` : null],
    ["Makers, at most", told?.makers],
    ["Largest part", told ? `${(told.largest_share / 100).toFixed(2)} %` : null],
  ]);
}

function showTable({ run, numbers }) {
  const sum = (name) => numbers.filter((number) => number.name === name).reduce((total, number) => total + BigInt(number.value), 0n);
  const count = (name) => numbers.filter((number) => number.name === name).length;
  facts("table", run === null ? [["Rows", null]] : [
    ["Makers that were filled", count("a fill")],
    ["Their fills together", `${pointed(sum("a fill").toString(), 8)} BTC`],
    ["Their proceeds moved", `$${pointed(sum("a fill's notional").toString(), 6)}`],
    ["The reserve's row moved", `${pointed(sum("the total fill").toString(), 8)} BTC`],
  ]);
}

function showDecision(decision) {
  at("quotes").hidden = !decision;
  at("decision-text").textContent = decision
    ? `The agent's rule on the deficit of run ${decision.run}, with quotes of a simulated market of $${(decision.depth / 1e6).toFixed(0)} million a side. What the run itself did is in What was done and on the public page.`
    : "It chooses when a deficit is known.";
  fill("decision", (decision?.words ?? []).map((line) => element("li", {}, line)));
  fill("quotes-body", (decision?.curve ?? []).map((quote) => row(cell(`$${quote.dollars.toLocaleString()}`, "n"), cell(pointed(quote.coins, 8), "n"), cell(String(quote.impact), "n"))));
  if (decision) charts.curve(at("curve"), decision);
}

async function showJournal(view) {
  at("agent").hidden = !view.journal;
  at("approve").hidden = !view.approvals;
  if (!view.journal) return;
  const journal = await read("/v1/operator/journal");
  at("journal-text").textContent = `${journal.lines} lines hold together; the last is ${journal.hash}. Open transaction: ${known(journal.open ?? "none")}.`;
  fill("journal", journal.entries.toReversed().map((line) => row(cell(String(line.sequence), "n"), cell(clock(line.time)), element("td", { class: "hex" }, JSON.stringify(line.what)))));
}

async function refresh() {
  const view = await read("/v1/operator/desk");
  signedIn = true;
  at("door").hidden = true;
  at("desk").hidden = false;
  halted = view.halted;
  at("halt").textContent = halted ? "Let it go on" : "Stop everything";
  at("halt").setAttribute("aria-pressed", String(halted));
  at("state").textContent = halted ? "Everything is stopped." : view.running ? "A run goes on." : "Nothing runs; nothing is stopped.";
  scenarioButtons(view.scenarios, view.running || halted);
  showOrder(view.desk);
  showTable(view.desk);
  showDecision(view.desk.decision);
  fill("lines", view.desk.lines.toReversed().map((line) => element("li", {}, element("time", {}, clock(line.time)), line.what)));
  await showJournal(view);
}

const again = () => {
  if (signedIn) doing(async () => {}, null);
};

at("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  const token = at("token").value;
  at("token").value = "";
  doing(() => send("POST", "/v1/operator/session", { token }), () => "Signed in.");
});
at("sign-out").addEventListener("click", async () => {
  await send("DELETE", "/v1/operator/session").catch(() => {});
  leave("Signed out.");
});
at("halt").addEventListener("click", () => doing(() => send("POST", "/v1/operator/halt", { halted: !halted }), (found) => (found.halted ? "Everything is stopped." : "It goes on.")));
for (const input of at("figures").querySelectorAll("input[type=range]")) {
  input.addEventListener("input", () => { at(`${input.name}-out`).textContent = `${Number(input.value).toFixed(1)} %`; });
}
at("figures").addEventListener("submit", (event) => {
  event.preventDefault();
  const of = (name) => Number(new FormData(at("figures")).get(name));
  const points = (name) => Math.round(of(name) * 100);
  const figures = { liabilities_bitcoin: of("liabilities_bitcoin"), covered_basis_points: points("covered"), recover_to_basis_points: points("target"), cover_basis_points: points("cover") };
  doing(() => send("POST", "/v1/operator/runs", { scenario: "large-deficit", figures }), ({ run }) => `Run ${run} began with these figures.`);
});
at("approve").addEventListener("submit", (event) => {
  event.preventDefault();
  doing(() => send("POST", "/v1/operator/approvals", JSON.parse(at("approval").value)), ({ action }) => `The approval of ${action} was handed in.`);
});

listen({ anew: again, run: again, status: again, desk: again }, showLink(at("link")));
refresh().catch((error) => leave(error.status === 401 ? "" : error.message));
