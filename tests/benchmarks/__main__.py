"""Ratios against a floor measured in the same run: machines differ, ratios say more than times.

Run by `make bench`; `python -m tests.benchmarks aging` measures the ERP's accounts alone. It never fails by the clock.
"""

from __future__ import annotations

import itertools
import statistics
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from flask import Flask

from portal.app import create_app
from portal.core.actor import SYSTEM
from portal.core.clock import today
from portal.core.database import db
from portal.core.money import Money
from portal.core.unit_of_work import atomic
from portal.embedded import for_tests
from portal.inbox import services as inbox
from portal.ledger import services as ledger
from portal.ledger.services import Pair
from tests.benchmarks import aging, packing, stock_push
from tests.world import test_settings

ROUNDS, TIMES = 5, 200


def median_micros(work: Callable[[], object]) -> float:
    """The median over some rounds of the time one call takes, in microseconds."""
    rounds = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(TIMES):
            work()
        rounds.append((time.perf_counter() - began) / TIMES * 1e6)
    return statistics.median(rounds)


@contextmanager
def prepared() -> Iterator[tuple[Flask, str]]:
    """A portal of its own with its tables and the demo's people, and the address of its database."""
    servers = for_tests.ensure_servers()
    url = for_tests.clone_database(servers.database_url, "template1", f"bench_{uuid.uuid4().hex[:8]}")
    app = create_app(test_settings(url, servers.redis_url, "http://127.0.0.1:9", smtp_port=9))
    done = app.test_cli_runner().invoke(args=["prepare"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    with app.app_context():
        yield app, url


def main() -> None:
    """One row per measurement: what, microseconds, how many times the floor."""
    numbers = itertools.count()
    with prepared() as (app, url), psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as plain:
        plain.execute("CREATE TABLE floor (id bigserial PRIMARY KEY, key text UNIQUE, body bytea)")
        body = b"x" * 400

        def floor() -> None:
            plain.execute("INSERT INTO floor (key, body) VALUES (%s, %s)", (f"k{next(numbers)}", body))

        def store() -> None:
            with atomic():
                inbox.store(inbox.Arrival("iyzico", "payments", "X", f"k{next(numbers)}", "token:x", True, {}, body))

        def post() -> None:
            pairs = [Pair("bank", "escrow", Money(100)), Pair("bank", "commission", Money(5))]
            with atomic():
                key = f"k{next(numbers)}"
                ledger.post("B", pairs, key=key, subject=("b", key), by=SYSTEM, because="b", effective_on=today())

        client = app.test_client()

        def page() -> None:
            assert client.get("/sign-in").status_code == 200

        base = median_micros(floor)
        rows = [("plain INSERT, committed (the floor)", base)]
        works = [
            ("a message stored in the inbox, woken", store),
            ("a journal entry of two pairs", post),
            ("the sign-in page, whole request", page),
        ]
        rows += [(name, median_micros(work)) for name, work in works]
        aging.measure(app, url)
        db.session.remove()
        measured = [(name, micros, micros / base) for name, micros in rows]
        measured += packing.rows(app, url)
        db.session.remove()
    for name, micros, times in measured:
        print(f"{name:<54}{micros:>9.0f} µs   × {times:.1f}")


def only_aging() -> None:
    """The ERP's accounts, without the rest."""
    with prepared() as (app, url):
        aging.measure(app, url)


if __name__ == "__main__":
    if sys.argv[1:] == ["aging"]:
        only_aging()
        sys.exit()
    main()
    stock_push.show(stock_push.measure(stock_push.Size.from_env()))
