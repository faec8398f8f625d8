"""How long a packer waits for a confirmation while seven others pack: the 95th percentile, against plain SQL.

Eight people, parcels of three lines over two hundred barcodes. The floor does the least that could be called the same
(lock, shelf, central stock, one movement per line, commit) with hand-written SQL and no portal.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

import psycopg
from flask import Flask
from sqlalchemy import select

from portal.accounts.models import Organisation, Person
from portal.core.actor import SYSTEM
from portal.core.database import db
from portal.core.unit_of_work import atomic
from portal.orders import queries as orders_queries
from portal.orders import services as orders
from portal.orders.models import Offer
from portal.stock import services as stock
from portal.workflows import checkout, delivery, set_aside

USERS, PARCELS, BARCODES, LINES = 8, 25, 200, 3
PLENTY = 100_000
FLOOR = """
SELECT item_id FROM central_stock WHERE item_id = ANY(%(items)s) ORDER BY item_id FOR UPDATE;
UPDATE shelf_stock SET qty = qty - 1 WHERE item_id = ANY(%(items)s) AND shelf_id = %(shelf)s;
UPDATE central_stock SET qty = qty - 1 WHERE item_id = ANY(%(items)s);
INSERT INTO floor_movement (key, item_id) SELECT %(key)s || ':' || i, i FROM unnest(%(items)s::bigint[]) i"""


def rows(app: Flask, url: str) -> list[tuple[str, float, float]]:
    """What, microseconds, how many times the floor."""
    items, shelf = _goods()
    parcels = _parcels(items)
    plain = url.replace("+psycopg", "")
    with psycopg.connect(plain, autocommit=True) as line:
        line.execute("CREATE TABLE floor_movement (id bigserial PRIMARY KEY, key text UNIQUE, item_id bigint)")

    def floor(user: int) -> list[float]:
        dice, times = random.Random(user), []
        with psycopg.connect(plain, cursor_factory=psycopg.ClientCursor) as line:
            for number in range(PARCELS):
                wanted = sorted(dice.sample(list(items.values()), LINES))
                began = time.perf_counter()
                line.execute(FLOOR, {"items": wanted, "shelf": shelf, "key": f"{user}-{number}"})
                line.commit()
                times.append(time.perf_counter() - began)
        return times

    def pack(user: int) -> list[float]:
        times = []
        with app.app_context():
            for parcel in parcels[user::USERS]:
                began = time.perf_counter()
                with atomic():
                    set_aside.take_for_parcel(parcel, [], by=SYSTEM)
                times.append(time.perf_counter() - began)
            db.session.remove()
        return times

    base, ours = _p95(floor), _p95(pack)
    return [
        (f"packing, p95 at {USERS} users: plain SQL (its floor)", base, 1.0),
        (f"packing, p95 at {USERS} users: a parcel's goods taken", ours, ours / base),
    ]


def _p95(work: Callable[[int], list[float]]) -> float:
    """Microseconds that nineteen of twenty confirmations stay below, with everybody at work at once."""
    times: list[float] = []
    crowd = [threading.Thread(target=lambda user=user: times.extend(work(user))) for user in range(USERS)]
    for person in crowd:
        person.start()
    for person in crowd:
        person.join()
    assert len(times) == USERS * PARCELS, "somebody did not finish"
    return sorted(times)[int(len(times) * 0.95)] * 1e6


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
    for _ in range(USERS * PARCELS):
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
