"""What happens inside a model: where feedback goes, and where it is lost.

A recorded run is read again, its exact prompts are put through the model's own weights, and the
way of the feedback is followed by causal tests beside controls.

    segments.py   which part of a prompt each token belongs to
    parting.py    where in a reply the right and the repeated answer part
    places.py     the second attempts of a run, rebuilt by the protocol and proved
    loading.py    the model: found, held against the run's solver, loaded
    attending.py  attention cut or raised, in its scores
    network.py    forward passes: states read, replaced or added to, replies written
    measures.py   what is measured at one place, each from as few passes as it takes
    tuned.py      the lens that is fitted on one half of the problems and reads the other
    steering.py   the cure: a direction, chosen on one half of the problems, tried on the other
    notebook.py   findings in the run's journal, and a place while it is looked at
    study.py      all places of a run, one after the other
"""
