"""Where replies come from: OpenAI-compatible servers, other providers, and simulation."""
