"""A network leaves as a file, checked against the original."""
