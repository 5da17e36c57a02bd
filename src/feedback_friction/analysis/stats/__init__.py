"""Pure estimators, each with its interval: arrays and counts in, frozen results out, no I/O.

    arrays        how a table of trials is written: first-solved iterations
    intervals     Interval, Estimate, Wilson and its correction for rare successes (*)
    clusters      cluster-robust intervals of shares (*)
    betabinomial  the same where few clusters have any success (*)
    censored      accuracy, gain and area with trials in flight or missing; worst-case limits (*)
    guessing      what a guesser reaches on multiple choice (*)
    differences   paired differences: Tango's interval, McNemar, Holm (*)
    proportions   simultaneous intervals of several classes, pass@k
    pooling       a difference over tasks with random effects
    components    variance split between problems, solvers, feedback and draws; students, teachers
    survival      hazard of correction, Kaplan-Meier
    paired        two conditions on the same problems, by iteration; sign-flip permutation
    friction      target accuracy, friction, relative friction
    corrected     the same with a judge's labels corrected by people's
    mixed         logistic regression with an effect of each problem
    transitions   what becomes of an answer at the next attempt
    overlap       failures that solvers share
    association   Spearman, AUROC, calibration
    buckets       shares in buckets of another quantity
    raters        kappa, alpha, agreement by class
    entropy       semantic entropy
    detection     d' and criterion
    dose          isotonic fit of a response, dose of half the effect
    offpolicy     what a rule is worth, from treatments drawn at random
    sample_size   problems needed to see a difference

Every interval has a level of 95% (``intervals.LEVEL``) unless another is asked for.
(*): by the standard library alone; the others need numpy and scipy. Every interval was chosen for
its coverage of known truth; ``benchmarks/coverage.py`` prints it.
"""
