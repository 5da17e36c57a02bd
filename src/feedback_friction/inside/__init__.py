"""What happens inside a model: where feedback goes, and where it is lost.

A recorded run is read again, its exact prompts are put through the model's own weights, and the
way of the feedback is followed by causal tests beside controls. Only ``loading``, ``network`` and
``measures`` need torch.

    segments.py   which part of a prompt each token belongs to
    parting.py    where in a reply the right and the repeated answer part
    places.py     the second attempts of a run, rebuilt by the protocol and proved
    loading.py    the model: found, held against the run's solver, loaded
    network.py    forward passes: attention cut or boosted, states read, replaced or added to
    measures.py   what is measured at one place, each from as few passes as it takes
    steering.py   the cure: a direction, chosen on one half of the problems, tried on the other
    study.py      all places of a run, kept in its journal as they are made
"""
