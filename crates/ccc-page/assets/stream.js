// What the server says, as it says it. The browser comes back by itself and names the last id that it saw.

let ahead = 0;

// Seconds by the server's clock.
export const now = () => Date.now() / 1000 + ahead;

const ATTEMPTS = 4;

// Many pages are told of the same event at once: one that has to wait comes again, not all at the same time.
async function patiently(path) {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await fetch(path, { cache: "no-cache" });
    if (answer.status !== 429 || attempt === ATTEMPTS) return answer;
    const seconds = Number(answer.headers.get("retry-after")) || 1;
    await new Promise((resolve) => setTimeout(resolve, 1000 * Math.min(seconds, 10) * (1 + Math.random())));
  }
}

export async function read(path) {
  const answer = await patiently(path);
  const date = Date.parse(answer.headers.get("date") ?? "");
  if (!Number.isNaN(date)) ahead = Math.round((date - Date.now()) / 1000);
  const object = await answer.json().catch(() => ({}));
  if (!answer.ok) throw Object.assign(new Error(object.refused ?? `status ${answer.status}`), { status: answer.status });
  return object;
}

export async function send(method, path, object) {
  const init = { method, headers: { "content-type": "application/json" } };
  if (object !== undefined) init.body = JSON.stringify(object);
  const answer = await fetch(path, init);
  const found = await answer.json().catch(() => ({}));
  if (!answer.ok) throw Object.assign(new Error(found.refused ?? `status ${answer.status}`), { status: answer.status });
  return found;
}

export function listen(kinds, linked) {
  const source = new EventSource("/v1/events");
  source.addEventListener("open", () => linked(true));
  source.addEventListener("error", () => {
    linked(false);
    // a refusal ends the browser's own attempts
    if (source.readyState === EventSource.CLOSED) setTimeout(() => listen(kinds, linked), 3000);
  });
  for (const [kind, take] of Object.entries(kinds)) {
    source.addEventListener(kind, (event) => take(JSON.parse(event.data)));
  }
}

export function showLink(element) {
  return (live) => {
    element.dataset.live = live ? "yes" : "no";
    element.textContent = live ? "live" : "the link is broken; trying again";
  };
}
