"""What every measurement needs: a portal of its own, and a line that says what was found."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask

from portal.app import create_app
from portal.core.database import db
from portal.embedded import for_tests
from tests.world import test_settings


@contextmanager
def prepared() -> Iterator[tuple[Flask, str]]:
    """A portal of its own with its tables and the demo's people and goods, and the address of its database."""
    servers = for_tests.ensure_servers()
    url = for_tests.clone_database(servers.database_url, "template1", f"bench_{uuid.uuid4().hex[:8]}")
    app = create_app(test_settings(url, servers.redis_url, "http://127.0.0.1:9", smtp_port=9))
    done = app.test_cli_runner().invoke(args=["prepare", "--no-deals"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    with app.app_context():
        yield app, url
        db.session.remove()


def show_micros(rows: list[tuple[str, float, float]]) -> None:
    """One line a measurement: what, microseconds, how many times the floor."""
    for name, micros, times in rows:
        print(f"{name:<54}{micros:>9.0f} µs   × {times:.1f}", flush=True)
