"""Reports over the real database."""
