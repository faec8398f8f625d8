"""What the stockroom's pages list."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import func, select

from portal.core import clock
from portal.core.database import db
from portal.core.errors import NotFound
from portal.stock import history
from portal.stock.models import CentralStock, Reservation, Shelf, ShelfStock, StockItem, StockMovement, StockShortage
from portal.stock.states import Moved, Reserved

LATELY = timedelta(days=1)
BIGGEST_ID = 2**63 - 1


class ShelfRow(NamedTuple):
    """A shelf, how many different things lie on it, and how many pieces."""

    shelf_id: int
    code: str
    items: int
    pieces: int


class LyingRow(NamedTuple):
    """An item on a shelf, in pieces."""

    item_id: int
    barcode: str
    name: str
    qty: int


class Promise(NamedTuple):
    """Pieces of an item that are set aside for somebody, and until when if that is not paid yet."""

    source_kind: str
    source_key: str
    left: int
    expires_at: datetime | None
    made_at: datetime


class Needs(NamedTuple):
    """What somebody in the stockroom should do now: each a number, nothing to do is 0."""

    oversold: int
    shortages: int
    to_put_away: int


def shelf(shelf_id: int) -> Shelf:
    """One shelf."""
    found = db.session.get(Shelf, shelf_id) if 0 < shelf_id <= BIGGEST_ID else None
    if found is None:
        raise NotFound
    return found


def shelves(words: str = "") -> Any:
    """All shelves by code, with what lies there. The caller pages. Wrap rows in ShelfRow."""
    wanted = (
        select(
            Shelf.id,
            Shelf.code,
            func.count(ShelfStock.item_id).filter(ShelfStock.qty > 0),
            func.coalesce(func.sum(ShelfStock.qty), 0),
        )
        .outerjoin(ShelfStock, ShelfStock.shelf_id == Shelf.id)
        .group_by(Shelf.id)
        .order_by(Shelf.code)
    )
    return wanted.where(Shelf.code.icontains(words, autoescape=True)) if words else wanted


def lying_on(shelf_id: int) -> Any:
    """What lies on a shelf, by name. The caller pages. Wrap rows in LyingRow."""
    return (
        select(StockItem.id, StockItem.barcode, StockItem.name, ShelfStock.qty)
        .join(ShelfStock, ShelfStock.item_id == StockItem.id)
        .where(ShelfStock.shelf_id == shelf_id, ShelfStock.qty > 0)
        .order_by(StockItem.name, StockItem.id)
    )


def promises_on(item_id: int) -> list[Promise]:
    """For whom pieces of an item are set aside, oldest first; the first two hundred."""
    rows = (
        select(
            Reservation.source_kind,
            Reservation.source_key,
            Reservation.pieces - Reservation.taken - Reservation.released,
            Reservation.expires_at,
            Reservation.made_at,
        )
        .where(Reservation.item_id == item_id, Reservation.state == Reserved.OPEN)
        .order_by(Reservation.id)
        .limit(200)
    )
    return [Promise(*row) for row in db.session.execute(rows)]


def movements_on(shelf_id: int) -> Any:
    """A shelf's history, newest first. The caller pages."""
    return history.movements().where(StockMovement.shelf_id == shelf_id)


def just_received(person_id: int | None, *, most: int = 8) -> list[history.MovementRow]:
    """What somebody put on shelves last, newest first."""
    mine = history.movements().where(StockMovement.type == Moved.IN, StockMovement.actor_person_id == person_id)
    return history.movement_rows(mine.limit(most))


def needs(returns_shelf: str) -> Needs:
    """What waits in the stockroom: items promised beyond what is there, what was missed since yesterday, what came back
    and has not been looked at (pieces)."""
    oversold = select(func.count()).where(CentralStock.reserved > CentralStock.qty).scalar_subquery()
    missed = select(func.count()).where(StockShortage.at > clock.now() - LATELY).scalar_subquery()
    came_back = (
        select(func.coalesce(func.sum(ShelfStock.qty), 0))
        .join(Shelf, Shelf.id == ShelfStock.shelf_id)
        .where(Shelf.code == returns_shelf)
        .scalar_subquery()
    )
    return Needs(*db.session.execute(select(oversold, missed, came_back)).one())


def shelf_called(code: str) -> int | None:
    """A shelf's id by its code, if there is such a shelf."""
    return db.session.scalar(select(Shelf.id).where(Shelf.code == code.strip()))
