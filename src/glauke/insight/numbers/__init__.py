"""What a network says about held-out pictures, as numbers."""
