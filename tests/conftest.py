"""Real PostgreSQL, real Valkey, the sandbox over real HTTP, and the cast. Own code is never mocked."""

from __future__ import annotations

import contextvars
import gc
import os
import shutil
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.serving import make_server

from portal.accounts.models import Person
from portal.app import create_app
from portal.core.database import db
from portal.embedded import for_tests
from portal.health.books import ask_the_books
from portal.sandbox.app import create_sandbox
from portal.sandbox.world import SandboxSettings, World
from portal.settings import Settings
from tests.cast import Cast
from tests.erp import Erp, counters, small_database
from tests.world import SandboxControl, test_settings

TEMPLATE = "portal_template"


def pytest_configure(config: pytest.Config) -> None:
    """The run's first process starts the servers and makes the template; the others only use them."""
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    servers = for_tests.ensure_servers()
    for_tests.drop_database(servers.database_url, TEMPLATE)
    url = for_tests.clone_database(servers.database_url, "template1", TEMPLATE)
    app = create_app(test_settings(url, servers.redis_url, "http://127.0.0.1:9", smtp_port=9))
    # Tests of the warehouse fill its shelves themselves; FULL_SHELVES=1 lets every other story happen over full ones.
    shelves = ["--no-deals"] if os.environ.get("FULL_SHELVES") else ["--no-deals", "--empty-shelves"]
    done = app.test_cli_runner().invoke(args=["prepare", *shelves], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    with app.app_context():
        db.engine.dispose()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing in memory."""
    if not hasattr(config, "workerinput") and (folder := os.environ.get("TEST_FOLDER")):
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def _what_is_loaded_stays() -> None:
    """Thousands of tests in one process: a collector that walks all the libraries again makes a provider seem silent."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def sandbox_app() -> Iterator[tuple[Flask, str]]:
    """The outside world, on a port of its own, for as long as this worker lives."""
    server = make_server("127.0.0.1", 0, _NotYet(), threaded=True)
    url = f"http://127.0.0.1:{server.server_port}"
    settings = test_settings("postgresql+psycopg://unused", "redis://unused", url, smtp_port=9)
    app = create_sandbox(SandboxSettings(settings.iyzico_api_key, settings.iyzico_secret_key, url, smtp_port=0))
    server.app = app
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield app, url
    server.shutdown()
    app.extensions["post_office"].stop()


class _NotYet:
    """The port must be known before the app that needs it can be made."""

    def __call__(self, *_: Any) -> Any:  # pragma: no cover
        raise AssertionError("asked before the sandbox was made")


@pytest.fixture
def sandbox(sandbox_app: tuple[Flask, str]) -> Iterator[SandboxControl]:
    """A world that has forgotten everything."""
    _app, url = sandbox_app
    control = SandboxControl(url)
    control.reset()
    yield control
    control.close()


@pytest.fixture
def world(sandbox_app: tuple[Flask, str], sandbox: SandboxControl) -> World:
    """The sandbox's own books."""
    found: World = sandbox_app[0].extensions["world"]
    return found


@pytest.fixture
def database_url() -> Iterator[str]:
    """A fresh database with the demo company."""
    servers = for_tests.ensure_servers()
    name = f"t_{uuid.uuid4().hex[:12]}"
    yield for_tests.clone_database(servers.database_url, TEMPLATE, name)
    for_tests.drop_database(servers.database_url, name)


@pytest.fixture(scope="session")
def erp_house() -> Iterator[Erp]:
    """The ERP's databases, with a small ledger, for as long as this worker lives."""
    with small_database() as url, counters(url) as erp:
        yield erp


@pytest.fixture
def erp(erp_house: Erp) -> Iterator[Erp]:
    """An ERP where nothing goes wrong yet."""
    erp_house.faults.clear()
    yield erp_house
    erp_house.faults.clear()


@pytest.fixture
def settings(database_url: str, sandbox: SandboxControl, sandbox_app: tuple[Flask, str]) -> Settings:
    """Short waits, and nothing leaves this machine."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    redis_url = for_tests.ensure_servers().redis_url.rsplit("/", 1)[0] + f"/{worker + 1}"
    smtp_port = sandbox_app[0].extensions["post_office"].port
    return test_settings(database_url, redis_url, sandbox.url, smtp_port=smtp_port)


class FreshClient(FlaskClient):
    """Requests in a context of their own, as a server would serve them: nothing of the test's leaks in."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        """One request."""
        return contextvars.Context().run(super().open, *args, **kwargs)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The portal over a fresh database. Afterwards the books must agree: every test checks that by having run."""
    portal = create_app(settings)
    portal.test_client_class = FreshClient
    portal.extensions["wake_redis"].flushdb()
    with portal.app_context():
        yield portal
        db.session.rollback()
        troubles = ask_the_books()
        db.session.remove()
        db.engine.dispose()
    assert troubles == [], troubles


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser nobody is signed in with."""
    return app.test_client()


@pytest.fixture
def cast(app: Flask) -> Cast:
    """Ayşe, Burak, Cem, Deniz, Ece, Fatma, Gül."""
    people = {person.email: person for person in db.session.scalars(select(Person))}
    db.session.rollback()
    return Cast(people)
