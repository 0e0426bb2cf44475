"""Pictures are decoded once into a file that is mapped into memory."""
