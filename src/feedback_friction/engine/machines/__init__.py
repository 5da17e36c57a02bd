"""Many machines: a run dealt out by Ray, its parts merged, models served."""
