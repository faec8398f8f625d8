"""What is done with the stock. Nobody else writes its tables.

Locks: every service locks its items first and in their order. A unit of work that touches several items names them in
one call (`reserve_all`, `take`), so that two units can never wait for each other.
"""

from portal.stock.services.acts import Source
from portal.stock.services.acts import lock as hold_items
from portal.stock.services.acts import lock_barcodes as hold_barcodes
from portal.stock.services.catalogue import (
    Scanned,
    add_case,
    add_item,
    add_shelf,
    item_of,
    set_safety,
    shelf_for,
    shelf_of,
)
from portal.stock.services.changes import take_changed
from portal.stock.services.choosing import Pick
from portal.stock.services.goods import count, give_back, note_shortage, receive, transfer
from portal.stock.services.refusals import (
    BarcodeInUse,
    Missing,
    MoreThanTaken,
    NotEnoughStock,
    SameKeyOtherGoods,
    ShelfExists,
    Shortage,
    SourceReservedOther,
    UnknownBarcode,
    UnknownShelf,
)
from portal.stock.services.reserving import Wish, expire, keep, release, reserve, reserve_all
from portal.stock.services.taking import take, take_wherever

__all__ = [
    "BarcodeInUse",
    "Missing",
    "MoreThanTaken",
    "NotEnoughStock",
    "Pick",
    "SameKeyOtherGoods",
    "Scanned",
    "ShelfExists",
    "Shortage",
    "Source",
    "SourceReservedOther",
    "UnknownBarcode",
    "UnknownShelf",
    "Wish",
    "add_case",
    "add_item",
    "add_shelf",
    "count",
    "expire",
    "give_back",
    "hold_barcodes",
    "hold_items",
    "item_of",
    "keep",
    "note_shortage",
    "receive",
    "release",
    "reserve",
    "reserve_all",
    "set_safety",
    "shelf_for",
    "shelf_of",
    "take",
    "take_changed",
    "take_wherever",
    "transfer",
]
