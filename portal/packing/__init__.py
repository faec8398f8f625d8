"""Packing: what is to be packed, every piece that was scanned, and the boxes that come of it."""
