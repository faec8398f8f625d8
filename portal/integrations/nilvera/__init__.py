"""Nilvera e-İrsaliye: plays the DespatchOffice."""
