-- A run's journal. Analysis reads conditions, problems, trials and attempts. Completions are the
-- replies that were paid for; each is stored before its trial continues.
CREATE TABLE IF NOT EXISTS conditions (
    condition       TEXT PRIMARY KEY,   -- "task | solver | feedback | sampling"; " | history" if several
    task            TEXT NOT NULL,
    digits          INTEGER,            -- of the factors, for the multiplication tasks
    solver          TEXT NOT NULL,
    feedback        TEXT NOT NULL,
    feedback_model  TEXT,               -- the model that wrote the feedback; NULL: none did
    sampling        TEXT NOT NULL,
    history         TEXT NOT NULL,      -- --history and --solve: "clean", "clean+restate", "notes"
    iterations      INTEGER NOT NULL,
    epochs          INTEGER NOT NULL,
    problems        INTEGER NOT NULL,   -- problems x epochs = trials planned
    grader          TEXT NOT NULL,
    simulated       INTEGER NOT NULL    -- 1: a simulated student answered, not a model
);

CREATE TABLE IF NOT EXISTS problems (
    task        TEXT NOT NULL,
    problem_id  TEXT NOT NULL,
    question    TEXT NOT NULL,          -- without the choices
    prompt      TEXT NOT NULL,          -- the question as the solver reads it, choices included
    gold        TEXT NOT NULL,
    aliases     TEXT NOT NULL,          -- JSON array
    choices     TEXT NOT NULL,          -- JSON array
    solution    TEXT,
    subject     TEXT,
    level       TEXT,
    s_pop       INTEGER,
    o_pop       INTEGER,
    PRIMARY KEY (task, problem_id)
);

-- What problems share with others: their passage, contest or document; no row for most tasks.
CREATE TABLE IF NOT EXISTS clusters (
    task        TEXT NOT NULL,
    problem_id  TEXT NOT NULL,
    cluster     TEXT NOT NULL,
    PRIMARY KEY (task, problem_id)
);

CREATE TABLE IF NOT EXISTS trials (
    condition   TEXT NOT NULL,
    problem_id  TEXT NOT NULL,
    epoch       INTEGER NOT NULL,
    status      TEXT NOT NULL,          -- solved, unsolved, stopped, undecided, failed
    reason      TEXT NOT NULL,          -- why it stopped, failed or is undecided
    attempts    INTEGER NOT NULL,
    finished    TEXT NOT NULL,          -- UTC, ISO 8601
    PRIMARY KEY (condition, problem_id, epoch)
);

-- Rows of a trial without a row in trials: it is in flight, or was when the run was interrupted.
-- Their feedback is filled in when the trial ends.
CREATE TABLE IF NOT EXISTS attempts (
    condition                   TEXT NOT NULL,
    problem_id                  TEXT NOT NULL,
    epoch                       INTEGER NOT NULL,
    iteration                   INTEGER NOT NULL,
    response                    TEXT NOT NULL,
    reasoning                   TEXT,
    finish_reason               TEXT NOT NULL,
    prediction                  TEXT,
    verdict                     TEXT NOT NULL,   -- correct, wrong, no-answer, undecided
    rule                        TEXT NOT NULL,   -- which rule of the grader decided
    is_correct                  INTEGER NOT NULL,
    gold                        TEXT NOT NULL,   -- as this attempt saw it (a shuffle moves letters)
    choices                     TEXT NOT NULL,   -- JSON array, in the order this attempt saw
    feedback                    TEXT,            -- what the solver was shown
    feedback_raw                TEXT,            -- before the mask
    feedback_donor              TEXT,            -- placebo: the problem it was written for
    masked_spans                INTEGER NOT NULL,
    leaks                       TEXT NOT NULL,   -- JSON array: what the audit found
    mean_logprob                REAL,
    temperature                 REAL,            -- NULL: none was sent
    draws                       INTEGER NOT NULL,
    prompt_tokens               INTEGER NOT NULL,
    completion_tokens           INTEGER NOT NULL,
    cached_tokens               INTEGER NOT NULL,
    reasoning_tokens            INTEGER NOT NULL,
    feedback_prompt_tokens      INTEGER NOT NULL,
    feedback_completion_tokens  INTEGER NOT NULL,
    feedback_cached_tokens      INTEGER NOT NULL,
    feedback_reasoning_tokens   INTEGER NOT NULL,
    cost_usd                    REAL,            -- answer and feedback; NULL: price unknown
    seconds                     REAL NOT NULL,
    feedback_seconds            REAL NOT NULL,
    PRIMARY KEY (condition, problem_id, epoch, iteration)
);

-- Other texts of an attempt, by kind: "stand-in", another problem's attempt shown in its place (the
-- history "foreign"); "suggested", the wrong answer that the feedback argues for; "corrupted", the
-- feedback before it was corrupted; "restated" and "notes", what the solver wrote to itself after
-- the feedback; "check", its check of its own answer, and "first-try", the answer that it checked,
-- where it then gave another.
CREATE TABLE IF NOT EXISTS asides (
    condition   TEXT NOT NULL,
    problem_id  TEXT NOT NULL,
    epoch       INTEGER NOT NULL,
    iteration   INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    text        TEXT NOT NULL,
    donor       TEXT NOT NULL,          -- the problem of a stand-in, else ""
    PRIMARY KEY (condition, problem_id, epoch, iteration, kind)
);

-- Parts of the answer that the feedback repeats from the solver's own work. They are no leaks: the
-- solver had them already. No row where there are none.
CREATE TABLE IF NOT EXISTS aligned (
    condition   TEXT NOT NULL,
    problem_id  TEXT NOT NULL,
    epoch       INTEGER NOT NULL,
    iteration   INTEGER NOT NULL,
    texts       TEXT NOT NULL,          -- JSON array
    PRIMARY KEY (condition, problem_id, epoch, iteration)
);

-- The form that was chosen for an attempt's feedback, and why, in modes that choose among forms.
-- Written when the trial ends, like the feedback.
CREATE TABLE IF NOT EXISTS choices (
    condition   TEXT NOT NULL,
    problem_id  TEXT NOT NULL,
    epoch       INTEGER NOT NULL,
    iteration   INTEGER NOT NULL,       -- of the attempt that the feedback is on
    form        TEXT NOT NULL,
    propensity  REAL NOT NULL,          -- probability of this choice, given the state
    repeats     REAL NOT NULL,          -- predicted chance that the next answer repeats this one
    reason      TEXT NOT NULL,          -- why this form
    state       TEXT NOT NULL,          -- JSON object: the solver before the feedback
    PRIMARY KEY (condition, problem_id, epoch, iteration)
);

CREATE TABLE IF NOT EXISTS completions (
    key                BLOB PRIMARY KEY,         -- digest of model, messages, parameters and seed
    task               TEXT NOT NULL,
    problem_id         TEXT NOT NULL,
    epoch              INTEGER NOT NULL,
    iteration          INTEGER NOT NULL,
    role               TEXT NOT NULL,            -- solver, feedback, judge
    model              TEXT NOT NULL,            -- as requested
    server_model       TEXT NOT NULL,            -- as the server reported it
    temperature        REAL,                     -- NULL: none was sent
    seed               INTEGER NOT NULL,
    replies            TEXT NOT NULL,            -- JSON: [[text, finish, mean logprob, reasoning]]
    prompt_tokens      INTEGER NOT NULL,
    completion_tokens  INTEGER NOT NULL,
    cached_tokens      INTEGER NOT NULL,
    reasoning_tokens   INTEGER NOT NULL,
    cost_usd           REAL,
    seconds            REAL NOT NULL,
    finished           TEXT NOT NULL
);

-- The tokens of replies, where --token-logprobs asked for them and the server gave them.
CREATE TABLE IF NOT EXISTS tokens (
    key         BLOB NOT NULL,          -- of completions
    reply       INTEGER NOT NULL,       -- its place in replies, from 0
    tokens      TEXT NOT NULL,          -- JSON: [[text, log-probability, id or null]]
    PRIMARY KEY (key, reply)
);

-- Calls that failed before they succeeded.
CREATE TABLE IF NOT EXISTS retried (
    key         BLOB PRIMARY KEY,       -- of completions
    failures    INTEGER NOT NULL
);

-- Model calls of a trial, including those it shares with other conditions.
CREATE TABLE IF NOT EXISTS calls (
    condition   TEXT NOT NULL,
    problem_id  TEXT NOT NULL,
    epoch       INTEGER NOT NULL,
    calls       INTEGER NOT NULL,
    retried     INTEGER NOT NULL,       -- those that failed before they succeeded
    PRIMARY KEY (condition, problem_id, epoch)
);

CREATE TABLE IF NOT EXISTS errors (
    condition   TEXT NOT NULL,
    problem_id  TEXT NOT NULL,
    epoch       INTEGER NOT NULL,
    error       TEXT NOT NULL,
    happened    TEXT NOT NULL
);

-- A draw of the first prompt (friction oracle).
CREATE TABLE IF NOT EXISTS oracle_draws (
    task          TEXT NOT NULL,
    problem_id    TEXT NOT NULL,
    draw          INTEGER NOT NULL,     -- from 0
    request       INTEGER NOT NULL,     -- the request it came with, from 0
    response      TEXT NOT NULL,
    finish_reason TEXT NOT NULL,
    prediction    TEXT,
    verdict       TEXT NOT NULL,        -- correct, wrong, no-answer, undecided
    rule          TEXT NOT NULL,
    mean_logprob  REAL,
    tokens        REAL NOT NULL,        -- completion tokens of the request, shared by its draws
    PRIMARY KEY (task, problem_id, draw)
);

-- What a probe found at one place of a finished run (friction probe).
CREATE TABLE IF NOT EXISTS probes (
    probe       TEXT NOT NULL,
    settings    TEXT NOT NULL,          -- JSON: settings that affect results (draws, temperature, ...)
    condition   TEXT NOT NULL,
    problem_id  TEXT NOT NULL,
    epoch       INTEGER NOT NULL,
    iteration   INTEGER NOT NULL,       -- the attempt whose prompt or feedback was probed
    value       TEXT NOT NULL,          -- JSON: what was found
    PRIMARY KEY (probe, settings, condition, problem_id, epoch, iteration)
);

-- Accepted verdicts or masks of a later version (friction regrade, friction remask).
CREATE TABLE IF NOT EXISTS layers (
    layer       INTEGER PRIMARY KEY,    -- from 1; the run's own verdicts are layer 0
    kind        TEXT NOT NULL,          -- regrade, remask
    version     TEXT NOT NULL,          -- of feedback-friction
    accepted    TEXT NOT NULL           -- UTC, ISO 8601
);

-- Rows that a layer replaced or removed, so that earlier verdicts stay readable.
CREATE TABLE IF NOT EXISTS replaced (
    layer       INTEGER NOT NULL,
    condition   TEXT NOT NULL,
    problem_id  TEXT NOT NULL,
    epoch       INTEGER NOT NULL,
    iteration   INTEGER NOT NULL,       -- -1: the row of trials
    was         TEXT NOT NULL,          -- JSON object: the row of attempts, or of trials
    PRIMARY KEY (layer, condition, problem_id, epoch, iteration)
);

-- Trials whose later requests would have been different under the new verdicts or masks.
CREATE TABLE IF NOT EXISTS marked (
    layer       INTEGER NOT NULL,
    condition   TEXT NOT NULL,
    problem_id  TEXT NOT NULL,
    epoch       INTEGER NOT NULL,
    iteration   INTEGER NOT NULL,       -- the last attempt whose request would be the same
    PRIMARY KEY (layer, condition, problem_id, epoch)
);

-- Feedback after a later mask. attempts.feedback is still what the solver saw.
CREATE TABLE IF NOT EXISTS remasked (
    layer       INTEGER NOT NULL,
    condition   TEXT NOT NULL,
    problem_id  TEXT NOT NULL,
    epoch       INTEGER NOT NULL,
    iteration   INTEGER NOT NULL,
    feedback    TEXT NOT NULL,
    PRIMARY KEY (layer, condition, problem_id, epoch, iteration)
);

-- Verdicts by people. They override the grader's on the same reply to the same problem.
CREATE TABLE IF NOT EXISTS overruled (
    reply       BLOB PRIMARY KEY,       -- digest of task, problem, gold, choices and response
    task        TEXT NOT NULL,
    problem_id  TEXT NOT NULL,
    verdict     TEXT NOT NULL,          -- correct, wrong, no-answer
    prediction  TEXT,
    reason      TEXT NOT NULL,
    made        TEXT NOT NULL           -- UTC, ISO 8601
);
