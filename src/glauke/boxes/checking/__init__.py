"""What is wrong with annotations is found, and mended in a copy."""
