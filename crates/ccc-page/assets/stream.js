// What the server says, as it says it. The browser comes back by itself and names the last id that it saw.

let ahead = 0;

// Seconds by the server's clock.
export const now = () => Date.now() / 1000 + ahead;

export async function read(path) {
  const answer = await fetch(path, { cache: "no-cache" });
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
