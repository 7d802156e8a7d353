// What a person does with the page, and what it must show then.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const MOST_BYTES = 300_000;
const MOST_PAINT = 1_000;

// axe is put in through the debugger: the page's own policy allows no script from elsewhere.
async function accessible(page, where) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"] }));
  assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ").slice(0, 300)}`), [], where);
}

async function signIn(page, served) {
  await page.goto("/operator");
  await page.fill("#token", served.token);
  await page.click("#sign-in button");
  await page.waitForSelector("#desk:not([hidden])");
}

async function phase(page, number, expected) {
  await page.waitForFunction(([number, text]) => document.getElementById("run-text").textContent.startsWith(`Run ${number},`) && document.getElementById("run-text").textContent.includes(text), [number, expected], { timeout: 40_000 });
}

async function ready(page) {
  await page.waitForFunction(() => document.getElementById("state").textContent.startsWith("Nothing runs"), null, { timeout: 40_000 });
}

async function noSecret(page, desk) {
  const numbers = await desk.locator("#numbers-body td").allTextContents();
  const digits = numbers.map((text) => text.replace(/[^0-9]/g, "").replace(/^0+/, "")).filter((text) => text.length >= 9);
  assert.ok(digits.length > 3, "the desk has figures");
  const shown = (await page.evaluate(() => document.body.innerText)).replace(/[,.]/g, "");
  // as a number of its own: the zeros of calldata's words hold every round one
  for (const secret of digits) assert.ok(!new RegExp(`(?<![0-9a-f])${secret}(?![0-9a-f])`).test(shown), `the public page shows ${secret}`);
  return digits.length;
}

async function publicPage({ page, browser, served, shoot }) {
  await page.goto("/");
  await page.waitForSelector("#link[data-live=yes]");
  const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime);
  const bytes = await page.evaluate(() => performance.getEntries().reduce((sum, entry) => sum + (entry.encodedBodySize ?? 0), 0));
  assert.ok(paint < MOST_PAINT, `first paint after ${paint} ms`);
  assert.ok(bytes > 50_000 && bytes < MOST_BYTES, `${bytes} bytes`);
  assert.match(await page.textContent("#age"), /No solvency report/);
  await accessible(page, "the public page, light");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip", "the keyboard comes in at the skip link");
  await shoot("public-empty");
  const dark = await browser.newPage({ baseURL: served.url, colorScheme: "dark" });
  await dark.goto("/");
  await dark.waitForSelector("#link[data-live=yes]");
  await accessible(dark, "the public page, dark");
  await dark.close();
  return { first_paint_ms: Math.round(paint), bytes };
}

async function verifies({ page, served, program }) {
  const command = await page.locator("#reports pre").first().textContent();
  const own = join(served.dir, "deployment.json");
  const deployment = await (await fetch(`${served.url}/v1/files/deployment.json`)).text();
  const verify = (text, line = command) => {
    writeFileSync(own, text);
    try {
      execFileSync("sh", ["-c", line], { cwd: served.dir, stdio: "pipe", env: { ...process.env, PATH: `${dirname(program)}:${process.env.PATH}` } });
      return true;
    } catch {
      return false;
    } finally {
      assert.equal(readFileSync(own, "utf8"), text, "what the reader has stays as it was");
    }
  };
  assert.ok(verify(deployment), command);
  const other = JSON.parse(deployment);
  other.signers.addresses = other.signers.addresses.map((address) => address.replace(/.$/, (digit) => (digit === "0" ? "1" : "0")));
  assert.ok(!verify(JSON.stringify(other)), "the signers are the page's word");
  assert.ok(!verify(deployment, command.replace(/[^/ ]+\.report/, "none.report")), "a refusal of the page's verifies");
  assert.deepEqual(readdirSync(served.dir).toSorted(), ["deployment.json", "token"], "it leaves nothing");
}

async function scenarios(given) {
  const { page, context, served, shoot, browser } = given;
  await page.goto("/");
  const desk = await context.newPage();
  await signIn(desk, served);
  const spent = {};
  let number = 0;
  for (const [scenario, outcome] of [["large-deficit", "solvent"], ["insufficient-liquidity", "insolvent"], ["small-deficit", "solvent"]]) {
    number += 1;
    const began = Date.now();
    await desk.click(`[data-scenario=${scenario}]`);
    await phase(page, number, `the reserve is ${outcome}`);
    spent[scenario] = Date.now() - began;
    assert.equal(await page.textContent("#verdict"), outcome);
    await ready(desk);
    await noSecret(page, desk);
    assert.ok((await page.locator("#steps tr").count()) >= 10, "steps with spans");
    await page.waitForFunction(() => document.querySelectorAll("#reports .holds").length >= 4);
    assert.equal(await page.locator("#reports .fails").count(), 0);
    assert.ok((await page.locator("#private td").allTextContents()).every((text) => text.startsWith("not in the")));
    if (scenario === "large-deficit") await verifies(given);
    await page.locator("#transactions button", { hasText: "report" }).first().click();
    await page.waitForSelector("#bytes:not([hidden])");
    assert.match(await page.textContent("#bytes-parts"), /payload: verdict/);
    await shoot(`public-${scenario}`);
    await desk.waitForFunction(() => document.querySelectorAll("#quotes-body tr").length > 3);
    await desk.screenshot({ path: `${given.out}/operator-${scenario}.png`, fullPage: true });
  }
  await accessible(page, "the public page after a run");
  await accessible(desk, "the desk");
  const phone = await browser.newPage({ baseURL: served.url, viewport: { width: 390, height: 844 }, colorScheme: "dark" });
  await phone.goto("/");
  await phone.waitForSelector("#steps tr");
  assert.ok(await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "no sideways scrolling on a phone");
  await phone.screenshot({ path: `${given.out}/phone-dark.png`, fullPage: true });
  await phone.close();
  return spent;
}

async function figures({ page, context, served }) {
  await page.goto("/");
  const desk = await context.newPage();
  await signIn(desk, served);
  for (const [name, value] of [["covered", "99.9"], ["target", "100"]]) {
    await desk.locator(`[name=${name}]`).evaluate((input, value) => {
      input.value = value;
      input.dispatchEvent(new Event("input"));
    }, value);
  }
  assert.equal(await desk.textContent("#covered-out"), "99.9 %");
  await desk.click("#figures button");
  await phase(page, 1, "the reserve is solvent");
  assert.match(await page.textContent("#run-text"), /figures of the operator's/);
  const shown = await page.evaluate(() => document.body.innerText);
  assert.ok(!/99\.9|124,?800/.test(shown), "the chosen figures are not public");
  await ready(desk);
  assert.match(await desk.textContent("#decision"), /direct|dark|split/);
}

async function halting({ page, context, served }) {
  await page.goto("/");
  const desk = await context.newPage();
  await signIn(desk, served);
  await desk.click("[data-scenario=large-deficit]");
  await phase(page, 1, "goes on");
  await desk.click("#halt");
  await phase(page, 1, "was stopped by the operator");
  await desk.waitForFunction(() => document.getElementById("state").textContent === "Everything is stopped.");
  assert.ok(await desk.locator("[data-scenario=large-deficit]").isDisabled());
  const status = await desk.evaluate(async () => (await fetch("/v1/operator/runs", { method: "POST", headers: { "content-type": "application/json" }, body: '{"scenario":"large-deficit"}' })).status);
  assert.equal(status, 409);
  await desk.click("#halt");
  await ready(desk);
}

// What a browser says of itself to whoever has the port for a moment.
async function cameBackWith(url) {
  let server;
  const id = await new Promise((resolve) => {
    server = createServer((request, response) => {
      const last = request.headers["last-event-id"];
      if (last) resolve(last);
      response.socket.destroy();
    }).listen(Number(url.port), url.hostname);
  });
  await new Promise((resolve) => server.close(resolve));
  return id;
}

async function reconnect({ page, served, context }) {
  const desk = await context.newPage();
  await signIn(desk, served);
  await page.goto("/");
  await page.waitForSelector("#link[data-live=yes]");
  const took = Date.now();
  const code = await served.end();
  assert.equal(code, 0, "it ends of itself while somebody listens");
  const ended = Date.now() - took;
  await page.waitForSelector("#link[data-live=no]");
  const id = await cameBackWith(new URL(served.url));
  await served.restart();
  await page.waitForSelector("#link[data-live=yes]");
  assert.match(id, /^[0-9a-f]{16}-\d+$/);
  await page.waitForFunction(() => document.getElementById("age").textContent.startsWith("No solvency report"));
  await desk.waitForFunction(() => document.getElementById("live").textContent.includes("the session is over"));
  assert.equal(await desk.locator("#desk").isVisible(), false, "a session does not outlive the process");
  return { ended_ms: ended };
}

async function auth({ page, context, served, shoot }) {
  await page.goto("/operator");
  assert.equal(await page.locator("#desk").isVisible(), false);
  await accessible(page, "the door");
  await page.fill("#token", "another");
  await page.click("#sign-in button");
  await page.waitForFunction(() => document.getElementById("live").textContent.includes("another token is wanted"));
  await shoot("operator-door");
  await signIn(page, served);
  const [cookie] = await context.cookies();
  assert.deepEqual([cookie.httpOnly, cookie.sameSite], [true, "Strict"]);
  assert.equal(await page.evaluate(() => document.cookie), "", "no script reads it");
  const foreign = await fetch(`${served.url}/v1/operator/halt`, { method: "POST", headers: { cookie: `${cookie.name}=${cookie.value}`, origin: "http://elsewhere.example", "content-type": "application/json" }, body: '{"halted":true}' });
  assert.equal(foreign.status, 403, "another site's request");
  await page.click("#sign-out");
  await page.waitForSelector("#door:not([hidden])");
  const after = await fetch(`${served.url}/v1/operator/desk`, { headers: { cookie: `${cookie.name}=${cookie.value}` } });
  assert.equal(after.status, 401, "a session that was ended");
}

async function expired({ page, served }) {
  await signIn(page, served);
  await page.waitForTimeout(2_100);
  await page.click("#halt");
  await page.waitForFunction(() => document.getElementById("live").textContent.includes("the session is over"));
  assert.equal(await page.locator("#desk").isVisible(), false);
  assert.equal(await page.textContent("#numbers-body"), "", "the figures are gone from the page");
  const { status } = await (await fetch(`${served.url}/v1/status`)).json();
  assert.equal(status.verdict, "unknown");
}

export const cases = {
  "public-page": { run: publicPage },
  auth: { run: auth },
  expired: { flags: ["--session", "2"], run: expired },
  reconnect: { run: reconnect },
  scenarios: { run: scenarios },
  figures: { run: figures },
  halting: { run: halting },
};
