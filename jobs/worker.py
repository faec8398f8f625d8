"""The worker's app: made once, before RQ forks, so that a job starts in milliseconds."""

from __future__ import annotations

from functools import cache

from flask import Flask

from portal.app import create_app


@cache
def app() -> Flask:
    """The one app of this process and its forks."""
    return create_app()
