// One trial at a time. Whatever comes from a model or a person is put in as a text node.
"use strict";

const NAMES = { resistance: "Resistance", quality: "Feedback quality", other: "Other" };
const VERDICTS = {
  wrong: "✕ wrong", "no-answer": "○ no answer", correct: "✓ correct", undecided: "? undecided",
};
const KEYS = { 1: "resistance", 2: "quality", 3: "other" };
const LONG = 4000; // characters, from which a text scrolls in its own box
const LONGEST_ANSWER = 120; // characters of a final answer in a heading; all of it is in the text

const state = {
  annotator: "", trials: [], index: 0, mine: null, ready: false, turn: 0,
  drafts: new Map(), // index -> comment that is not kept yet
};
const at = (id) => document.getElementById(id);

function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children); // strings become text nodes
  return element;
}

async function ask(path, body) {
  const options = body === undefined ? {} : {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  };
  let response, answer;
  try {
    response = await fetch(path, options);
    answer = await response.json();
  } catch {
    throw new Error("The review server does not answer; is it still running?");
  }
  if (!response.ok) throw new Error(answer.error || `refused (${response.status})`);
  return answer;
}

const named = (path) => `${path}?annotator=${encodeURIComponent(state.annotator)}`;

function say(text) { at("status").textContent = text; }

function complain(text) {
  at("error").textContent = text;
  at("error").hidden = !text;
}

// --- showing a trial -----------------------------------------------------------------------------

function parts(list) {
  return list.map(([change, text]) => {
    if (change === "same") return text;
    if (change === "added") return text.trim() ? make("ins", "", text) : text;
    return text.trim() ? make("del", "", text) : "";
  });
}

function textBox(difference, name) {
  const box = make("div", "text", ...parts(difference.parts));
  box.dir = "auto";
  const length = difference.parts.reduce((sum, [, text]) => sum + text.length, 0);
  if (length > LONG) {
    box.classList.add("long");
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", name);
  }
  if (!length) return make("p", "none", "(nothing was written)");
  return box;
}

function compared(difference, name, before) {
  if (difference.kind === "same") {
    const folded = make("details", "", make("summary", "", "Show it"), textBox(difference, name));
    return [make("p", "note", `Word for word the same as ${before}.`), folded];
  }
  const shown = [textBox(difference, name)];
  if (difference.kind === "rewritten") {
    shown.unshift(make("p", "note", `Hardly anything in common with ${before}; not marked.`));
  }
  return shown;
}

function answerOf(attempt, earlier) {
  if (attempt.prediction === null) return "";
  const same = earlier.find((each) => each.prediction === attempt.prediction);
  const again = same && !attempt.order ? ` · same as attempt ${same.number}` : "";
  const characters = [...attempt.prediction];
  const cut = characters.length > LONGEST_ANSWER;
  const shown = characters.slice(0, LONGEST_ANSWER).join("") + (cut ? "…" : "");
  return make("span", "answer", "answer ", make("code", "", shown), again);
}

function round(attempt, earlier) {
  const number = attempt.number;
  const title = make(
    "h3", "", `Attempt ${number}`,
    make("span", "verdict", VERDICTS[attempt.verdict] || attempt.verdict),
    answerOf(attempt, earlier),
  );
  const answer = make("article", "", title);
  if (attempt.order) {
    const order = make("div", "text", attempt.order);
    answer.append(make("details", "", make("summary", "", "Choices in another order"), order));
  }
  answer.append(...compared(attempt.answer, `Attempt ${number}`, `attempt ${number - 1}`));
  const feedback = make("article", "feedback", make("h3", "", `Feedback ${number}`));
  if (attempt.feedback) {
    feedback.append(
      ...compared(attempt.feedback, `Feedback ${number}`, `feedback ${number - 1}`),
    );
  } else {
    feedback.append(make("p", "none", "None after the last attempt."));
  }
  return make("li", "round", answer, feedback);
}

function showTrial(trial) {
  const epoch = trial.epoch ? ` · repetition ${trial.epoch + 1}` : "";
  const simulated = trial.simulated ? " · simulation, no language model" : "";
  at("setting").textContent =
    `${trial.task} · ${trial.feedback} feedback · ${trial.sampling} · ` +
    `problem ${trial.problem}${epoch}${simulated}`;
  at("question").textContent = trial.question;
  at("gold").textContent = trial.gold;
  at("solution-box").hidden = !trial.solution;
  at("solution-box").open = false;
  at("solution").textContent = trial.solution || "";
  at("attempts").replaceChildren(
    ...trial.attempts.map((attempt, i) => round(attempt, trial.attempts.slice(0, i))),
  );
}

function showLabels({ mine, others }) {
  state.mine = mine;
  state.trials[state.index].category = mine && mine.category;
  for (const button of document.querySelectorAll("[data-category]")) {
    button.setAttribute("aria-pressed", String(mine?.category === button.dataset.category));
  }
  document.body.classList.toggle("labelled", Boolean(mine));
  at("others").hidden = !others.length;
  at("others-list").replaceChildren(...others.map(otherLabel));
  showProgress();
}

function otherLabel(other) {
  const agrees = other.category === state.mine.category;
  const raw = other.raw ? ` (${other.raw})` : "";
  const where = other.round ? `, round ${other.round}` : "";
  const simulated = other.simulated ? ", simulated" : "";
  return make(
    "li", agrees ? "agrees" : "differs",
    make("b", "", `${other.annotator}${simulated}: ${NAMES[other.category]}${raw}${where}`),
    other.reason ? ` — ${other.reason}` : "",
  );
}

function showProgress() {
  const total = state.trials.length;
  const labelled = state.trials.filter((each) => each.category).length;
  at("count").textContent = `${labelled} of ${total} labelled · trial ${state.index + 1}`;
  at("done").max = total;
  at("done").value = labelled;
  at("back").disabled = state.index === 0;
  at("next").disabled = state.index === total - 1;
  at("skip").disabled = nextUnlabelled() === null;
}

// --- moving --------------------------------------------------------------------------------------

async function go(index) {
  if (index === null || index < 0 || index >= state.trials.length) return;
  keepDraft();
  const turn = ++state.turn;
  state.ready = false;
  complain("");
  try {
    const trial = await ask(named(`api/trials/${index}`));
    if (turn !== state.turn) return; // the person went on meanwhile
    state.index = index;
    showTrial(trial);
    showLabels(trial);
    const comment = state.drafts.get(index) ?? trial.mine?.comment ?? "";
    at("comment").value = comment;
    openComment(Boolean(comment), false);
    state.ready = true;
    window.scrollTo(0, 0);
    at("trial").focus({ preventScroll: true });
    say(`Trial ${index + 1} of ${state.trials.length}: ${trial.attempts.length} attempts.`);
  } catch (error) {
    if (turn === state.turn) complain(error.message);
  }
}

function nextUnlabelled() {
  const total = state.trials.length;
  for (let step = 1; step < total; step++) {
    const index = (state.index + step) % total;
    if (!state.trials[index].category) return index;
  }
  return null;
}

const back = () => go(state.index - 1);
const next = () => go(state.index + 1);
const skip = () => go(nextUnlabelled());

// --- labelling -----------------------------------------------------------------------------------

async function label(category) {
  if (!state.ready) return;
  const index = state.index, turn = state.turn;
  const comment = at("comment").value;
  try {
    const kept = await ask("api/labels", { index, annotator: state.annotator, category, comment });
    state.drafts.delete(index);
    state.trials[index].category = category;
    if (turn !== state.turn) return showProgress();
    complain("");
    showLabels(kept);
    const left = state.trials.filter((each) => !each.category).length;
    say(`Kept: ${NAMES[category]}. ${left ? `${left} left.` : "All trials are labelled."}`);
  } catch (error) {
    complain(`Not kept: ${error.message}`);
  }
}

function keepDraft() {
  const text = at("comment").value;
  const kept = state.mine?.comment ?? "";
  if (state.ready && text.trim() !== kept) state.drafts.set(state.index, text);
}

function openComment(open, focus) {
  at("comment-box").hidden = !open;
  at("comment-button").setAttribute("aria-expanded", String(open));
  if (open && focus) at("comment").focus();
}

function closeComment() {
  at("trial").focus({ preventScroll: true }); // leaving the field keeps what is in it
  if (!at("comment").value.trim()) openComment(false, false);
}

function keepComment() {
  const changed = state.mine && at("comment").value.trim() !== state.mine.comment;
  if (state.ready && changed) label(state.mine.category);
}

// --- who -----------------------------------------------------------------------------------------

function askName(known, error) {
  at("known").replaceChildren(...known.map((name) => {
    const option = make("option", "");
    option.value = name;
    return option;
  }));
  at("name").value = state.annotator;
  at("name-error").textContent = error || "";
  at("name-error").hidden = !error;
  if (!at("who").open) at("who").showModal();
}

async function begin(name) {
  const session = await ask(`api/session${name ? `?annotator=${encodeURIComponent(name)}` : ""}`);
  document.title = `Review: ${session.run}`;
  if (!session.annotator) return askName(session.known);
  state.annotator = session.annotator;
  sessionStorage.setItem("annotator", session.annotator);
  state.trials = session.trials;
  state.drafts.clear();
  state.ready = false;
  at("person").textContent = `labelling as ${session.annotator}`;
  at("who").close();
  const first = state.trials.findIndex((each) => !each.category);
  await go(Math.max(first, 0));
}

// --- keys and buttons ----------------------------------------------------------------------------

function onKey(event) {
  const typing = event.target.closest("input, textarea, dialog");
  if (event.target.id === "comment" && event.key === "Escape") return closeComment();
  if (typing || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
  const actions = {
    ArrowLeft: back, b: back, ArrowRight: next, s: skip,
    c: () => openComment(true, true),
    d: () => document.body.classList.toggle("unmarked"),
  };
  const action = KEYS[event.key] ? () => label(KEYS[event.key]) : actions[event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

function start() {
  document.addEventListener("keydown", onKey);
  for (const button of document.querySelectorAll("[data-category]")) {
    button.addEventListener("click", () => label(button.dataset.category));
  }
  at("back").addEventListener("click", back);
  at("next").addEventListener("click", next);
  at("skip").addEventListener("click", skip);
  at("comment-button").addEventListener("click", () => {
    if (at("comment-box").hidden) openComment(true, true);
    else closeComment();
  });
  at("comment").addEventListener("blur", keepComment);
  at("person").addEventListener("click", async () => {
    const session = await ask("api/session").catch(() => ({ known: [] }));
    askName(session.known);
  });
  at("who").addEventListener("cancel", (event) => state.annotator || event.preventDefault());
  at("who-form").addEventListener("submit", (event) => {
    event.preventDefault();
    begin(at("name").value.trim()).catch((error) => askName([], error.message));
  });
  const known = sessionStorage.getItem("annotator") || "";
  begin(known).catch((error) => (known ? begin("").catch(() => {}) : complain(error.message)));
}

start();
