// The label under a trial. Whatever comes from a model or a person is put in as a text node.
"use strict";

(() => {
  const NAMES = { resistance: "Resistance", quality: "Feedback quality", other: "Other" };
  const KEYS = { 1: "resistance", 2: "quality", 3: "other" };
  const desk = document.getElementById("desk");
  const byId = (id) => document.getElementById(id);
  const state = { annotator: "", trials: [], index: -1, mine: null, ready: false };

  const same = (trial) => trial.condition === desk.dataset.condition &&
    trial.problem === desk.dataset.problem && String(trial.epoch) === desk.dataset.epoch;
  const draft = () => `draft ${desk.dataset.label} ${state.index}`;

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
      response = await fetch(path, { ...options, headers: { ...options.headers, Accept: "application/json" } });
      answer = await response.json();
    } catch {
      throw new Error("The server of this page does not answer; is it still running?");
    }
    if (!response.ok) throw new Error(answer.error || `refused (${response.status})`);
    return answer;
  }

  function complain(text) {
    byId("error").textContent = text;
    byId("error").hidden = !text;
  }

  // --- showing -----------------------------------------------------------------------------------

  function showLabels({ mine, others }) {
    state.mine = mine;
    state.trials[state.index].category = mine && mine.category;
    for (const button of document.querySelectorAll("[data-category]")) {
      button.setAttribute("aria-pressed", String(mine?.category === button.dataset.category));
    }
    byId("others").hidden = !others.length;
    byId("others-list").replaceChildren(...others.map(otherLabel));
    showProgress();
  }

  function otherLabel(other) {
    const raw = other.raw ? ` (${other.raw})` : "";
    const where = other.round ? `, round ${other.round}` : "";
    const simulated = other.simulated ? ", simulated" : "";
    return make(
      "li", other.category === state.mine.category ? "agrees" : "differs",
      make("b", "", `${other.annotator}${simulated}: ${NAMES[other.category]}${raw}${where}`),
      other.reason ? ` — ${other.reason}` : "",
    );
  }

  function showProgress() {
    const total = state.trials.length;
    const labelled = state.trials.filter((each) => each.category).length;
    const place = state.index < 0 ? "not one of those to label" : `trial ${state.index + 1}`;
    byId("count").textContent = `${labelled} of ${total} labelled · ${place}`;
    byId("done").max = total;
    byId("done").value = labelled;
    byId("back").disabled = state.index === 0;
    byId("onward").disabled = state.index === total - 1;
    byId("skip").disabled = nextUnlabelled() === null;
    for (const button of document.querySelectorAll("[data-category]")) button.disabled = state.index < 0;
  }

  // --- moving ------------------------------------------------------------------------------------

  function go(index) {
    const trial = state.trials[index];
    if (!trial) return;
    keepDraft();
    const query = new URLSearchParams({ condition: trial.condition, problem: trial.problem, epoch: trial.epoch });
    location.assign(`${desk.dataset.trials}?${query}`);
  }

  function nextUnlabelled() {
    const total = state.trials.length;
    for (let step = 1; step <= total; step++) {
      const index = (state.index + step + total) % total;
      if (index !== state.index && !state.trials[index].category) return index;
    }
    return null;
  }

  const back = () => go(state.index - 1);
  const onward = () => go(state.index + 1);
  const skip = () => go(nextUnlabelled() ?? -1);

  // --- labelling ---------------------------------------------------------------------------------

  async function label(category) {
    if (!state.ready) return;
    const { index, annotator } = state;
    try {
      showLabels(await ask(desk.dataset.label, { trial: index, annotator, category, comment: byId("comment").value }));
      sessionStorage.removeItem(draft());
      complain("");
      const left = state.trials.filter((each) => !each.category).length;
      say(`Saved: ${NAMES[category]}. ${left ? `${left} left.` : "All trials are labelled."}`);
    } catch (error) {
      complain(`Not saved: ${error.message}`);
    }
  }

  function keepDraft() {
    const text = byId("comment").value;
    if (state.ready && text.trim() !== (state.mine?.comment ?? "")) sessionStorage.setItem(draft(), text);
  }

  function openComment(open, focus) {
    byId("comment-box").hidden = !open;
    byId("comment-button").setAttribute("aria-expanded", String(open));
    if (open && focus) byId("comment").focus();
  }

  function closeComment() {
    byId("main").focus({ preventScroll: true }); // leaving the field keeps what is in it
    if (!byId("comment").value.trim()) openComment(false, false);
  }

  function keepComment() {
    if (state.ready && state.mine && byId("comment").value.trim() !== state.mine.comment) label(state.mine.category);
  }

  // --- who ---------------------------------------------------------------------------------------

  function askName(known, error) {
    byId("known").replaceChildren(...known.map((name) => Object.assign(make("option", ""), { value: name })));
    byId("name").value = state.annotator;
    byId("name-error").textContent = error || "";
    byId("name-error").hidden = !error;
    if (!byId("who").open) byId("who").showModal();
  }

  const session = (name) => ask(`${desk.dataset.labels}${name ? `?annotator=${encodeURIComponent(name)}` : ""}`);

  async function begin(name, chosen) {
    const found = await session(name);
    if (!found.annotator) return askName(found.known);
    Object.assign(state, { annotator: found.annotator, trials: found.trials, ready: false });
    state.index = found.trials.findIndex(same);
    sessionStorage.setItem("annotator", found.annotator);
    byId("person").textContent = `labelling as ${found.annotator}`;
    byId("who").close();
    const first = found.trials.findIndex((each) => !each.category);
    if (chosen && first >= 0 && (state.index < 0 || found.trials[state.index].category)) return go(first);
    showProgress();
    if (state.index < 0) return undefined;
    showLabels(await ask(`${desk.dataset.label}?trial=${state.index}&annotator=${encodeURIComponent(state.annotator)}`));
    const comment = sessionStorage.getItem(draft()) ?? state.mine?.comment ?? "";
    byId("comment").value = comment;
    openComment(Boolean(comment), false);
    state.ready = true;
    say(`Trial ${state.index + 1} of ${state.trials.length}.`);
    return undefined;
  }

  // --- keys and buttons --------------------------------------------------------------------------

  function onKey(event) {
    if (event.target.id === "comment" && event.key === "Escape") return closeComment();
    const typing = event.target.closest("input, textarea, dialog");
    if (typing || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return undefined;
    const actions = {
      ArrowLeft: back, b: back, ArrowRight: onward, s: skip, c: () => openComment(true, true),
    };
    const action = KEYS[event.key] ? () => label(KEYS[event.key]) : actions[event.key];
    if (!action) return undefined;
    event.preventDefault();
    return action();
  }

  document.addEventListener("keydown", onKey);
  document.body.classList.add("labelling");
  for (const button of document.querySelectorAll("[data-category]")) {
    button.addEventListener("click", () => label(button.dataset.category));
  }
  byId("back").addEventListener("click", back);
  byId("onward").addEventListener("click", onward);
  byId("skip").addEventListener("click", skip);
  byId("comment-button").addEventListener("click", () => (byId("comment-box").hidden ? openComment(true, true) : closeComment()));
  byId("comment").addEventListener("blur", keepComment);
  byId("person").addEventListener("click", async () => askName((await session("").catch(() => ({ known: [] }))).known));
  byId("who").addEventListener("cancel", (event) => state.annotator || event.preventDefault());
  byId("who-form").addEventListener("submit", (event) => {
    event.preventDefault();
    begin(byId("name").value.trim(), true).catch((error) => askName([], error.message));
  });
  const known = sessionStorage.getItem("annotator") || "";
  begin(known).catch((error) => (known ? begin("").catch(() => {}) : complain(error.message)));
})();
