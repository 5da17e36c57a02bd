"""The local page over run directories: conditions, problems, trials and labels, while they run."""
