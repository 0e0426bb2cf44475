"""A file of annotations is explained in words."""
