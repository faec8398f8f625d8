"""Hundreds of payments announced three times each, while the worker is killed and Redis forgets everything."""

from __future__ import annotations

import json
import os
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
import redis
from flask import Flask
from sqlalchemy import func, select, text

from portal.core.database import db
from portal.escrow.models import EscrowHold, NetworkPayment
from portal.inbox.models import InboxMessage
from portal.ledger.models import JournalEntry
from portal.sandbox.iyzico import webhooks
from portal.sandbox.iyzico.books import Books
from portal.sandbox.world import World
from tests import story
from tests.cast import Cast
from tests.faults.conftest import Processes, eventually
from tests.world import SandboxControl

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("faults")]

# make faults announces all 500.
PAYMENTS = int(os.environ.get("PAYMENTS", "200"))
TIMES, CONNECTIONS, KILLS = 3, 8, 5


def test_each_payment_is_applied_once_and_none_is_lost(
    app: Flask, cast: Cast, sandbox: SandboxControl, world: World, processes: Processes
) -> None:
    announced = paid_but_not_yet_known(cast, world)
    processes.web()
    processes.job("worker", "work")
    processes.job("sweeper", "sweep")
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    letters = announced * TIMES
    random.Random(seed).shuffle(letters)

    in_the_middle: list[int] = []
    trouble = threading.Thread(target=kill_and_forget, args=(app, processes, in_the_middle))
    trouble.start()
    with httpx.Client(base_url=processes.url, timeout=30) as http, ThreadPoolExecutor(CONNECTIONS) as senders:
        answers = list(senders.map(lambda letter: send(http, letter), letters))
    trouble.join()
    assert set(answers) == {200}
    assert len(in_the_middle) == KILLS
    assert sum(waiting > 0 for waiting in in_the_middle) >= 3, f"killed too late to hurt: {in_the_middle}"

    eventually("every payment is in the books", lambda: paid_payments() == PAYMENTS, 120)
    eventually("every message is applied", lambda: messages_in("APPLIED") == PAYMENTS, 60)
    assert db.session.scalar(select(func.sum(InboxMessage.seen_count))) == PAYMENTS * TIMES
    assert db.session.scalar(select(func.count()).where(JournalEntry.kind == "CAPTURE")) == PAYMENTS
    assert db.session.scalar(select(func.count(EscrowHold.id))) == PAYMENTS


def paid_but_not_yet_known(cast: Cast, world: World) -> list[dict[str, str]]:
    """Fatma has paid many baskets; nobody has told the portal."""
    books = Books(world)
    for _ in range(PAYMENTS):
        token = story.open_page(cast, story.place(cast, (story.TAPE, 1)))
        form = books.pay(token, success=True)
        webhooks.announce(world, form, books.payment(form["payment_id"]))
    db.session.rollback()
    return [{"body": row["body"], "signature": row["signature"]} for row in world.store.all("webhook")]


def send(http: httpx.Client, letter: dict[str, str]) -> int:
    """As the provider sends: again until somebody takes it."""
    headers = {"Content-Type": "application/json", "X-IYZ-SIGNATURE-V3": letter["signature"]}
    assert json.loads(letter["body"])
    return http.post("/api/webhooks/payments/iyzico", content=letter["body"], headers=headers).status_code


def kill_and_forget(app: Flask, processes: Processes, in_the_middle: list[int]) -> None:
    """The worker dies five times in the middle of its work (how much was waiting is noted); Redis loses everything."""
    line = redis.Redis.from_url(app.extensions["worker_redis_url"])
    for number in range(KILLS):
        time.sleep(0.7)
        with app.app_context():
            in_the_middle.append(messages_in("RECEIVED"))
        processes.kill("worker")
        if number == 2:
            line.flushall()
        processes.job("worker", "work")


def paid_payments() -> int:
    """Payments that are in the books."""
    return _count(select(func.count()).where(NetworkPayment.state == "PAID"))


def messages_in(state: str) -> int:
    """Messages in a state."""
    return _count(select(func.count()).where(InboxMessage.state == state))


def _count(wanted: object) -> int:
    db.session.rollback()
    db.session.execute(text("SELECT 1"))
    return int(db.session.scalar(wanted) or 0)  # type: ignore[call-overload]
