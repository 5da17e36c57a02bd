BEGIN TRANSACTION;
CREATE TABLE attempts (
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
    temperature                 REAL NOT NULL,
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
INSERT INTO "attempts" VALUES('decimal_multiplication | pocket/abacus | tutor | greedy','158x118',0,0,'158 * 100 = 15800
158 * 10 = 1580
158 * 8 = 1264
15800 + 1580 = 17380
17380 + 1264 = 18644
\boxed{18644}',NULL,'stop','18644','correct','boxed',1,'18644','[]',NULL,NULL,NULL,0,'[]',NULL,0.0,1,16,79,0,0,0,0,0,0,0.0,2.1794074910030758474e+00,0.0);
INSERT INTO "attempts" VALUES('decimal_multiplication | pocket/abacus | retry | greedy','158x118',0,0,'158 * 100 = 15800
158 * 10 = 1580
158 * 8 = 1264
15800 + 1580 = 17380
17380 + 1264 = 18644
\boxed{18644}',NULL,'stop','18644','correct','boxed',1,'18644','[]',NULL,NULL,NULL,0,'[]',NULL,0.0,1,16,79,0,0,0,0,0,0,0.0,2.1794074910030758474e+00,0.0);
INSERT INTO "attempts" VALUES('decimal_multiplication | pocket/abacus | tutor | greedy','291x285',0,0,'291 * 200 = 58200
291 * 80 = 23280
291 * 5 = 1455
58200 + 23280 = 81480
81480 + 1455 = 82935
\boxed{82935}',NULL,'stop','82935','correct','boxed',1,'82935','[]',NULL,NULL,NULL,0,'[]',NULL,0.0,1,16,81,0,0,0,0,0,0,0.0,2.45789599399722646921e+00,0.0);
INSERT INTO "attempts" VALUES('decimal_multiplication | pocket/abacus | retry | greedy','291x285',0,0,'291 * 200 = 58200
291 * 80 = 23280
291 * 5 = 1455
58200 + 23280 = 81480
81480 + 1455 = 82935
\boxed{82935}',NULL,'stop','82935','correct','boxed',1,'82935','[]',NULL,NULL,NULL,0,'[]',NULL,0.0,1,16,81,0,0,0,0,0,0,0.0,2.45789599399722646921e+00,0.0);
INSERT INTO "attempts" VALUES('decimal_multiplication | pocket/abacus | retry | greedy','374x320',0,0,'374 * 300 = 115200
374 * 20 = 7480
115200 + 7480 = 122680
\boxed{122680}',NULL,'stop','122680','wrong','boxed',0,'119680','[]',NULL,NULL,NULL,0,'[]',NULL,0.0,1,16,55,0,0,0,0,0,0,0.0,1.78789140300068538635e+00,0.0);
INSERT INTO "attempts" VALUES('decimal_multiplication | pocket/abacus | retry | greedy','374x320',0,1,'374 * 300 = 115200
374 * 20 = 7480
115200 + 7480 = 122680
\boxed{122680}',NULL,'stop','122680','wrong','boxed',0,'119680','[]',NULL,NULL,NULL,0,'[]',NULL,0.0,1,16,55,0,0,0,0,0,0,0.0,1.3838933099978021346e+00,0.0);
INSERT INTO "attempts" VALUES('decimal_multiplication | pocket/abacus | tutor | greedy','374x320',0,0,'374 * 300 = 115200
374 * 20 = 7480
115200 + 7480 = 122680
\boxed{122680}',NULL,'stop','122680','wrong','boxed',0,'119680','[]','Look at "374 × 300 = 115200". The product is wrong. Counting from the right, its first wrong digit is in the thousands. Multiply again digit by digit, with the carries, and redo every line that uses this result.','Look at "374 × 300 = 115200". The product is wrong. Counting from the right, its first wrong digit is in the thousands. Multiply again digit by digit, with the carries, and redo every line that uses this result.',NULL,0,'[]',NULL,0.0,1,16,55,0,0,0,0,0,0,0.0,1.78789140300068538635e+00,0.0);
INSERT INTO "attempts" VALUES('decimal_multiplication | pocket/abacus | tutor | greedy','374x320',0,1,'Look at "374 × 300". I redo 374 * 300 = 115200.
374 * 300 = 115200
374 * 20 = 7480
115200 + 7480 = 122680
\boxed{122680}',NULL,'stop','122680','wrong','boxed',0,'119680','[]',NULL,NULL,NULL,0,'[]',NULL,0.0,1,116,81,0,0,0,0,0,0,0.0,1.74925778299802914261e+00,0.0);
CREATE TABLE completions (
    key                BLOB PRIMARY KEY,         -- digest of model, messages, parameters and seed
    task               TEXT NOT NULL,
    problem_id         TEXT NOT NULL,
    epoch              INTEGER NOT NULL,
    iteration          INTEGER NOT NULL,
    role               TEXT NOT NULL,            -- solver, feedback, judge
    model              TEXT NOT NULL,            -- as asked for
    server_model       TEXT NOT NULL,            -- as the server reported it
    temperature        REAL NOT NULL,
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
INSERT INTO "completions" VALUES(X'42CAA3FC77E6D383F24662D05FF26B01','decimal_multiplication','374x320',0,0,'solver','pocket/abacus','pocket/abacus@80b1613b84cd23ea',0.0,1395182108,'[["374 * 300 = 115200\n374 * 20 = 7480\n115200 + 7480 = 122680\n\\boxed{122680}","stop",null,null]]',16,55,0,0,0.0,1.78789140300068538635e+00,'2026-11-29T10:55:29+00:00');
INSERT INTO "completions" VALUES(X'AA7332C6D3D0CCD6CECD2859CD45D62D','decimal_multiplication','158x118',0,0,'solver','pocket/abacus','pocket/abacus@80b1613b84cd23ea',0.0,75419561,'[["158 * 100 = 15800\n158 * 10 = 1580\n158 * 8 = 1264\n15800 + 1580 = 17380\n17380 + 1264 = 18644\n\\boxed{18644}","stop",null,null]]',16,79,0,0,0.0,2.1794074910030758474e+00,'2026-11-29T10:55:29+00:00');
INSERT INTO "completions" VALUES(X'D7421E3FC6F6E03D5CB6560D8D702072','decimal_multiplication','291x285',0,0,'solver','pocket/abacus','pocket/abacus@80b1613b84cd23ea',0.0,1845873339,'[["291 * 200 = 58200\n291 * 80 = 23280\n291 * 5 = 1455\n58200 + 23280 = 81480\n81480 + 1455 = 82935\n\\boxed{82935}","stop",null,null]]',16,81,0,0,0.0,2.45789599399722646921e+00,'2026-11-29T10:55:29+00:00');
INSERT INTO "completions" VALUES(X'5617F2201B81C04287769D05E602BAA0','decimal_multiplication','374x320',0,1,'solver','pocket/abacus','pocket/abacus@80b1613b84cd23ea',0.0,258784739,'[["374 * 300 = 115200\n374 * 20 = 7480\n115200 + 7480 = 122680\n\\boxed{122680}","stop",null,null]]',16,55,0,0,0.0,1.3838933099978021346e+00,'2026-11-29T10:55:30+00:00');
INSERT INTO "completions" VALUES(X'C4D304B377A589776DFA56DB7A3F7896','decimal_multiplication','374x320',0,1,'solver','pocket/abacus','pocket/abacus@80b1613b84cd23ea',0.0,258784739,'[["Look at \"374 × 300\". I redo 374 * 300 = 115200.\n374 * 300 = 115200\n374 * 20 = 7480\n115200 + 7480 = 122680\n\\boxed{122680}","stop",null,null]]',116,81,0,0,0.0,1.74925778299802914261e+00,'2026-11-29T10:55:30+00:00');
CREATE TABLE conditions (
    condition       TEXT PRIMARY KEY,   -- "task | solver | feedback | sampling", and " | history"
                                        -- where the run has several
    task            TEXT NOT NULL,
    digits          INTEGER,            -- of the factors, for the multiplication tasks
    solver          TEXT NOT NULL,
    feedback        TEXT NOT NULL,
    feedback_model  TEXT,               -- whose words the feedback is; NULL for no model
    sampling        TEXT NOT NULL,
    history         TEXT NOT NULL,      -- transcript, chat, clean
    iterations      INTEGER NOT NULL,
    epochs          INTEGER NOT NULL,
    problems        INTEGER NOT NULL,   -- problems x epochs = trials that the run is to make
    grader          TEXT NOT NULL,
    simulated       INTEGER NOT NULL    -- 1: a simulated student answered, not a model
);
INSERT INTO "conditions" VALUES('decimal_multiplication | pocket/abacus | tutor | greedy','decimal_multiplication',3,'pocket/abacus','tutor',NULL,'greedy','transcript',2,1,3,'number',0);
INSERT INTO "conditions" VALUES('decimal_multiplication | pocket/abacus | retry | greedy','decimal_multiplication',3,'pocket/abacus','retry',NULL,'greedy','transcript',2,1,3,'number',0);
CREATE TABLE errors (
    condition   TEXT NOT NULL,
    problem_id  TEXT NOT NULL,
    epoch       INTEGER NOT NULL,
    error       TEXT NOT NULL,
    happened    TEXT NOT NULL
);
CREATE TABLE layers (
    layer       INTEGER PRIMARY KEY,    -- from 1; below it is what the run itself wrote
    kind        TEXT NOT NULL,          -- regrade, remask
    version     TEXT NOT NULL,          -- of the program that judged
    accepted    TEXT NOT NULL           -- UTC, ISO 8601
);
CREATE TABLE marked (
    layer       INTEGER NOT NULL,
    condition   TEXT NOT NULL,
    problem_id  TEXT NOT NULL,
    epoch       INTEGER NOT NULL,
    iteration   INTEGER NOT NULL,       -- the last attempt that was asked for as it would be now
    PRIMARY KEY (layer, condition, problem_id, epoch)
);
CREATE TABLE oracle_draws (
    task          TEXT NOT NULL,
    problem_id    TEXT NOT NULL,
    draw          INTEGER NOT NULL,     -- from 0
    request       INTEGER NOT NULL,     -- number of the request that it came with, from 0
    response      TEXT NOT NULL,
    finish_reason TEXT NOT NULL,
    prediction    TEXT,
    verdict       TEXT NOT NULL,        -- correct, wrong, no-answer, undecided
    rule          TEXT NOT NULL,
    mean_logprob  REAL,
    tokens        REAL NOT NULL,        -- completion tokens of the request, shared by its draws
    PRIMARY KEY (task, problem_id, draw)
);
CREATE TABLE overruled (
    reply       BLOB PRIMARY KEY,       -- digest of task, problem, gold, choices and response
    task        TEXT NOT NULL,
    problem_id  TEXT NOT NULL,
    verdict     TEXT NOT NULL,          -- correct, wrong, no-answer
    prediction  TEXT,
    reason      TEXT NOT NULL,
    made        TEXT NOT NULL           -- UTC, ISO 8601
);
CREATE TABLE probes (
    probe       TEXT NOT NULL,
    settings    TEXT NOT NULL,          -- JSON: what decides its results (draws, temperature, ...)
    condition   TEXT NOT NULL,
    problem_id  TEXT NOT NULL,
    epoch       INTEGER NOT NULL,
    iteration   INTEGER NOT NULL,       -- whose prompt, or whose feedback, was looked at
    value       TEXT NOT NULL,          -- JSON: what was found
    PRIMARY KEY (probe, settings, condition, problem_id, epoch, iteration)
);
CREATE TABLE problems (
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
INSERT INTO "problems" VALUES('decimal_multiplication','158x118','Calculate the following question: 158 * 118.','Calculate the following question: 158 * 118.','18644','[]','[]','Split both numbers at the hundreds and multiply part by part: 158 * 118
158 = 100 + 58
118 = 100 + 18
Step 1: 100 * 100 = 10000
Step 2: 100 * 18 = 1800
Step 3: 58 * 100 = 5800
Step 4: 58 * 18 = 1044
Step 5: 10000 + 1800 + 5800 + 1044 = 18644
Final product = 18644',NULL,'3 digits',NULL,NULL);
INSERT INTO "problems" VALUES('decimal_multiplication','291x285','Calculate the following question: 291 * 285.','Calculate the following question: 291 * 285.','82935','[]','[]','Split both numbers at the hundreds and multiply part by part: 291 * 285
291 = 200 + 91
285 = 200 + 85
Step 1: 200 * 200 = 40000
Step 2: 200 * 85 = 17000
Step 3: 91 * 200 = 18200
Step 4: 91 * 85 = 7735
Step 5: 40000 + 17000 + 18200 + 7735 = 82935
Final product = 82935',NULL,'3 digits',NULL,NULL);
INSERT INTO "problems" VALUES('decimal_multiplication','374x320','Calculate the following question: 374 * 320.','Calculate the following question: 374 * 320.','119680','[]','[]','Split both numbers at the hundreds and multiply part by part: 374 * 320
374 = 300 + 74
320 = 300 + 20
Step 1: 300 * 300 = 90000
Step 2: 300 * 20 = 6000
Step 3: 74 * 300 = 22200
Step 4: 74 * 20 = 1480
Step 5: 90000 + 6000 + 22200 + 1480 = 119680
Final product = 119680',NULL,'3 digits',NULL,NULL);
CREATE TABLE remasked (
    layer       INTEGER NOT NULL,
    condition   TEXT NOT NULL,
    problem_id  TEXT NOT NULL,
    epoch       INTEGER NOT NULL,
    iteration   INTEGER NOT NULL,
    feedback    TEXT NOT NULL,
    PRIMARY KEY (layer, condition, problem_id, epoch, iteration)
);
CREATE TABLE replaced (
    layer       INTEGER NOT NULL,
    condition   TEXT NOT NULL,
    problem_id  TEXT NOT NULL,
    epoch       INTEGER NOT NULL,
    iteration   INTEGER NOT NULL,       -- -1: the row of trials
    was         TEXT NOT NULL,          -- JSON object: the row of attempts, or of trials
    PRIMARY KEY (layer, condition, problem_id, epoch, iteration)
);
CREATE TABLE trials (
    condition   TEXT NOT NULL,
    problem_id  TEXT NOT NULL,
    epoch       INTEGER NOT NULL,
    status      TEXT NOT NULL,          -- solved, unsolved, stopped, undecided, failed
    reason      TEXT NOT NULL,          -- why it stopped, failed or is undecided
    attempts    INTEGER NOT NULL,
    finished    TEXT NOT NULL,          -- UTC, ISO 8601
    PRIMARY KEY (condition, problem_id, epoch)
);
INSERT INTO "trials" VALUES('decimal_multiplication | pocket/abacus | tutor | greedy','158x118',0,'solved','',1,'2026-11-29T10:55:29+00:00');
INSERT INTO "trials" VALUES('decimal_multiplication | pocket/abacus | retry | greedy','158x118',0,'solved','',1,'2026-11-29T10:55:29+00:00');
INSERT INTO "trials" VALUES('decimal_multiplication | pocket/abacus | tutor | greedy','291x285',0,'solved','',1,'2026-11-29T10:55:29+00:00');
INSERT INTO "trials" VALUES('decimal_multiplication | pocket/abacus | retry | greedy','291x285',0,'solved','',1,'2026-11-29T10:55:29+00:00');
INSERT INTO "trials" VALUES('decimal_multiplication | pocket/abacus | retry | greedy','374x320',0,'unsolved','',2,'2026-11-29T10:55:30+00:00');
INSERT INTO "trials" VALUES('decimal_multiplication | pocket/abacus | tutor | greedy','374x320',0,'unsolved','',2,'2026-11-29T10:55:31+00:00');
PRAGMA user_version = 3;
COMMIT;
