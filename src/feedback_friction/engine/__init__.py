"""The one room that runs things: scheduling, model calls, and the journal of what was paid for."""
