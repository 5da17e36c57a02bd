"""The commands, a file for each verb or two; nobody imports it."""
