"""How long a packer waits for a confirmation while seven others pack: the 95th percentile, against plain SQL.

Eight people, parcels of three lines over two hundred barcodes, in as many web processes as are started by default (two,
so four people each). Measured as the packer meets it: the whole story of `workflows.packing.confirm` with its commit
and its wake-up; beside it the goods alone. The floor does the least that could be called the same (lock, shelf, central
stock, one movement per line, commit) with hand-written SQL and no portal. Connections are warm, as they are at noon.
"""

from __future__ import annotations

import multiprocessing
import random
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from flask import Flask
from sqlalchemy import select

from portal.accounts.models import Organisation, Person
from portal.app import create_app
from portal.core import clock
from portal.core.actor import SYSTEM, Actor
from portal.core.database import db
from portal.core.unit_of_work import atomic
from portal.orders import queries as orders_queries
from portal.orders import services as orders
from portal.orders.models import Offer
from portal.packing import queries as packing_queries
from portal.packing.services import Heard
from portal.packing.states import Source
from portal.stock import services as stock
from portal.workflows import checkout, delivery, set_aside
from portal.workflows import packing as story
from tests.world import test_settings

USERS, PROCESSES, PARCELS, WARM, BARCODES, LINES = 8, 2, 25, 6, 200, 3
PLENTY = 100_000
FLOOR = """
SELECT item_id FROM central_stock WHERE item_id = ANY(%(items)s) ORDER BY item_id FOR UPDATE;
UPDATE shelf_stock SET qty = qty - 1 WHERE item_id = ANY(%(items)s) AND shelf_id = %(shelf)s;
UPDATE central_stock SET qty = qty - 1 WHERE item_id = ANY(%(items)s);
INSERT INTO floor_movement (key, item_id) SELECT %(key)s || ':' || i, i FROM unnest(%(items)s::bigint[]) i"""

Work = tuple[str, Any]  # what to do, and with what


def rows(app: Flask, url: str) -> list[tuple[str, float, float]]:
    """What, microseconds, how many times the floor."""
    items, shelf = _goods()
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as line:
        line.execute("CREATE TABLE floor_movement (id bigserial PRIMARY KEY, key text UNIQUE, item_id bigint)")
    dice = random.Random(1)
    floor = [("floor", (sorted(dice.sample(list(items.values()), LINES)), shelf, str(n))) for n in range(_in_all())]
    take = [("take", parcel) for parcel in _parcels(items)]
    confirm = [("confirm", _packed_full(parcel)) for parcel in _parcels(items)]
    redis_url = str(app.extensions["worker_redis_url"])
    measured = [(_p95(url, redis_url, work), work[0][0]) for work in (floor, take, confirm)]
    base = measured[0][0]
    names = {
        "floor": "plain SQL (its floor)",
        "take": "a parcel's goods taken",
        "confirm": "the whole confirmation",
    }
    return [(f"packing, p95 at {USERS} users: {names[what]}", micros, micros / base) for micros, what in measured]


def _in_all() -> int:
    return USERS * (PARCELS + WARM)


def _p95(url: str, redis_url: str, work: Sequence[Work]) -> float:
    """Microseconds that nineteen of twenty stay below, with everybody at work at once."""
    context = multiprocessing.get_context("spawn")
    ready, told = context.Barrier(PROCESSES), context.Queue()
    crowd = [
        context.Process(target=_web_process, args=(url, redis_url, list(work[n::PROCESSES]), ready, told))
        for n in range(PROCESSES)
    ]
    for process in crowd:
        process.start()
    times: list[float] = [seconds for _process in crowd for seconds in told.get(timeout=300)]
    for process in crowd:
        process.join()
    assert len(times) == USERS * PARCELS, "somebody did not finish"
    return sorted(times)[int(len(times) * 0.95)] * 1e6


def _web_process(url: str, redis_url: str, work: list[Work], ready: Any, told: Any) -> None:
    """Some packers on one process, as a web process has them: each on a thread and a connection of his own."""
    app = create_app(test_settings(url, redis_url, "http://127.0.0.1:9", smtp_port=9))
    people = USERS // PROCESSES
    times: list[float] = []
    together = threading.Barrier(people, action=ready.wait)
    crowd = [
        threading.Thread(target=lambda mine=work[n::people]: times.extend(_pack(app, url, mine, together)))
        for n in range(people)
    ]
    for person in crowd:
        person.start()
    for person in crowd:
        person.join()
    told.put(times)


def _pack(app: Flask, url: str, work: list[Work], together: threading.Barrier) -> list[float]:
    """One packer: a few to warm up, then everybody together."""
    times = []
    with app.app_context(), psycopg.connect(url.replace("+psycopg", ""), cursor_factory=psycopg.ClientCursor) as line:
        do: dict[str, Callable[[Any], None]] = {
            "floor": lambda what: _floor(line, *what), "take": _take, "confirm": _confirm,
        }  # fmt: skip
        for number, (name, what) in enumerate(work):
            if number == WARM:
                together.wait()
            began = time.perf_counter()
            do[name](what)
            times.append(time.perf_counter() - began)
        db.session.remove()
    return times[WARM:]


def _floor(line: psycopg.Connection[Any], items: list[int], shelf: int, key: str) -> None:
    line.execute(FLOOR, {"items": items, "shelf": shelf, "key": key})
    line.commit()


def _take(parcel: int) -> None:
    with atomic():
        set_aside.take_for_parcel(parcel, [], by=SYSTEM)


def _confirm(task: int) -> None:
    with set_aside.shortages_noted(by=SYSTEM), atomic():
        story.confirm(task, by=SYSTEM)


def _goods() -> tuple[dict[str, int], int]:
    """Two hundred barcodes of one seller on one shelf; items by barcode, and the shelf."""
    with atomic():
        seller = db.session.scalars(select(Organisation).where(Organisation.kind == "SELLER")).first()
        assert seller
        shelf, items = stock.shelf_for("BENCH").id, {}
        for number in range(BARCODES):
            barcode = f"869999{number:07d}"
            db.session.add(Offer(seller_organisation_id=seller.id, barcode=barcode, name=barcode, unit_price_kurus=100))
            items[barcode] = stock.add_item(barcode, barcode).id
            stock.receive(items[barcode], shelf, PLENTY, key=f"bench {barcode}", by=SYSTEM)
    return items, shelf


def _parcels(items: dict[str, int]) -> list[int]:
    """Paid orders, each in one parcel that waits for a packer."""
    dice, found = random.Random(0), []
    for _ in range(_in_all()):
        with atomic():
            buyer = db.session.scalars(select(Person).where(Person.role == "buyer")).first()
            assert buyer
            wanted = [orders.WantedLine(barcode, 1) for barcode in dice.sample(sorted(items), LINES)]
            order_id = checkout.place(wanted, buyer=buyer, by=SYSTEM).orders[0].id
            order = orders_queries.hold_still(order_id)
            orders.paid(order, by=SYSTEM, because="bench")
            set_aside.follow(order, by=SYSTEM, because="bench")
            found.append(delivery.prepare_parcel(order_id, by=SYSTEM).id)
    return found


def _packed_full(parcel: int) -> int:
    """Taken in hand and every piece scanned into its box: only the confirmation is left to do."""
    with atomic():
        cem = db.session.scalars(select(Person).where(Person.role == "packer")).first()
        assert cem
        by = Actor(cem.full_name, cem.id)
        task_id = story.take_in_hand(Source.SHIPMENT, parcel, by=by)
        box = packing_queries.boxes(task_id)[0].id
        heard = [Heard(uuid.uuid4(), "scan", clock.now(), line.barcode, box) for line in packing_queries.lines(task_id)]
        story.scan(task_id, heard, device="bench", by=by)
    return task_id
