"""Many packers at once: nothing is sold twice, nobody waits in a circle, and the careless way is seen to fail."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import text

from portal.core import clock
from portal.core.database import db
from portal.core.errors import Refusal
from portal.core.unit_of_work import atomic
from portal.settings import Settings
from portal.stock import replay
from portal.stock import services as stock
from portal.stock.services import Pick, Source, Wish
from tests.stock import CEM, Warehouse, number, on_hand
from tests.stock.test_replay import Day

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("faults")]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A connection for every packer."""
    return replace(settings, database_pool=40)


@pytest.fixture
def packers(app: Flask) -> Iterator[Callable[[int, Callable[[int], object]], Counter[str]]]:
    """So many people, each with a connection of their own, doing something at the same moment."""

    def at_once(how_many: int, act: Callable[[int], object]) -> Counter[str]:
        answers: list[str] = []
        meet = threading.Barrier(how_many)

        def one(number: int) -> None:
            with app.app_context():
                db.session.execute(text("SELECT 1"))
                db.session.rollback()
                meet.wait(30)
                answers.append(_answer(act, number))
                db.session.remove()

        crowd = [threading.Thread(target=one, args=(number,)) for number in range(how_many)]
        for person in crowd:
            person.start()
        for person in crowd:
            person.join()
        return Counter(answers)

    yield at_once
    db.session.rollback()


def _answer(act: Callable[[int], object], number: int) -> str:
    try:
        act(number)
    except Refusal as no:
        return no.code
    except Exception as crash:  # a deadlock must be seen as what it is
        return type(crash).__name__ + str(crash)[:200]
    return "done"


Packers = Callable[[int, Callable[[int], object]], Counter[str]]


def test_64_packers_on_one_barcode_with_50_pieces(warehouse: Warehouse, packers: Packers) -> None:
    warehouse.receive(50)

    def pack(number: int) -> None:
        try:
            warehouse.take(1, order=f"o{number}", key=f"parcel-{number}")
        except stock.Shortage as short:
            with atomic():
                stock.note_shortage(short, by=CEM)
            raise

    assert packers(64, pack) == {"done": 50, "shortage": 14}
    assert on_hand(warehouse.tape) == (0, 0)
    assert number("SELECT count(*) FROM stock_movement WHERE type = 'OUT'") == 50
    assert number("SELECT count(*) FROM stock_shortage") == 14


def test_64_orders_for_50_pieces_are_promised_50(warehouse: Warehouse, packers: Packers) -> None:
    warehouse.receive(50)
    assert packers(64, lambda number: warehouse.reserve(1, f"o{number}")) == {"done": 50, "not_enough_stock": 14}
    assert on_hand(warehouse.tape) == (50, 50)


def test_opposite_orders_of_two_lines_do_not_wait_in_a_circle(warehouse: Warehouse, packers: Packers) -> None:
    warehouse.receive(200)
    warehouse.receive(200, item=warehouse.glue)

    def pack(number: int) -> None:
        goods = [warehouse.tape, warehouse.glue][:: 1 if number % 2 else -1]
        source = Source("TEST", f"o{number}")
        for again in range(3):
            order = source._replace(key=f"{source.key}-{again}")
            with atomic():
                stock.reserve_all([Wish(item, 1, str(item)) for item in goods], order)
            with atomic():
                picks = [Pick(item, warehouse.a1, 1) for item in goods]
                stock.take(picks, source=order, key=f"parcel-{order.key}", by=CEM)

    assert packers(32, pack) == {"done": 32}
    assert (on_hand(warehouse.tape), on_hand(warehouse.glue)) == ((104, 0), (104, 0))


def test_locking_line_by_line_does_wait_in_a_circle(warehouse: Warehouse, packers: Packers) -> None:
    """The naive twin of the test above: two lines in two calls, in opposite order; the database has to refuse one."""
    warehouse.receive(10)
    warehouse.receive(10, item=warehouse.glue)
    both_hold_one = threading.Barrier(2)

    def pack(number: int) -> None:
        first, second = [warehouse.tape, warehouse.glue][:: 1 if number else -1]
        with atomic():
            stock.reserve(first, 1, Source("TEST", f"o{number}", "1"))
            both_hold_one.wait(10)
            stock.reserve(second, 1, Source("TEST", f"o{number}", "2"))

    said = packers(2, pack)
    assert said["done"] == 1
    assert any("deadlock detected" in answer for answer in said)


def test_one_parcel_scanned_by_32_at_once_and_resent_is_one_movement(warehouse: Warehouse, packers: Packers) -> None:
    warehouse.receive(50)
    warehouse.reserve(3)
    seen: list[list[int]] = []
    for _resent in range(4):
        assert packers(32, lambda _n: seen.append(warehouse.take(3, key="parcel-1"))) == {"done": 32}
    assert all(answer == seen[0] and len(answer) == 1 for answer in seen)
    assert on_hand(warehouse.tape) == (47, 0)
    assert number("SELECT count(*) FROM stock_movement WHERE type = 'OUT'") == 1


def test_two_packers_with_different_ideas_of_one_parcel(warehouse: Warehouse, packers: Packers) -> None:
    warehouse.receive(50)
    warehouse.receive(50, item=warehouse.glue)
    items = [warehouse.tape, warehouse.glue]
    said = packers(16, lambda number: warehouse.take(1, key="parcel-1", item=items[number % 2]))
    assert said == {"done": 8, "same_key_other_goods": 8}
    assert on_hand(warehouse.tape)[0] + on_hand(warehouse.glue)[0] == 99


def test_cancelling_and_running_out_while_it_is_packed(warehouse: Warehouse, packers: Packers) -> None:
    """Each promise is used up, let go, or run out: once, whoever is first."""
    warehouse.receive(100)
    due = clock.now()
    for order in range(12):
        with atomic():
            stock.reserve(warehouse.tape, 2, Source("TEST", str(order)), expires_at=due)

    def somebody(number: int) -> None:
        order = Source("TEST", str(number // 3))
        if number % 3 == 0:
            warehouse.take(2, order=order.key, key=f"parcel-{order.key}")
        else:
            with atomic():
                stock.release(order, because="cancelled") if number % 3 == 1 else stock.expire(due)

    assert packers(36, somebody) == {"done": 36}
    assert on_hand(warehouse.tape) == (76, 0)
    assert number("SELECT count(*) FROM reservation WHERE state = 'OPEN'") == 0


def test_a_promise_paid_while_the_sweeper_waits_does_not_run_out(app: Flask, warehouse: Warehouse) -> None:
    """The sweeper has seen that it is due, and waits for the item; meanwhile the buyer's money makes it last."""
    warehouse.receive(10)
    order, due = Source("TEST", "late"), clock.now()
    with atomic():
        stock.reserve(warehouse.tape, 4, order, expires_at=due)
    ran_out: list[int] = []

    def sweep() -> None:
        with app.app_context():
            with atomic():
                ran_out.append(stock.expire(due))
            db.session.remove()

    sweeper = threading.Thread(target=sweep)
    with atomic():
        stock.keep([Wish(warehouse.tape, 4)], order, because="paid")
        sweeper.start()
        while not number("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'", elsewhere=True):
            time.sleep(0.02)
    sweeper.join(30)
    assert ran_out == [0]
    assert on_hand(warehouse.tape) == (10, 4)


def test_a_busy_hour_with_everybody_at_everything(warehouse: Warehouse, packers: Packers) -> None:
    """Sixteen random days at once over the same goods, orders and keys: refusals, but never a crash or a deadlock."""

    def work(number: int) -> None:
        day = Day(warehouse, number, shared="all")
        for _ in range(25):
            day.goes_on()

    assert packers(16, work) == {"done": 16}
    assert number("SELECT count(*) FROM stock_movement") > 50


NAIVE_MOVEMENT = text(
    """WITH act AS (INSERT INTO stock_act (key, kind, goods, source_kind, source_key, actor, because, at)
         VALUES (:key, 'TAKE', '[]', 'TEST', :key, 'naive', '', now()) RETURNING key)
       INSERT INTO stock_movement (idempotency_key, act_key, type, item_id, shelf_id, pieces, source_kind, source_key,
         actor, because, at) SELECT key, key, 'OUT', :item, :shelf, -1, 'TEST', key, 'naive', '', now() FROM act"""
)


COUNTED_AGAIN = (
    """WITH act AS (INSERT INTO stock_act (key, kind, goods, source_kind, source_key, actor, because, at)
         VALUES ('repair', 'COUNT', '[]', '', '', 'naive', '', now()) RETURNING key)
       INSERT INTO stock_movement (idempotency_key, act_key, type, item_id, shelf_id, pieces, source_kind, source_key,
         actor, because, at) SELECT key, key, 'COUNT', :item, :shelf, gone, '', '', 'naive', '', now()
       FROM act, (SELECT -sum(pieces) AS gone FROM stock_movement WHERE item_id = :item) went""",
    "UPDATE shelf_stock SET qty = 0 WHERE item_id = :item",
    "UPDATE central_stock SET qty = 0 WHERE item_id = :item",
)


def test_looking_before_taking_oversells_and_the_proof_finds_it(app: Flask, packers: Packers) -> None:
    """The naive twin: read the quantity, then write it. Same shelf, same crowd; more goes out than was there."""
    warehouse = Warehouse()
    warehouse.receive(50)
    place = {"item": warehouse.tape, "shelf": warehouse.a1}

    def pack(number: int) -> None:
        with atomic():
            where = "WHERE item_id = :item AND shelf_id = :shelf"
            there = db.session.scalar(text(f"SELECT qty FROM shelf_stock {where}"), place) or 0
            time.sleep(0.01)
            if there >= 1:
                db.session.execute(text(f"UPDATE shelf_stock SET qty = :left {where}"), {**place, "left": there - 1})
                db.session.execute(NAIVE_MOVEMENT, {**place, "key": f"naive-{number}"})

    packers(64, pack)
    assert number("SELECT count(*) FROM stock_movement WHERE type = 'OUT'") > 50
    assert not replay.prove().agrees
    # The books are asked after every test: somebody has to count what the careless left.
    with atomic():
        for statement in COUNTED_AGAIN:
            db.session.execute(text(statement), place)
    assert replay.prove().agrees
