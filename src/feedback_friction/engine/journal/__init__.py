"""The journal: one SQLite file a run, what stands in it, and how it is written and read."""
