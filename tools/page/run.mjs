// The page in a real browser: every case of cases.mjs, against a server of its own.
//
//   node tools/page/run.mjs path/to/ccc [case...]
//
// Screenshots and figures go to target/page. Exit code: 0 every case passed, 1 one did not.

import { mkdirSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { chromium } from "playwright-core";
import { cases } from "./cases.mjs";
import { browserPath } from "./browser.mjs";
import { Served } from "./served.mjs";

const [given, ...wanted] = process.argv.slice(2);
if (!given) {
  console.error("usage: node tools/page/run.mjs path/to/ccc [case...]");
  process.exit(2);
}
// servers have directories of their own
const program = resolve(given);
const out = "target/page";
mkdirSync(out, { recursive: true });

const browser = await chromium.launch({ executablePath: browserPath(), args: ["--no-sandbox"] });
const figures = {};
let failed = 0;
for (const [name, { flags = [], run }] of Object.entries(cases)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const began = Date.now();
  const served = await Served.start(program, flags);
  const context = await browser.newContext({ baseURL: served.url, viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const wrong = [];
  page.on("pageerror", (error) => wrong.push(`error in the page: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" && !/status of 4\d\d|ERR_|Failed to load resource/.test(message.text())) wrong.push(message.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(served.url)) wrong.push(`asked elsewhere: ${request.url()}`);
  });
  try {
    const shoot = (shot) => page.screenshot({ path: `${out}/${shot}.png`, fullPage: true });
    figures[name] = (await run({ page, context, browser, served, shoot, program, out })) ?? {};
    if (wrong.length > 0) throw new Error(wrong.join("; "));
    console.log(`ok     ${name} (${Date.now() - began} ms) ${JSON.stringify(figures[name])}`);
  } catch (error) {
    failed += 1;
    await page.screenshot({ path: `${out}/failed-${name}.png`, fullPage: true }).catch(() => {});
    console.log(`FAILED ${name}: ${error.stack}`);
  } finally {
    await context.close();
    await served.stop();
  }
}
await browser.close();
writeFileSync(`${out}/figures.json`, JSON.stringify(figures, null, 2));
process.exit(failed === 0 ? 0 : 1);
