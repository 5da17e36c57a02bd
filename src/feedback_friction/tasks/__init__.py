"""One page a benchmark: source, licence, rows as problems, prompt, grader and mask."""
