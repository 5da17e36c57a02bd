"""Benchmarks: each proves one claim about the speed or the soundness of the engine."""
