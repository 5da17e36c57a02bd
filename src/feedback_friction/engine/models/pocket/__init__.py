"""A small language model of the Llama type within this process: numpy on the CPU, no torch.

``pocket/NAME`` is a packaged folder beside this file, ``pocket/PATH`` any folder in the format of
Hugging Face. A reply depends on its request alone: what else is computed in the same step changes
no bit of it, see ``exact``.

    folder.py       a model folder: found, checked, read, digested
    tokenizer.py    text to ids and back; messages through the chat template
    exact.py        arithmetic whose results do not depend on the order of summation
    grids.py        weights made ready for it
    transformer.py  tokens of many sequences to scores of their successors
    attention.py    its attention
    memory.py       keys and values in pages; blocks of them that prompts begin with
    sampling.py     scores to tokens
    sequence.py     a reply under way
    worker.py       continuous batching on one thread
    engine.py       orders in, replies out, several workers
    orders.py       what is asked of it, and what it gives back
    model.py        the provider
"""
