"""What an export has lost comes back from another file of the same pictures."""
