"""A model is trained, step by step and epoch by epoch."""
