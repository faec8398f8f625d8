"""The small things everything is made of, each against one plain INSERT of the same run."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable

import psycopg
from flask import Flask

from portal.core.actor import SYSTEM
from portal.core.clock import today
from portal.core.money import Money
from portal.core.unit_of_work import atomic
from portal.inbox import services as inbox
from portal.ledger import services as ledger
from portal.ledger.services import Pair

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


def rows(app: Flask, url: str) -> list[tuple[str, float, float]]:
    """What, microseconds, how many times the floor."""
    numbers = itertools.count()
    client, body = app.test_client(), b"x" * 400

    def store() -> None:
        with atomic():
            inbox.store(inbox.Arrival("iyzico", "payments", "X", f"k{next(numbers)}", "token:x", True, {}, body))

    def post() -> None:
        pairs = [Pair("bank", "escrow", Money(100)), Pair("bank", "commission", Money(5))]
        with atomic():
            key = f"k{next(numbers)}"
            ledger.post("B", pairs, key=key, subject=("b", key), by=SYSTEM, because="b", effective_on=today())

    def page() -> None:
        assert client.get("/sign-in").status_code == 200

    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as plain:
        plain.execute("CREATE TABLE floor (id bigserial PRIMARY KEY, key text UNIQUE, body bytea)")

        def floor() -> None:
            plain.execute("INSERT INTO floor (key, body) VALUES (%s, %s)", (f"k{next(numbers)}", body))

        base = median_micros(floor)
    works = [
        ("a message stored in the inbox, woken", store),
        ("a journal entry of two pairs", post),
        ("the sign-in page, whole request", page),
    ]
    measured = [(name, median_micros(work)) for name, work in works]
    return [("plain INSERT, committed (the floor)", base, 1.0)] + [(name, took, took / base) for name, took in measured]
