"""What all tests share."""

from hypothesis import settings

# A busy machine may hold up any single example; what has to be quick is counted: tests/effort.py.
settings.register_profile("friction", deadline=None)
settings.load_profile("friction")
