"""Starts and stops the pip-installed PostgreSQL and Valkey, and the portal's own processes, for `make run` and `make test`."""
