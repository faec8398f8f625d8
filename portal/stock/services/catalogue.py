"""What we keep, and where it can be kept."""

from __future__ import annotations

from typing import NamedTuple

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from portal.core import audit
from portal.core.actor import Actor
from portal.core.database import DB_NOW, db
from portal.core.errors import BadInput
from portal.stock.models import CaseBarcode, CentralStock, Shelf, StockItem
from portal.stock.services.refusals import BarcodeInUse, ShelfExists, UnknownBarcode, UnknownShelf, counted

LONGEST_CODE = 100


class Scanned(NamedTuple):
    """What one scan means: so many pieces of an item; a case means several."""

    item: StockItem
    pieces: int


def item_of(barcode: str) -> Scanned:
    """What a barcode stands for: one piece, or a case of several. Refuses what we do not keep."""
    item = db.session.scalar(select(StockItem).where(StockItem.barcode == barcode.strip()))
    if item:
        return Scanned(item, 1)
    case = db.session.get(CaseBarcode, barcode.strip())
    if case is None:
        raise UnknownBarcode(_l("We keep nothing with the barcode %(barcode)s.", barcode=barcode[:LONGEST_CODE]))
    return Scanned(db.session.get_one(StockItem, case.item_id), case.pieces)


def shelf_of(code: str) -> Shelf:
    """The shelf a code stands for."""
    shelf = db.session.scalar(select(Shelf).where(Shelf.code == code.strip()))
    if shelf is None:
        raise UnknownShelf(_l("There is no shelf %(shelf)s.", shelf=code[:LONGEST_CODE]))
    return shelf


def add_item(barcode: str, name: str, *, safety: int = 0) -> StockItem:
    """Begin to keep an item; `safety` pieces of it are never offered to marketplaces."""
    if not name.strip():
        raise BadInput(fields={"name": _l("Say what it is.")})
    barcode = _new_barcode(barcode)
    item = StockItem(barcode=barcode, name=name.strip())
    db.session.add(item)
    db.session.flush()
    db.session.add(CentralStock(item_id=item.id, safety=counted(safety, least=0)))
    db.session.flush()
    return item


def add_case(item: StockItem, barcode: str, pieces: int) -> CaseBarcode:
    """A case with a barcode of its own holds so many pieces of the item."""
    case = CaseBarcode(barcode=_new_barcode(barcode), item_id=item.id, pieces=counted(pieces, least=2))
    db.session.add(case)
    db.session.flush()
    return case


def add_shelf(code: str) -> Shelf:
    """A new place in the warehouse."""
    code = _scannable(code, field="shelf")
    added: Shelf | None = db.session.scalar(
        insert(Shelf).values(code=code).on_conflict_do_nothing(index_elements=[Shelf.code]).returning(Shelf)
    )
    if added is None:
        raise ShelfExists(_l("There is already a shelf %(shelf)s.", shelf=code))
    return added


def shelf_for(code: str) -> Shelf:
    """The shelf a code stands for; made when there is none yet."""
    db.session.execute(insert(Shelf).values(code=code).on_conflict_do_nothing(index_elements=[Shelf.code]))
    return shelf_of(code)


def set_safety(item: StockItem, pieces: int, *, by: Actor, because: str) -> None:
    """Hold so many pieces back from marketplaces."""
    held_back = counted(pieces, least=0)
    db.session.execute(
        update(CentralStock)
        .where(CentralStock.item_id == item.id)
        .values(safety=held_back, updated_at=DB_NOW)
        .execution_options(synchronize_session=False)
    )
    audit.write_down("stock_safety_set", by=by, about=("stock_item", item.id), pieces=held_back, because=because)


def _new_barcode(barcode: str) -> str:
    """A barcode nobody uses yet, for an item or a case; two people adding the same one wait for each other."""
    barcode = _scannable(barcode, field="barcode")
    db.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"barcode {barcode}", 0))))
    used = select(StockItem.barcode).where(StockItem.barcode == barcode)
    if db.session.scalar(used) or db.session.get(CaseBarcode, barcode):
        raise BarcodeInUse(_l("The barcode %(barcode)s is already in use.", barcode=barcode))
    return barcode


def _scannable(code: str, *, field: str) -> str:
    code = code.strip()
    if not code or len(code) > LONGEST_CODE or not code.isprintable():
        raise BadInput(fields={field: _l("A barcode of at most %(most)s characters.", most=LONGEST_CODE)})
    return code
