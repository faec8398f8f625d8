"""Whom we believe to be who they say they are."""

from __future__ import annotations

import ssl
from functools import cache

import httpx


@cache
def providers() -> ssl.SSLContext:
    """The web's authorities; read once, because reading them takes longer than most of the start."""
    return httpx.create_ssl_context()


@cache
def mail_servers() -> ssl.SSLContext:
    """This machine's authorities: a company's own mail server is often signed by the company itself."""
    return ssl.create_default_context()
