"""The outside world in small. An independent party with its own books: imports nothing of the portal's business.

Listens on loopback only: its control routes ask nobody's permission.
"""
