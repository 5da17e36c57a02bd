// Keys, what is folded, the link, and staying up to date. Everything else is plain links and forms.
"use strict";

const at = (id) => document.getElementById(id);
const main = at("main");
const EVERY = 2000; // milliseconds between two questions whether anything has changed

function say(text) { at("status").textContent = text; }

// --- staying up to date --------------------------------------------------------------------------

let version = null; // unknown at first: a run may have gone on since this page was made

async function look() {
  if (document.hidden) return;
  let found;
  try {
    found = JSON.stringify(await (await fetch(document.body.dataset.version)).json());
  } catch {
    return say("The server of this page does not answer.");
  }
  if (found !== version) await renew();
  version = found;
}

async function renew() {
  const answer = await fetch(location.href);
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const focused = document.activeElement?.id;
  for (const part of document.querySelectorAll("[data-live]")) {
    const next = fresh.getElementById(part.id);
    if (next && next.innerHTML !== part.dataset.was) replace(part, next);
  }
  if (focused && document.activeElement?.id !== focused) at(focused)?.focus({ preventScroll: true });
  fold();
}

// A part as it came, so that what the reader opened in it does not count as a change.
function remember(part) { part.dataset.was = part.innerHTML; }

function replace(part, next) {
  const open = [...part.querySelectorAll("details")].map((each) => each.open);
  part.replaceChildren(...next.childNodes);
  remember(part);
  part.querySelectorAll("details").forEach((each, i) => { if (open[i]) each.open = true; });
}

// --- what is folded ------------------------------------------------------------------------------

const kept = (name) => sessionStorage.getItem(name) === "yes";

function flip(name) {
  sessionStorage.setItem(name, kept(name) ? "no" : "yes");
  fold();
}

function fold() {
  document.body.classList.toggle("unmarked", kept("unmarked"));
  for (const name of ["raw", "sent"]) {
    if (sessionStorage.getItem(name) === null) continue;
    for (const each of document.querySelectorAll(`details.${name}`)) each.open = kept(name);
  }
}

// The exact prompts are long: each is fetched when it is opened.
async function fetchInto(details) {
  const box = details.querySelector(".fetched");
  if (!box || box.childNodes.length) return;
  box.textContent = "…";
  try {
    const answer = await fetch(details.dataset.from);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    box.replaceChildren(...fresh.body.childNodes);
  } catch {
    box.textContent = "";
    say("The server of this page does not answer.");
  }
}

// --- moving --------------------------------------------------------------------------------------

const follow = (selector) => document.querySelector(selector)?.click();

// From cell to cell of the grid; rows without a trial there are passed over.
function move(rows, columns) {
  const lines = [...document.querySelectorAll(".grid tbody tr")];
  if (!lines.length) return false;
  const now = document.activeElement?.closest("td");
  if (!now) {
    document.querySelector("a.cell[id]")?.focus();
    return true;
  }
  let row = lines.indexOf(now.parentElement) + rows, column = now.cellIndex + columns;
  while (lines[row] && lines[row].cells[column]) {
    const cell = lines[row].cells[column].querySelector("a");
    if (cell) {
      cell.focus();
      return true;
    }
    row += rows;
    column += columns;
  }
  return true;
}

// From condition to condition of a trial.
function turn(step) {
  const links = [...document.querySelectorAll(".arms a.arm")];
  const now = links.findIndex((each) => each.id === "chosen");
  links[now + step]?.click();
}

async function copy() {
  try {
    await navigator.clipboard.writeText(location.href);
  } catch {
    const field = document.createElement("textarea"); // where the clipboard is refused
    field.value = location.href;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
  at("copy").textContent = "Copied";
  say("The link is copied. It works as long as this server runs.");
  setTimeout(() => { at("copy").textContent = "Copy link"; }, 1500);
}

const ACTIONS = {
  "/": () => at("search")?.focus(),
  "?": () => at("keys").showModal(),
  j: () => move(1, 0) || follow("#after"),
  k: () => move(-1, 0) || follow("#before"),
  l: () => move(0, 1) || turn(1),
  h: () => move(0, -1) || turn(-1),
  n: () => follow(".pages [rel=next]"),
  p: () => follow(".pages [rel=prev]"),
  u: () => follow("#up"),
  d: () => flip("unmarked"),
  r: () => flip("raw"),
  w: () => flip("sent"),
  y: copy,
};

function onKey(event) {
  if (event.target.id === "search" && event.key === "Escape") return event.target.blur();
  const typing = event.target.closest("input:not([type=checkbox]), textarea, select, dialog");
  if (typing || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return undefined;
  const action = ACTIONS[event.key];
  if (!action) return undefined;
  event.preventDefault();
  return action();
}

document.querySelectorAll("[data-live]").forEach(remember);
document.addEventListener("keydown", onKey);
main.addEventListener("toggle", (event) => {
  if (event.target.open) fetchInto(event.target);
}, true);
main.addEventListener("change", (event) => event.target.matches(".filters [type=checkbox], .filters select") && event.target.form.requestSubmit());
at("copy").addEventListener("click", copy);
at("help").addEventListener("click", () => at("keys").showModal());
fold();
setInterval(look, EVERY);
look();
