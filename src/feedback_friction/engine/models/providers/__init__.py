"""Providers that inspect_ai speaks to."""
