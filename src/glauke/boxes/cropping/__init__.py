"""Boxes are cut out of their pictures."""
