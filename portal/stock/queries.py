"""What the stock says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Select, func, literal, select, union_all

from portal.core.database import DB_NOW, db
from portal.stock.models import (
    CaseBarcode,
    CentralStock,
    Reservation,
    Shelf,
    ShelfStock,
    StockChange,
    StockItem,
    StockMovement,
)
from portal.stock.services.acts import Source
from portal.stock.states import Reserved


class ItemRow(NamedTuple):
    """An item and its numbers, in pieces. `available` is what marketplaces may sell, `oversold` what is not there."""

    item_id: int
    barcode: str
    name: str
    qty: int
    reserved: int
    safety: int
    available: int
    oversold: int
    updated_at: datetime


class OnShelf(NamedTuple):
    """Where pieces of an item lie."""

    shelf_id: int
    shelf: str
    qty: int


# The rules of portal.stock.rules.Level, for many items at once; a test compares the two.
AVAILABLE = func.greatest(CentralStock.qty - CentralStock.reserved - CentralStock.safety, 0)
OVERSOLD = func.greatest(CentralStock.reserved - CentralStock.qty, 0)


def items(*, words: str = "", only_oversold: bool = False) -> Select[Any]:
    """Items with their numbers, by name; `words` finds name or barcode. The caller pages."""
    wanted = _items().order_by(StockItem.name, StockItem.id)
    if words:
        wanted = wanted.where(
            StockItem.name.icontains(words, autoescape=True) | StockItem.barcode.icontains(words, autoescape=True)
        )
    return wanted.where(CentralStock.reserved > CentralStock.qty) if only_oversold else wanted


def item_rows(wanted: Select[Any]) -> list[ItemRow]:
    """Run an item query."""
    return [ItemRow(*row) for row in db.session.execute(wanted)]


def item(item_id: int) -> ItemRow | None:
    """One item with its numbers."""
    return next(iter(item_rows(_items().where(StockItem.id == item_id))), None)


def available(barcodes: Sequence[str] | None = None) -> dict[str, int]:
    """What marketplaces may sell now, by barcode, in one statement; all items when none are named."""
    wanted = select(StockItem.barcode, AVAILABLE).join(CentralStock, CentralStock.item_id == StockItem.id)
    if barcodes is not None:
        wanted = wanted.where(StockItem.barcode == func.any(list(barcodes)))
    return {barcode: int(pieces) for barcode, pieces in db.session.execute(wanted)}


def meant(barcodes: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Item and pieces by barcode, for those we keep, in one statement: a piece is one, a case several."""
    singles = select(StockItem.barcode, StockItem.id, literal(1)).where(StockItem.barcode == func.any(list(barcodes)))
    cases = select(CaseBarcode.barcode, CaseBarcode.item_id, CaseBarcode.pieces).where(
        CaseBarcode.barcode == func.any(list(barcodes))
    )
    return {
        barcode: (item_id, int(pieces)) for barcode, item_id, pieces in db.session.execute(union_all(singles, cases))
    }


def movements_of_act(key: str) -> list[StockMovement]:
    """What an act moved; nothing when it never was."""
    rows = select(StockMovement).where(StockMovement.act_key == key).order_by(StockMovement.id)
    return list(db.session.scalars(rows))


def kept(barcodes: Sequence[str]) -> dict[str, int]:
    """The items we keep, by the barcode on a single piece, in one statement."""
    rows = select(StockItem.barcode, StockItem.id).where(StockItem.barcode == func.any(list(barcodes)))
    return {barcode: item_id for barcode, item_id in db.session.execute(rows)}


def meant_without_spaces(barcodes: Sequence[str]) -> dict[str, tuple[int, int]]:
    """As `meant`, for barcodes somebody wrote down without the spaces we may keep in them."""
    found = meant(barcodes)
    rest = [barcode for barcode in barcodes if barcode not in found]
    if not rest:
        return found
    spaced = [
        *db.session.scalars(select(StockItem.barcode).where(*_spaced(StockItem.barcode, rest))),
        *db.session.scalars(select(CaseBarcode.barcode).where(*_spaced(CaseBarcode.barcode, rest))),
    ]
    return {**{barcode.replace(" ", ""): what for barcode, what in meant(spaced).items()}, **found}


def _spaced(barcode: Any, wanted: Sequence[str]) -> tuple[Any, Any]:
    return barcode.contains(" "), func.replace(barcode, " ", "").in_(list(wanted))


def barcodes_of(item_ids: Sequence[int]) -> dict[int, str]:
    """The barcodes on single pieces of these items."""
    rows = select(StockItem.id, StockItem.barcode).where(StockItem.id.in_(item_ids))
    return {item_id: barcode for item_id, barcode in db.session.execute(rows)}


def out_for(source: Source) -> dict[int, int]:
    """Pieces by item that left for an order and did not come back."""
    rows = (
        select(StockMovement.item_id, -func.sum(StockMovement.pieces))
        .where(StockMovement.source_kind == source.kind, StockMovement.source_key == source.key)
        .group_by(StockMovement.item_id)
    )
    return {item_id: int(pieces) for item_id, pieces in db.session.execute(rows) if pieces}


def oversold(item_ids: Sequence[int] | None = None) -> set[int]:
    """Items (all, or some of these) of which more is promised than is there."""
    rows = select(CentralStock.item_id).where(CentralStock.reserved > CentralStock.qty)
    return set(db.session.scalars(rows if item_ids is None else rows.where(CentralStock.item_id.in_(item_ids))))


def shelves_of(item_ids: Sequence[int]) -> dict[int, list[OnShelf]]:
    """Where pieces of these items lie, fullest shelf first, in one statement."""
    rows = (
        select(ShelfStock.item_id, ShelfStock.shelf_id, Shelf.code, ShelfStock.qty)
        .join(Shelf, Shelf.id == ShelfStock.shelf_id)
        .where(ShelfStock.item_id.in_(item_ids), ShelfStock.qty > 0)
        .order_by(ShelfStock.item_id, ShelfStock.qty.desc(), Shelf.code)
    )
    found = defaultdict[int, list[OnShelf]](list)
    for row in db.session.execute(rows):
        found[row.item_id].append(OnShelf(row.shelf_id, row.code, row.qty))
    return dict(found)


def case_barcodes(item_ids: Sequence[int]) -> list[CaseBarcode]:
    """The cases these items come in, so that a packing screen can know them without asking."""
    rows = select(CaseBarcode).where(CaseBarcode.item_id.in_(item_ids)).order_by(CaseBarcode.barcode)
    return list(db.session.scalars(rows))


def reservations_of(source: Source) -> list[Reservation]:
    """What an order, or one line of it, set aside; taken and let go ones as well."""
    rows = select(Reservation).where(Reservation.source_kind == source.kind, Reservation.source_key == source.key)
    if source.line:
        rows = rows.where(Reservation.line_key == source.line)
    rows = rows.order_by(Reservation.line_key, Reservation.id)
    return list(db.session.scalars(rows.execution_options(populate_existing=True)))


def open_orders() -> int:
    """How many orders have something set aside."""
    orders = (
        select(Reservation.source_kind, Reservation.source_key).where(Reservation.state == Reserved.OPEN).distinct()
    )
    return db.session.scalar(select(func.count()).select_from(orders.subquery())) or 0


def changes_overdue(seconds: int) -> bool:
    """Whether a change was noted so long ago and nobody took the note: the wake-up was lost."""
    old = select(StockChange.id).where(StockChange.noted_at <= DB_NOW - timedelta(seconds=seconds)).limit(1)
    return db.session.scalar(old) is not None


def _items() -> Select[Any]:
    return select(
        StockItem.id,
        StockItem.barcode,
        StockItem.name,
        CentralStock.qty,
        CentralStock.reserved,
        CentralStock.safety,
        AVAILABLE,
        OVERSOLD,
        CentralStock.updated_at,
    ).join(CentralStock, CentralStock.item_id == StockItem.id)
