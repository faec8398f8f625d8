"""Putting the portal on machines."""
