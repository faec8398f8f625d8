"""Letters, over the real database."""
