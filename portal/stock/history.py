"""What happened in the stock: every movement, and what was wanted and not there."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, func, select

from portal.core.database import db
from portal.stock.models import Shelf, StockItem, StockMovement, StockShortage


class MovementRow(NamedTuple):
    """One line of an item's history."""

    id: int
    type: str
    barcode: str
    shelf: str
    pieces: int
    source_kind: str
    source_key: str
    actor: str
    because: str
    at: datetime
    act_key: str = ""
    shelf_id: int = 0
    item_id: int = 0


class ShortageRow(NamedTuple):
    """What somebody wanted and did not find."""

    id: int
    barcode: str
    name: str
    shelf: str
    wanted: int
    there: int
    source_kind: str
    source_key: str
    actor: str
    at: datetime


def movements(item_id: int | None = None) -> Any:
    """History of an item, or of all, newest first. The caller pages."""
    wanted = (
        select(
            StockMovement.id,
            StockMovement.type,
            StockItem.barcode,
            Shelf.code,
            StockMovement.pieces,
            StockMovement.source_kind,
            StockMovement.source_key,
            StockMovement.actor,
            StockMovement.because,
            StockMovement.at,
            StockMovement.act_key,
            StockMovement.shelf_id,
            StockMovement.item_id,
        )
        .join(StockItem, StockItem.id == StockMovement.item_id)
        .join(Shelf, Shelf.id == StockMovement.shelf_id)
        .order_by(StockMovement.id.desc())
    )
    return wanted if item_id is None else wanted.where(StockMovement.item_id == item_id)


def movement_rows(wanted: Select[Any]) -> list[MovementRow]:
    """Run a movement query."""
    return [MovementRow(*row) for row in db.session.execute(wanted)]


def shortages() -> Any:
    """What was wanted and not there, newest first. The caller pages."""
    return (
        select(
            StockShortage.id,
            StockItem.barcode,
            StockItem.name,
            func.coalesce(Shelf.code, ""),
            StockShortage.wanted,
            StockShortage.there,
            StockShortage.source_kind,
            StockShortage.source_key,
            StockShortage.actor,
            StockShortage.at,
        )
        .join(StockItem, StockItem.id == StockShortage.item_id)
        .outerjoin(Shelf, Shelf.id == StockShortage.shelf_id)
        .order_by(StockShortage.id.desc())
    )


def shortage_rows(wanted: Select[Any]) -> list[ShortageRow]:
    """Run a shortage query."""
    return [ShortageRow(*row) for row in db.session.execute(wanted)]
