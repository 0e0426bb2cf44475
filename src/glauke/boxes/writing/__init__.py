"""Annotations are written in other formats, joined, and begun."""
