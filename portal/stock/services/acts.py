"""How anything changes: an item's lock is taken, the act is written down once, and quantities follow movements."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert

from portal.core import clock
from portal.core.actor import Actor
from portal.core.database import db
from portal.stock.models import CentralStock, Shelf, ShelfStock, StockAct, StockItem, StockMovement
from portal.stock.services.changes import tell
from portal.stock.services.refusals import Missing, SameKeyOtherGoods, Shortage, UnknownBarcode
from portal.stock.states import Moved

Place = tuple[int, int]  # item, shelf
OnShelves = defaultdict[int, dict[int, int]]  # by item: by shelf, pieces


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


def lock_barcodes(barcodes: Sequence[str]) -> dict[str, int]:
    """As `lock`, for whoever knows the barcodes on single pieces: the items of those we keep, locked and named."""
    rows = select(StockItem.barcode, CentralStock.item_id).join(StockItem, StockItem.id == CentralStock.item_id)
    wanted = rows.where(StockItem.barcode == func.any(list(barcodes))).order_by(CentralStock.item_id)
    return {barcode: item_id for barcode, item_id in db.session.execute(wanted.with_for_update(of=CentralStock))}


def begin(act: Act, goods: Sequence[tuple[int, ...]]) -> bool:
    """Write the act down; False when it was already done with the same goods. Refuses the key for other goods.

    Somebody doing the same act at this moment is waited for: the key is the database's to give, and it gives it once.
    """
    new = db.session.scalar(
        insert(StockAct)
        .values(key=act.key, **_facts(act, goods), **_who(act), at=clock.now())
        .on_conflict_do_nothing(index_elements=[StockAct.key])
        .returning(StockAct.key)
    )
    if new is None:
        insist_same(act, goods)
    return new is not None


def insist_same(act: Act, goods: Sequence[tuple[int, ...]]) -> None:
    """The act is known: refuse its key for other goods."""
    known = db.session.get_one(StockAct, act.key, populate_existing=True)
    facts = _facts(act, goods)
    if {name: getattr(known, name) for name in facts} != facts:
        raise SameKeyOtherGoods(_l("This was already done, with other goods. Please look again."), key=act.key)


def goods_json(goods: Sequence[tuple[int, ...]]) -> str:
    """The goods of an act as they are kept."""
    return msgspec.json.encode(_said(goods)).decode()


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
    tell()


def movements_of(act: Act) -> list[StockMovement]:
    """The act's answer, the same every time it is asked: its movements."""
    rows = select(StockMovement).where(StockMovement.act_key == act.key).order_by(StockMovement.id)
    return list(db.session.scalars(rows))


def on_shelves_of(item_ids: Iterable[int]) -> OnShelves:
    """Where pieces of these items lie."""
    found: OnShelves = defaultdict(dict)
    rows = select(ShelfStock.item_id, ShelfStock.shelf_id, ShelfStock.qty)
    for item_id, shelf_id, qty in db.session.execute(rows.where(ShelfStock.item_id.in_(list(item_ids)))):
        found[item_id][shelf_id] = qty
    return found


def insist(act: Act, wanted: Mapping[Place, int], on_shelves: OnShelves) -> None:
    """Refuse, naming what is missing where, unless everything wanted lies on its shelf."""
    there = {place: on_shelves[place[0]].get(place[1], 0) for place in wanted}
    short = {place: pieces for place, pieces in wanted.items() if there[place] < pieces}
    if short:
        names = _names(short)
        missing = [
            Missing(place[0], names[place][0], place[1], names[place][1], pieces, there[place])
            for place, pieces in sorted(short.items())
        ]
        raise Shortage(act.key, (act.source.kind, act.source.key), missing)


def insist_anywhere(act: Act, wanted: Mapping[int, int], there: Mapping[int, int]) -> None:
    """Refuse, naming what is missing, unless all shelves together have enough."""
    missing = [
        Missing(item_id, db.session.get_one(StockItem, item_id).barcode, None, "", pieces, there[item_id])
        for item_id, pieces in sorted(wanted.items())
        if there[item_id] < pieces
    ]
    if missing:
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


def _said(goods: Sequence[tuple[int, ...]]) -> list[dict[str, Any]]:
    return [{"goods": list(line)} for line in sorted(goods)]


def _facts(act: Act, goods: Sequence[tuple[int, ...]]) -> dict[str, Any]:
    return {
        "kind": act.kind, "goods": _said(goods), "source_kind": act.source.kind, "source_key": act.source.key,
    }  # fmt: skip


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
