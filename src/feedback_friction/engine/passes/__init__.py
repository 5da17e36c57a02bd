"""Passes over runs that ended: judging, oracle, probes, regrading, freezing, prompt search."""
