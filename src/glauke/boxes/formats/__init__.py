"""Files of every kind become annotations."""
