"""Makes the small language model that ships with the package; torch is needed only here."""
