"""Where a network looks, and pictures of what it gets wrong."""
