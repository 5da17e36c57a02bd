"""Graders: pure functions from a problem and a reply to a verdict, one file per kind of answer."""
