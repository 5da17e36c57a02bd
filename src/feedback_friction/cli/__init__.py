"""The commands, one file a verb; nobody imports it."""
