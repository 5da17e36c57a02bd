"use strict";
// Opens packed trials on demand. All texts go in as text nodes: nothing that a model wrote is ever markup.
(() => {
  const byId = (id) => document.getElementById(id);
  const indexes = [...document.querySelectorAll("script.index")].map((each) => JSON.parse(each.textContent));
  const packs = [...document.querySelectorAll("script.pack")];
  const opened = new Map();
  const condition = byId("condition"), status = byId("status"), problem = byId("problem"), article = byId("trial");

  async function open(number) {
    if (!opened.has(number)) {
      const bytes = Uint8Array.from(atob(packs[number].textContent), (char) => char.charCodeAt(0));
      const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
      opened.set(number, JSON.parse(await new Response(stream).text()));
    }
    return opened.get(number);
  }

  function element(name, text, kind) {
    const made = document.createElement(name);
    if (kind) made.className = kind;
    if (text !== undefined) made.textContent = clean(text);
    return made;
  }

  // Control characters and direction marks are shown as a box, so that they cannot reorder what is read.
  const clean = (text) => String(text).replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, "\ufffd");

  function box(title, text, kind) {
    const made = element("section", undefined, "box " + kind);
    made.append(element("h4", title));
    const body = element("div", undefined, "text");
    clean(text).split("[masked]").forEach((part, number) => {
      if (number) body.append(element("mark", "[masked]"));
      body.append(document.createTextNode(part));
    });
    made.append(body);
    return made;
  }

  async function show() {
    if (problem.value === "") { article.replaceChildren(element("p", "No such trial here.")); return; }
    const trial = (await open(Number(condition.value)))[Number(problem.value)];
    article.replaceChildren(box("Problem " + trial.problem, trial.prompt, "problem"), box("Gold answer", trial.gold, "gold"));
    for (const attempt of trial.attempts) {
      const answer = attempt.prediction === null ? "" : ", answer " + attempt.prediction;
      const drawn = attempt.draws > 1 ? ", " + attempt.draws + " draws" : "";
      const title = "Attempt " + (attempt.iteration + 1) + ": " + attempt.verdict + answer + " (" + attempt.rule + drawn + ")";
      if (attempt.order) article.append(box("Choices as attempt " + (attempt.iteration + 1) + " saw them", attempt.order, "problem"));
      article.append(box(title, attempt.response, attempt.verdict));
      if (attempt.feedback !== null) {
        const leaks = attempt.leaks.length ? ", LEAKS: " + attempt.leaks.join(" | ") : "";
        article.append(box("Feedback" + leaks, attempt.feedback, "feedback"));
      }
    }
    article.append(element("p", trial.status + (trial.reason ? ": " + trial.reason : "")));
  }

  function list() {
    const entries = indexes[Number(condition.value)] || [];
    problem.replaceChildren(...entries.flatMap((entry, number) => {
      if (status.value && entry.status !== status.value) return [];
      const epoch = entry.epoch ? ", epoch " + entry.epoch : "";
      const option = element("option", entry.problem + epoch + " (" + entry.status + ")");
      option.value = String(number);
      return [option];
    }));
    show();
  }

  const step = (by) => () => {
    const next = problem.selectedIndex + by;
    if (next >= 0 && next < problem.options.length) { problem.selectedIndex = next; show(); }
  };
  condition.addEventListener("change", list);
  status.addEventListener("change", list);
  problem.addEventListener("change", show);
  byId("previous").addEventListener("click", step(-1));
  byId("next").addEventListener("click", step(1));
  byId("picker").addEventListener("submit", (event) => event.preventDefault());
  if (indexes.length) list();
})();
