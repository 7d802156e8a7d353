// Puts values into the page as text: nothing that a server says is read as markup.

export const at = (id) => document.getElementById(id);

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== undefined && child !== null));
  return made;
}

export const row = (...cells) => element("tr", {}, ...cells);
export const cell = (text, kind) => element("td", kind ? { class: kind } : {}, text);
export const head = (text) => element("th", { scope: "row" }, text);

export function fill(id, children) {
  at(id).replaceChildren(...children);
}

export function facts(id, pairs) {
  fill(id, pairs.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, known(value)))));
}

export const known = (value) => (value === null || value === undefined ? "not known" : String(value));

export function milliseconds(value) {
  return value >= 1000 ? `${(value / 1000).toFixed(2)} s` : `${value.toFixed(1)} ms`;
}

export function duration(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 120) return `${s} s`;
  if (s < 7200) return `${Math.floor(s / 60)} min`;
  if (s < 172800) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} days`;
}

export const clock = (seconds) => new Date(seconds * 1000).toLocaleString([], { dateStyle: "medium", timeStyle: "medium" });

// A decimal text with a point before its last places: more digits than a number holds.
export function pointed(text, places) {
  const digits = text.padStart(places + 1, "0");
  const whole = digits.slice(0, -places).replace(/\B(?=(\d{3})+$)/g, ",");
  return `${whole}.${digits.slice(-places)}`;
}

export const short = (hex) => (hex.length > 20 ? `${hex.slice(0, 10)}…${hex.slice(-6)}` : hex);
