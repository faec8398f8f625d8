"""Nothing that changed is missed and no older number is left lying, whoever commits, pushes or dies when."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from multiprocessing import get_context
from typing import Any

import httpx
import pytest
from flask import Flask
from sqlalchemy import Connection, text

from portal.app import create_app
from portal.core.database import db
from portal.core.ports import cast_role
from portal.core.unit_of_work import atomic
from portal.integrations.trendyol.adapter import TrendyolStorefront
from portal.integrations.trendyol.client import TrendyolClient
from portal.integrations.trendyol.limits import Limits
from portal.marketplace.ports import StockSubmitted, StockWish, Storefronts
from portal.marketplace.push import queries
from portal.sandbox.faults import Fault
from portal.sandbox.trendyol import API_KEY, API_SECRET, SELLER_ID
from portal.settings import Settings
from portal.stock import services as stock
from portal.workflows import stock_push
from tests.integrations.trendyol import no_limits
from tests.marketplace.pushing import MINUTE, Shop, level_again, shop
from tests.marketplace.test_push_trouble import agrees, until
from tests.world import SandboxControl

__all__ = ["level_again", "shop"]
pytestmark = [
    pytest.mark.usefixtures("level_again"),
    pytest.mark.faults,
    pytest.mark.xdist_group("push"),
    pytest.mark.timeout(1200),
]
# `make faults` plays the 2,000 barcodes; `make test` a few hundred.
BARCODES = 2000 if os.environ.get("RUNS") else 300


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A connection for everybody."""
    return replace(settings, database_pool=30)


def change(session: Connection, item: int, by: int) -> None:
    """As the stock's services write it."""
    update = "UPDATE central_stock SET qty = qty + :by, updated_at = clock_timestamp() WHERE item_id = :item"
    session.execute(text(update), {"by": by, "item": item})


def begun_first_committed_last(shop: Shop, look: Callable[[], object]) -> None:
    """Two changes: the first one begins first and commits last; somebody looks in between and afterwards."""
    first, second = shop.item("A1"), shop.item("B2")
    with db.engine.connect() as slow, db.engine.connect() as quick:
        change(slow, first, -3)
        change(quick, second, -2)
        quick.commit()
        look()
        slow.commit()
    look()


def test_who_commits_last_is_not_missed(shop: Shop) -> None:
    shop.keeps(A1=10, B2=10)
    shop.works()
    begun_first_committed_last(shop, shop.works)
    assert shop.believed() == {"A1": 7, "B2": 8}
    undo(shop)


def test_a_cursor_on_the_time_of_change_misses_who_commits_last(shop: Shop) -> None:
    """The naive twin of the test above: what changed since the newest instant I have seen."""
    shop.keeps(A1=10, B2=10)
    shop.works()
    told: dict[int, int] = {}
    cursor = db.session.scalar(text("SELECT clock_timestamp()"))
    db.session.rollback()

    def look() -> None:
        nonlocal cursor
        assert isinstance(cursor, datetime)
        newer = text(
            "SELECT item_id, qty, updated_at FROM central_stock WHERE updated_at > :cursor ORDER BY updated_at"
        )
        for row in db.session.execute(newer, {"cursor": cursor}):
            told[row.item_id], cursor = row.qty, row.updated_at
        db.session.rollback()

    begun_first_committed_last(shop, look)
    assert told == {shop.item("B2"): 8}, "the cursor must have gone past the change that was committed later"
    undo(shop)


def undo(shop: Shop) -> None:
    """The quantities have no movements here: back to what the books know."""
    with atomic() as session:
        session.execute(text("UPDATE central_stock SET qty = 10"))


def crowd(app: Flask, work: list[Callable[[], object]]) -> None:
    """Everybody at once, each with a connection of their own; what went wrong is raised here."""
    wrong: list[BaseException] = []
    meet = threading.Barrier(len(work))

    def one(act: Callable[[], object]) -> None:
        with app.app_context():
            try:
                meet.wait(30)
                act()
            except BaseException as trouble:
                wrong.append(trouble)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=one, args=(act,)) for act in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    if wrong:
        raise wrong[0]


class Watched:
    """The storefront, watched: which barcodes are on their way at once, and what was said in which order."""

    def __init__(self, front: Any) -> None:
        self.code, self.title, self.abilities, self.front = front.code, front.title, front.abilities, front
        self.lock, self.flying, self.met = threading.Lock(), set[str](), list[str]()

    def submit_stock(self, wishes: list[StockWish]) -> StockSubmitted:
        """Noted before and after."""
        codes = {wish.barcode for wish in wishes}
        with self.lock:
            self.met += sorted(codes & self.flying)
            self.flying |= codes
        time.sleep(random.random() / 100)
        try:
            return self.front.submit_stock(wishes)  # type: ignore[no-any-return]
        finally:
            with self.lock:
                self.flying -= codes

    def __getattr__(self, name: str) -> Any:
        return getattr(self.front, name)


def test_four_pushers_and_six_sellers_at_once(shop: Shop) -> None:
    codes = shop.keeps_many(60)
    watched = Watched(shop.front)
    shop.play(watched)
    shop.app.config["STOCK_PUSH_BATCH"] = 7
    sold = threading.Event()
    ids = {code: shop.item(code) for code in codes}

    def sell(seller: int) -> Callable[[], None]:
        dice = random.Random(seller)

        def act() -> None:
            for number in range(25):
                some = dice.sample(codes, 3)
                with atomic():
                    wishes = [stock.Wish(ids[code], 1, code) for code in some]
                    source = stock.Source("TEST", f"s{seller}-{number}")
                    stock.reserve_all(wishes, source, even_if_short=True)
                if number % 3 == 0:
                    with atomic():
                        stock.release(source, because="x")
            sellers_left.append(seller)
            if len(sellers_left) == 6:
                sold.set()

        return act

    def push() -> None:
        while not sold.is_set():
            stock_push.push_next()
            db.session.rollback()

    def compare() -> None:
        while not sold.is_set():
            stock_push.compare_everything()
            time.sleep(0.05)

    sellers_left: list[int] = []
    crowd(shop.app, [*[sell(seller) for seller in range(6)], push, push, push, push, compare])
    shop.works()
    assert shop.believed() == shop.available()
    assert watched.met == [], "a barcode was on its way twice at the same moment"
    shop.later(MINUTE)
    shop.works()
    shop.days_go_by(hours=1)
    assert agrees(shop)


def test_two_careless_pushers_leave_the_older_number(shop: Shop) -> None:
    """The naive twin: read, then send. The one who read first sends last."""
    shop.keeps(A1=10)
    item = shop.item("A1")
    read, sold = threading.Event(), threading.Event()

    def free() -> int:
        found = db.session.scalar(text("SELECT available FROM stock_level WHERE item_id = :i"), {"i": item})
        db.session.rollback()
        return int(found or 0)

    def slow() -> None:
        pieces = free()
        read.set()
        assert sold.wait(30)
        shop.front.submit_stock([StockWish("A1", pieces)])

    def quick() -> None:
        assert read.wait(30)
        with atomic():
            stock.reserve(item, 4, stock.Source("TEST", "1", "1"))
        shop.front.submit_stock([StockWish("A1", free())])
        sold.set()

    crowd(shop.app, [slow, quick])
    assert shop.believed() == {"A1": 10}
    assert shop.available() == {"A1": 6}


def test_everything_that_can_happen_to_a_push_and_in_the_end_they_agree(shop: Shop) -> None:
    """The issue's Show: 5 % rejections, 429s, identical bodies, lost results, silences; every number arrives."""
    codes = shop.keeps_many(BARCODES)
    dice, world = random.Random(7), shop.twin.world
    shop.front = shop.twin.storefront(shop.twin.client(limits=Limits(margin_seconds=0.2)))
    shop.play()
    shop.app.config["STOCK_PUSH_READ_BACK"] = 20
    shop.twin.lever("rules", limits=True, reject_every=20)
    stranger = shop.twin.client()
    for hour in range(8):
        shop.twin.lever("rules", lose_batch_results=hour in (2, 5), batch_questions=hour % 3)
        for mode in ("error_500_after_effect", "error_500", "malformed"):
            world.faults.add(Fault("trendyol", dice.choice(["stock", "batch", "read"]), mode))
        if hour == 1:
            for _call in range(50):  # somebody else with the same keys uses the limit up
                stranger.tell("POST", "stock", {"items": []})
        with atomic() as session:
            some = dice.sample(codes, BARCODES // 10)
            session.execute(
                text("""UPDATE central_stock SET reserved = (reserved + 1) % 9 WHERE item_id IN
                        (SELECT id FROM stock_item WHERE barcode = ANY(:some))"""),
                {"some": some},
            )
        for _quarter in range(4):
            stock_push.compare_everything()
            works_within_limits(shop)
            if hour == 1:
                until(lambda: stranger.tell("POST", "stock", {"items": []}).status != 429)  # ten real seconds
            shop.later(15 * MINUTE)
    world.faults.clear()
    for _quarter in range(60):
        stock_push.compare_everything()
        works_within_limits(shop)
        shop.later(15 * MINUTE)
        if agrees(shop):
            break
    assert agrees(shop)
    calls = shop.twin.look("calls")
    assert all(row["most_in_10_seconds"] <= 50 for row in calls.values()), calls
    rejected = db.session.scalar(text("SELECT count(*) FROM stock_push_item WHERE result = 'REJECTED' AND why <> ''"))
    counted_states = db.session.execute(text("SELECT state, count(*) FROM stock_push_batch GROUP BY 1"))
    states = {str(state): int(count) for state, count in counted_states}
    db.session.rollback()
    assert rejected and rejected > BARCODES // 40
    assert {"DONE", "GONE", "UNKNOWN", "NOT_SENT"} <= states.keys(), states
    print(f"{BARCODES} barcodes: batches {states}, rejected items {rejected}, calls {calls}")


def works_within_limits(shop: Shop) -> None:
    """As workers and the sweeper do: look again while something is due."""
    while shop.works() or queries.overdue(0):
        db.session.rollback()
        time.sleep(0.02)
    db.session.rollback()


def _real_front(url: str) -> TrendyolStorefront:
    client = TrendyolClient(
        base_url=f"{url}/trendyol/integration", seller_id=SELLER_ID, api_key=API_KEY, api_secret=API_SECRET,
        limits=no_limits(),
    )  # fmt: skip
    return TrendyolStorefront(client)


def _worker(settings: Settings, url: str) -> None:
    """A worker process, until it is killed."""
    app = create_app(settings)
    front = _real_front(url)
    cast_role(app, Storefronts, Storefronts({front.code: front}, {}))
    with app.app_context():
        while True:
            if not stock_push.push_next():
                time.sleep(0.02)


@pytest.fixture
def workers(settings: Settings, sandbox: SandboxControl) -> Iterator[Callable[[], int]]:
    """Starts a worker process; answers its number. None survives the test."""
    running: list[Any] = []
    impatient = replace(settings, outbox_lease_seconds=3, stock_push_quiet_seconds=0)

    def start() -> int:
        process = get_context("spawn").Process(target=_worker, args=(impatient, sandbox.url))
        process.start()
        running.append(process)
        return int(process.pid or 0)

    yield start
    for process in running:
        process.kill()
        process.join()


def test_workers_killed_in_the_middle_again_and_again(
    app: Flask, shop: Shop, sandbox: SandboxControl, workers: Callable[[], int]
) -> None:
    """Real processes, really killed; the rest is done by whoever comes next."""
    front = _real_front(sandbox.url)
    shop.play(front)
    shop.app.config["STOCK_PUSH_BATCH"] = 100
    codes = shop.keeps_many(BARCODES)
    httpx.post(f"{sandbox.url}/_sandbox/trendyol/rules", json={"limits": False, "batch_questions": 0})
    items = [{"barcode": code, "quantity": 0} for code in codes]
    httpx.post(f"{sandbox.url}/_sandbox/trendyol/items", json={"items": items}, timeout=60).raise_for_status()
    shop.app.config.update(OUTBOX_LEASE_SECONDS=3, STOCK_PUSH_QUIET_SECONDS=0)
    dice = random.Random(3)
    sandbox.fault("stock", "slow", 3, provider="trendyol", seconds=0.3)
    for _round in range(3):
        with atomic() as session:
            session.execute(text("UPDATE central_stock SET reserved = reserved + 1"))
        victim, before = workers(), counted()
        until(partial(more_than, before), 60)
        time.sleep(dice.random() / 10)
        os.kill(victim, signal.SIGKILL)

    def settled() -> bool:
        shop.works()
        shop.later(5)
        believed = httpx.get(f"{sandbox.url}/_sandbox/trendyol/stock", timeout=60).json()
        return bool(believed == shop.available() == shop.sent())

    until(settled, 120)


def more_than(batches: int) -> bool:
    """Whether there are more by now."""
    return counted() > batches


def counted() -> int:
    """How many batches there are."""
    found = db.session.scalar(text("SELECT count(*) FROM stock_push_batch"))
    db.session.rollback()
    return int(found or 0)
