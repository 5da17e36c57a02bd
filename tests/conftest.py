"""What all tests share."""

from hypothesis import settings

# A busy machine may hold up any single example; what has to be quick is counted: tests/effort.py.
settings.register_profile("friction", deadline=None, max_examples=40)
settings.register_profile("thorough", deadline=None, max_examples=400)
settings.load_profile("friction")
