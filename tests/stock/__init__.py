"""A small warehouse for tests."""

from __future__ import annotations

from sqlalchemy import text

from portal.core.actor import SYSTEM, Actor
from portal.core.database import db
from portal.core.unit_of_work import atomic
from portal.stock import queries
from portal.stock import services as stock
from portal.stock.services import Pick, Source

CEM = Actor("Cem")
TAPE, GLUE = "8690000000012", "8690000000029"
ORDER = Source("TEST", "1")


class Warehouse:
    """Two items and two shelves; every act in a unit of its own, as a view or a job would do it."""

    def __init__(self) -> None:
        with atomic():
            tape, glue = stock.add_item(TAPE, "Koli bandı"), stock.add_item(GLUE, "Yapıştırıcı")
            self.tape, self.glue = tape.id, glue.id
            self.a1, self.b1 = stock.add_shelf("A-01").id, stock.add_shelf("B-01").id
        self.acts = 0

    def key(self) -> str:
        """A key nobody used yet."""
        self.acts += 1
        return f"test-{self.acts}"

    def receive(self, pieces: int, *, item: int | None = None, shelf: int | None = None, key: str = "") -> int:
        """Goods arrive; tape on A-01 unless said otherwise."""
        with atomic():
            return len(stock.receive(item or self.tape, shelf or self.a1, pieces, key=key or self.key(), by=SYSTEM))

    def take(self, pieces: int, *, order: str = "1", key: str = "", item: int | None = None) -> list[int]:
        """A packer takes from A-01; answers the movements' ids."""
        with atomic():
            picks = [Pick(item or self.tape, self.a1, pieces)]
            return [m.id for m in stock.take(picks, source=Source("TEST", order), key=key or self.key(), by=CEM)]

    def reserve(self, pieces: int, order: str = "1", *, even_if_short: bool = False) -> int:
        """Tape is set aside for an order."""
        with atomic():
            source = Source("TEST", order, "1")
            return stock.reserve(self.tape, pieces, source, even_if_short=even_if_short).id


def number(sql: str, *, elsewhere: bool = False) -> int:
    """One number from the database, as it is now; `elsewhere`: over another connection, while ours is at work."""
    if elsewhere:
        with db.engine.connect() as line:
            return int(line.scalar(text(sql)) or 0)
    found = db.session.scalar(text(sql))
    db.session.rollback()
    return int(found or 0)


def on_hand(item: int) -> tuple[int, int]:
    """On hand and promised."""
    row = db.session.execute(text("SELECT qty, reserved FROM central_stock WHERE item_id = :i"), {"i": item}).one()
    db.session.rollback()
    return int(row.qty), int(row.reserved)


def state_of(source: Source) -> list[tuple[str, int, int, int]]:
    """State, promised, taken and let go of an order's reservations."""
    found = [(r.state, r.pieces, r.taken, r.released) for r in queries.reservations_of(source)]
    db.session.rollback()
    return found
