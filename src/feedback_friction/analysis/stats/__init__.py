"""Pure estimators, each with its interval: arrays and counts in, frozen results out, no I/O.

    arrays        how a table of trials is written: first-solved iterations
    intervals     Interval, Estimate, Wilson (standard library only)
    clusters      cluster-robust intervals of shares (standard library only)
    proportions   exact, simultaneous and cluster-robust intervals of shares in arrays
    resampling    the bootstrap over problems
    survival      hazard of correction, Kaplan-Meier
    paired        differences of two conditions on the same problems
    significance  McNemar, sign-flip permutation, Holm
    friction      target accuracy, friction, relative friction
    categories    six raw error categories folded into three
    transitions   what becomes of an answer at the next attempt
    overlap       failures that solvers share
    association   Spearman, AUROC
    buckets       shares in buckets of another quantity
    agreement     kappa, alpha, agreement by class
    pass_at_k     pass@k and coverage
    entropy       semantic entropy
    power         problems needed to see a difference

All but ``intervals``, ``clusters`` and ``categories`` need numpy and scipy. Every interval was
chosen for its coverage of known truth; ``benchmarks/coverage.py`` prints it.
"""
