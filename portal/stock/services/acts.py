"""How anything changes: an item's lock is taken, the act is written down once, and quantities follow movements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, text, tuple_
from sqlalchemy.dialects.postgresql import insert

from portal.core import clock
from portal.core.actor import Actor
from portal.core.database import db
from portal.stock import rules
from portal.stock.models import CentralStock, Shelf, ShelfStock, StockAct, StockItem, StockMovement
from portal.stock.services.refusals import Missing, SameKeyOtherGoods, Shortage, UnknownBarcode
from portal.stock.states import Moved

Place = tuple[int, int]  # item, shelf


class Source(NamedTuple):
    """The order something is for: which kind ("B2B", "TRENDYOL"), its key there, and its line where that matters."""

    kind: str
    key: str
    line: str = ""


NO_ORDER = Source("", "")


class Change(NamedTuple):
    """Pieces that come to a shelf (positive) or leave it (negative)."""

    type: Moved
    item_id: int
    shelf_id: int
    pieces: int


class Act(NamedTuple):
    """What somebody is doing: once per key, for an order or for none, and why."""

    key: str
    kind: str
    by: Actor
    because: str = ""
    source: Source = NO_ORDER


SHELVES_FOLLOW = text(
    """UPDATE shelf_stock s SET qty = s.qty + d.pieces
       FROM unnest(CAST(:items AS bigint[]), CAST(:shelves AS bigint[]), CAST(:pieces AS bigint[]))
         AS d(item_id, shelf_id, pieces)
       WHERE (s.item_id, s.shelf_id) = (d.item_id, d.shelf_id)"""
)
CENTRAL_FOLLOWS = text(
    """UPDATE central_stock c SET qty = c.qty + d.pieces, updated_at = clock_timestamp()
       FROM unnest(CAST(:items AS bigint[]), CAST(:pieces AS bigint[])) AS d(item_id, pieces)
       WHERE c.item_id = d.item_id"""
)


def lock(item_ids: Iterable[int]) -> None:
    """Everybody else who wants these items waits: always in the items' order, so nobody waits in a circle.

    One call per unit of work: locking other items later could meet somebody who locked them the other way round.
    Locking again what one holds already is harmless.
    """
    wanted = sorted(set(item_ids))
    rows = select(CentralStock.item_id).where(CentralStock.item_id.in_(wanted)).order_by(CentralStock.item_id)
    if len(db.session.scalars(rows.with_for_update()).all()) != len(wanted):
        raise UnknownBarcode(_l("One of these items is not kept here."))


def begin(act: Act, goods: Sequence[tuple[int, ...]]) -> bool:
    """Write the act down; False when it was already done with the same goods. Refuses the key for other goods.

    Somebody doing the same act at this moment is waited for: the key is the database's to give, and it gives it once.
    """
    said: list[dict[str, Any]] = [{"goods": list(line)} for line in sorted(goods)]
    row = {
        "kind": act.kind, "goods": said, "source_kind": act.source.kind, "source_key": act.source.key,
    }  # fmt: skip
    new = db.session.scalar(
        insert(StockAct)
        .values(key=act.key, **row, **_who(act), at=clock.now())
        .on_conflict_do_nothing(index_elements=[StockAct.key])
        .returning(StockAct.key)
    )
    if new is not None:
        return True
    known = db.session.get_one(StockAct, act.key, populate_existing=True)
    if {name: getattr(known, name) for name in row} != row:
        raise SameKeyOtherGoods(_l("This was already done, with other goods. Please look again."), key=act.key)
    return False


def write(act: Act, changes: Sequence[Change]) -> None:
    """Write the movements; shelves and central stock follow. The items are locked and the goods are there."""
    if not changes:
        return
    places = sorted({(c.item_id, c.shelf_id) for c in changes if c.pieces > 0})
    if places:
        rows = [{"item_id": item_id, "shelf_id": shelf_id} for item_id, shelf_id in places]
        db.session.execute(insert(ShelfStock).values(rows).on_conflict_do_nothing())
    on_shelves, in_all = Counter[Place](), Counter[int]()
    for change in changes:
        on_shelves[change.item_id, change.shelf_id] += change.pieces
        in_all[change.item_id] += change.pieces
    items, shelves = zip(*on_shelves, strict=True)
    by_shelf = {"items": list(items), "shelves": list(shelves), "pieces": list(on_shelves.values())}
    db.session.execute(SHELVES_FOLLOW, by_shelf)
    db.session.execute(CENTRAL_FOLLOWS, {"items": list(in_all), "pieces": list(in_all.values())})
    db.session.execute(insert(StockMovement), [_movement(act, change) for change in changes])


def movements_of(act: Act) -> list[StockMovement]:
    """The act's answer, the same every time it is asked: its movements."""
    rows = select(StockMovement).where(StockMovement.act_key == act.key).order_by(StockMovement.id)
    return list(db.session.scalars(rows))


def there(places: Iterable[Place]) -> dict[Place, int]:
    """Pieces on these shelves; what was never there is nothing."""
    wanted = list(places)
    rows = select(ShelfStock.item_id, ShelfStock.shelf_id, ShelfStock.qty).where(
        tuple_(ShelfStock.item_id, ShelfStock.shelf_id).in_(wanted)
    )
    found = {(item_id, shelf_id): qty for item_id, shelf_id, qty in db.session.execute(rows)}
    return {place: found.get(place, 0) for place in wanted}


def anywhere(act: Act, wanted: Mapping[int, int], beside: Mapping[Place, int]) -> Counter[Place]:
    """From which shelves to take so many pieces of each item; refuses when all shelves together have too few.

    `beside` is taken as well, and cannot be taken twice.
    """
    on_shelves: dict[int, dict[int, int]] = {item_id: {} for item_id in wanted}
    rows = select(ShelfStock.item_id, ShelfStock.shelf_id, ShelfStock.qty).where(ShelfStock.item_id.in_(wanted))
    for item_id, shelf_id, qty in db.session.execute(rows):
        on_shelves[item_id][shelf_id] = qty - beside.get((item_id, shelf_id), 0)
    missing = [
        Missing(item_id, db.session.get_one(StockItem, item_id).barcode, None, "", pieces, there)
        for item_id, pieces in sorted(wanted.items())
        if (there := sum(on_shelves[item_id].values())) < pieces
    ]
    if missing:
        raise Shortage(act.key, (act.source.kind, act.source.key), missing)
    return Counter(
        {
            (item_id, shelf_id): part
            for item_id, pieces in wanted.items()
            for shelf_id, part in rules.picks(pieces, on_shelves[item_id]).items()
        }
    )


def insist(act: Act, wanted: dict[Place, int]) -> None:
    """Refuse, naming what is missing where, unless everything wanted lies on its shelf."""
    on_shelves = there(wanted)
    short = {place: pieces for place, pieces in wanted.items() if on_shelves[place] < pieces}
    if not short:
        return
    names = _names(short)
    missing = [
        Missing(item_id, names[item_id, shelf_id][0], shelf_id, names[item_id, shelf_id][1], pieces, on_shelves[item_id, shelf_id])
        for (item_id, shelf_id), pieces in sorted(short.items())
    ]  # fmt: skip
    raise Shortage(act.key, (act.source.kind, act.source.key), missing)


def _names(places: Iterable[Place]) -> dict[Place, tuple[str, str]]:
    """Barcode and shelf code, for people."""
    return {
        (item_id, shelf_id): (
            db.session.get_one(StockItem, item_id).barcode,
            db.session.get_one(Shelf, shelf_id).code,
        )
        for item_id, shelf_id in places
    }


def _who(act: Act) -> dict[str, Any]:
    return {"actor": act.by.name, "actor_person_id": act.by.person_id, "because": act.because}


def _movement(act: Act, change: Change) -> dict[str, Any]:
    return {
        "idempotency_key": f"{act.key}:{change.item_id}:{change.shelf_id}",
        "act_key": act.key,
        "type": change.type.value,
        "item_id": change.item_id,
        "shelf_id": change.shelf_id,
        "pieces": change.pieces,
        "source_kind": act.source.kind,
        "source_key": act.source.key,
        **_who(act),
        "at": clock.now(),
    }
