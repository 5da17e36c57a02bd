"""A run: prepared, launched, its trials driven, its budget and its directory kept."""
