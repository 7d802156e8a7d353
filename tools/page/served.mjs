// A `ccc serve` of one case, with a token of its own.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const SIZES = ["--participants", "4", "--makers", "4"];

export class Served {
  static async start(program, flags = [], listen = "127.0.0.1:0") {
    const served = new Served();
    served.program = program;
    served.flags = flags;
    served.dir = mkdtempSync(join(tmpdir(), "ccc-page-"));
    await served.#begin(listen);
    return served;
  }

  async #begin(listen) {
    const file = join(this.dir, "token");
    const flags = ["--json", "serve", "--listen", listen, "--operator-token-file", file, ...SIZES, ...this.flags];
    const environment = { ...process.env };
    delete environment.CCC_DEPLOYMENT;
    this.child = spawn(this.program, flags, { stdio: ["ignore", "pipe", "pipe"], cwd: this.dir, env: environment });
    this.ended = new Promise((resolve) => this.child.on("exit", (code) => resolve(code)));
    let said = "";
    this.child.stderr.on("data", (bytes) => { said += bytes; });
    const first = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]().next();
    const line = await Promise.race([first, this.ended.then((code) => { throw new Error(`ccc serve ended with ${code}: ${said}`); })]);
    this.url = JSON.parse(line.value).url;
    this.token = readFileSync(file, "utf8").trim();
  }

  // Ends the process as an operator would; its exit code.
  async end() {
    this.child.kill("SIGTERM");
    return this.ended;
  }

  async restart() {
    await this.end();
    await this.#begin(new URL(this.url).host);
  }

  async stop() {
    if (this.child.exitCode === null) await this.end();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
