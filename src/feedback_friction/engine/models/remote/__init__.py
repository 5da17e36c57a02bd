"""Models behind an HTTP server: requests, refusals, retries, replicas."""
