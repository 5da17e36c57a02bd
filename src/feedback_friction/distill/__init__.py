"""A cure, measured: train a solver on what it took up itself, and measure what that did to uptake.

    asked.py    what is asked for          rounds.py  which run and which training follows which
    rows.py     what a method trains on    train.py   TRL's trainers, with LoRA
    weights.py  the trained weights as a GGUF file that llama.cpp serves

What became of it is told by ``analysis.distilled``, from the journals alone.
"""
