"""The learning rate is found by a range test, and spent in a cycle."""
