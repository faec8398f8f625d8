"""What is done with the stock. Nobody else writes its tables.

Locks: every service locks its items first and in their order. A unit of work that touches several items names them in
one call (`reserve_all`, `take`), so that two units can never wait for each other.
"""

from portal.stock.services.acts import Source
from portal.stock.services.acts import lock as hold_still
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
from portal.stock.services.goods import Pick, count, give_back, note_shortage, receive, take, take_wherever, transfer
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
    "hold_still",
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
    "take_wherever",
    "transfer",
]
