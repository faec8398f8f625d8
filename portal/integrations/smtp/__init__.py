"""A mail server over SMTP: plays the PostOffice."""
