"""Whole batches are augmented, each picture by draws of its own."""
