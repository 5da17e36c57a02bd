"""The loop and its parts: pure, without I/O, tested by sending it values."""
