"""Boxes become clusters, an elbow and anchors."""
