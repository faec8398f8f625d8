"""N11: plays the Storefront; it sends no messages."""
