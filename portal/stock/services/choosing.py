"""From which shelves goods are taken: where the packer said, and the rest from wherever it lies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from flask_babel import lazy_gettext as _l

from portal.core.errors import BadInput
from portal.stock import rules
from portal.stock.services import acts
from portal.stock.services.acts import Act, OnShelves, Place
from portal.stock.services.refusals import counted


class Pick(NamedTuple):
    """So many pieces of an item from a shelf."""

    item_id: int
    shelf_id: int
    pieces: int


def anywhere(act: Act, wanted: Counter[int], on_shelves: OnShelves, beside: Counter[Place]) -> Counter[Place]:
    """From which shelves to take so many pieces of each item; refuses when all shelves together have too few.

    `beside` is taken as well, and cannot be taken twice.
    """
    free = {
        item_id: {shelf_id: qty - beside[item_id, shelf_id] for shelf_id, qty in on_shelves[item_id].items()}
        for item_id in wanted
    }
    acts.insist_anywhere(act, wanted, {item_id: sum(shelves.values()) for item_id, shelves in free.items()})
    return Counter(
        {
            (item_id, shelf_id): part
            for item_id, pieces in wanted.items()
            for shelf_id, part in rules.picks(pieces, free[item_id]).items()
        }
    )


def chosen(picks: Sequence[Pick], goods: Mapping[int, int]) -> Counter[Place]:
    """What the packer said about shelves; refuses more than there is to take."""
    picked = Counter[Place]()
    for pick in picks:
        picked[pick.item_id, pick.shelf_id] += counted(pick.pieces)
    if any(pieces > goods.get(item_id, 0) for item_id, pieces in by_item(picked).items()):
        raise BadInput(_l("More was picked than has to go."))
    return picked


def by_item(wanted: Counter[Place]) -> Counter[int]:
    """Pieces of each item, from whatever shelves."""
    in_all = Counter[int]()
    for (item_id, _shelf_id), pieces in wanted.items():
        in_all[item_id] += pieces
    return in_all
