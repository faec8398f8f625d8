"""Pictures and brochures of what is sold, from a folder somebody else fills."""
