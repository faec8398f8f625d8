"""Örnek Kargo: a carrier of our own making, so that everything can be shown and tested without a contract."""
