"""A warehouse that sells on a played Trendyol: what the tests of the push share."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from portal.core import clock
from portal.core.actor import SYSTEM, Actor
from portal.core.database import db
from portal.core.ports import cast_role
from portal.core.unit_of_work import atomic
from portal.integrations.trendyol.adapter import TrendyolStorefront
from portal.marketplace.ports import Storefronts
from portal.marketplace.push.models import StockPushBatch, StockPushItem, StockPushLog, StorefrontListing
from portal.stock import services as stock
from portal.stock.services import Source
from portal.workflows import stock_push
from tests.integrations.trendyol import Twin, a_twin

GUL = Actor("Gül Arslan")
TRENDYOL = "trendyol"
MINUTE, HOUR = 60, 3600


@dataclass
class Shop:
    """Our stock, the storefront, and time that passes for both."""

    app: Flask
    twin: Twin
    front: TrendyolStorefront
    shelf: int
    passed: int = 0
    acts: int = 0

    def play(self, *fronts: Any) -> None:
        """These storefronts are where we sell."""
        cast_role(self.app, Storefronts, Storefronts({front.code: front for front in fronts or (self.front,)}, {}))

    def keeps(self, **pieces: int) -> None:
        """So many pieces of each barcode are on the shelf, and Trendyol knows the barcodes."""
        self.twin.lever("items", items=[{"barcode": code, "quantity": 0} for code in pieces])
        with atomic():
            ids = {code: stock.add_item(code, f"Ürün {code}").id for code in pieces}
        for code, number in pieces.items():
            if number:
                self.receives(ids[code], number)

    def keeps_many(self, how_many: int) -> list[str]:
        """Many barcodes in one go: their stock is told by the same triggers."""
        codes = [f"868{no:010d}" for no in range(how_many)]
        self.twin.lever("items", items=[{"barcode": code, "quantity": 0} for code in codes])
        with atomic() as session:
            session.execute(
                text("INSERT INTO stock_item (barcode, name) SELECT c, 'Ürün ' || c FROM unnest(CAST(:c AS text[])) c"),
                {"c": codes},
            )
            session.execute(
                text(
                    "INSERT INTO central_stock (item_id, qty, reserved) SELECT id, 20 + id % 50, id % 7 FROM stock_item"
                )
            )
        return codes

    def item(self, code: str) -> int:
        """The item of a barcode."""
        found = stock.item_of(code).item.id
        db.session.rollback()
        return found

    def receives(self, item: int, pieces: int) -> None:
        """Goods arrive."""
        self.acts += 1
        with atomic():
            stock.receive(item, self.shelf, pieces, key=f"shop-{self.acts}", by=SYSTEM)

    def sells(self, code: str, pieces: int, order: str = "") -> Source:
        """An order sets pieces aside."""
        self.acts += 1
        source = Source("TEST", order or f"o{self.acts}", "1")
        item = self.item(code)
        with atomic():
            stock.reserve(item, pieces, source, even_if_short=True)
        return source

    def works(self) -> int:
        """Everything that is due now is done; how many steps it took."""
        for steps in itertools.count():
            if not stock_push.push_next():
                db.session.rollback()
                return steps
            assert steps < 20_000, "a step that does not end"
        raise AssertionError

    def later(self, seconds: int) -> None:
        """Time passes, here and there."""
        self.passed += seconds
        self.twin.world.move_clock(self.passed)
        with atomic():
            clock.move_to(self.passed)

    def days_go_by(self, hours: int = 6) -> None:
        """Work, wait, work, as workers and the scheduler would."""
        for minute in range(0, hours * 60, 5):
            if minute % 10 == 0:
                stock_push.compare_everything()
            self.works()
            self.later(5 * MINUTE)
        self.works()

    def listing(self, code: str) -> StorefrontListing:
        """How a barcode stands there."""
        db.session.rollback()
        db.session.expire_all()
        found = db.session.scalars(select(StorefrontListing).where(StorefrontListing.barcode == code)).one()
        db.session.expunge(found)
        db.session.rollback()
        return found

    def batches(self) -> list[str]:
        """The states of all batches, in order."""
        return self._all(select(StockPushBatch.state).order_by(StockPushBatch.id))

    def items(self, code: str) -> list[tuple[int, str | None]]:
        """What was said about a barcode, and what became of it, in order."""
        rows = (
            select(StockPushItem.quantity, StockPushItem.result)
            .join(StorefrontListing, StorefrontListing.id == StockPushItem.listing_id)
            .where(StorefrontListing.barcode == code)
            .order_by(StockPushItem.send_no)
        )
        found = [(quantity, result) for quantity, result in db.session.execute(rows)]
        db.session.rollback()
        return found

    def log(self) -> list[StockPushLog]:
        """Every push, in order."""
        db.session.expire_all()
        return self._all(select(StockPushLog).order_by(StockPushLog.id))

    def _all(self, wanted: Any) -> list[Any]:
        found = list(db.session.scalars(wanted))
        db.session.rollback()
        return found

    def believed(self) -> dict[str, int]:
        """What Trendyol really has."""
        found: dict[str, int] = self.twin.look("stock")
        return found

    def available(self) -> dict[str, int]:
        """What we want them to have."""
        rows = db.session.execute(text("SELECT barcode, available FROM stock_level JOIN stock_item ON id = item_id"))
        found = {row.barcode: int(row.available) for row in rows}
        db.session.rollback()
        return found

    def sent(self) -> dict[str, int | None]:
        """What we last said."""
        found = {row.barcode: row.sent for row in db.session.scalars(select(StorefrontListing))}
        db.session.rollback()
        return found


@pytest.fixture
def shop(app: Flask) -> Iterator[Shop]:
    """An empty warehouse with a shelf, and Trendyol without limits."""
    twin = a_twin()
    twin.lever("rules", batch_questions=0)
    with atomic():
        shelf = stock.add_shelf("S-01").id
    found = Shop(app, twin, twin.storefront(), shelf)
    found.play()
    yield found
    db.session.rollback()


LEVEL_AGAIN = """UPDATE central_stock c SET qty = (SELECT coalesce(sum(m.pieces), 0) FROM stock_movement m WHERE m.item_id = c.item_id),
         reserved = (SELECT coalesce(sum(r.pieces - r.taken - r.released), 0) FROM reservation r
                     WHERE r.item_id = c.item_id AND r.state = 'OPEN')"""


@pytest.fixture
def level_again(shop: Shop) -> Iterator[None]:
    """These tests write quantities past their movements: what is pushed is all they ask about. The books ask for more."""
    yield
    db.session.rollback()
    with atomic() as session:
        session.execute(text(LEVEL_AGAIN))
