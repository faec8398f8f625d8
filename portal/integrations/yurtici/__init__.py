"""Yurtiçi Kargo over SOAP: create, query, cancel (facts: carriers)."""
