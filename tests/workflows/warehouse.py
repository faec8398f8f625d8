"""A warehouse that keeps some of what Deniz sells, and looks at it from the outside."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import text

from portal.core.actor import SYSTEM
from portal.core.database import db
from portal.core.unit_of_work import atomic
from portal.stock import queries, replay
from portal.stock import services as stock
from portal.workflows import set_aside
from tests import story

SHELF, HIGH = "A-01", "A-09"


class Kept(NamedTuple):
    """Tape and film, by their item; two shelves."""

    tape: int
    film: int
    shelf: int
    high: int


def keep(*, tape: int, film: int = 0) -> Kept:
    """The warehouse keeps tape and film, so many pieces on A-01; Ece's paper is her own affair."""
    with atomic():
        shelf, high = stock.add_shelf(SHELF), stock.add_shelf(HIGH)
        items = []
        for barcode, name, pieces in ((story.TAPE, "Koli bandı", tape), (story.FILM, "Streç film", film)):
            item = stock.add_item(barcode, name)
            if pieces:
                stock.receive(item.id, shelf.id, pieces, key=f"first {barcode}", by=SYSTEM)
            items.append(item.id)
    return Kept(items[0], items[1], shelf.id, high.id)


def numbers(item_id: int) -> tuple[int, int]:
    """On hand and set aside, as it is now."""
    db.session.rollback()
    row = queries.item(item_id)
    db.session.rollback()
    assert row
    return row.qty, row.reserved


def lies(item_id: int) -> dict[str, int]:
    """Where it lies."""
    found = {place.shelf: place.qty for place in queries.shelves_of([item_id]).get(item_id, [])}
    db.session.rollback()
    return found


def promises(order_id: int) -> list[tuple[str, int, int, int]]:
    """State, promised, taken and let go, line by line."""
    found = [(r.state, r.pieces, r.taken, r.released) for r in queries.reservations_of(set_aside.source_of(order_id))]
    db.session.rollback()
    return found


def outs() -> int:
    """Movements of goods that left."""
    found = db.session.scalar(text("SELECT count(*) FROM stock_movement WHERE type = 'OUT'"))
    db.session.rollback()
    return int(found or 0)


def agrees() -> bool:
    """Whether everything can be counted again from its history."""
    db.session.rollback()
    proof = replay.prove()
    db.session.rollback()
    return proof.agrees
