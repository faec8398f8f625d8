"""Aras Kargo: SOAP orders, and a second service that is asked where they are (facts: carriers)."""
