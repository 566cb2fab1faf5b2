"""What a user declares: one file a noun, read with positions, checked, edited."""
