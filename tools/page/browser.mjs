// The system's own browser: nothing is downloaded beside the packages of the system.

import { existsSync } from "node:fs";

const KNOWN = ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

export function browserPath() {
  const found = [process.env.CCC_BROWSER, ...KNOWN].find((path) => path && existsSync(path));
  if (!found) throw new Error("no browser: install chromium-headless-shell, or name one in CCC_BROWSER");
  return found;
}
