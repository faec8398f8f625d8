"""Parcels that no carrier brings: our own van, or by hand."""
