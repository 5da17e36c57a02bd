"""Tables to figures to one HTML page; knows nothing but ``analysis``."""
