"""A program's own model, loaders and step are trained."""
