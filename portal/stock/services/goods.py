"""Goods that come, move, come back and are counted. Every service answers the movements of its act; again with its key, the same."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from portal.core import clock
from portal.core.actor import Actor
from portal.core.database import db
from portal.core.errors import BadInput
from portal.stock.models import StockMovement, StockShortage
from portal.stock.services import acts
from portal.stock.services.acts import Act, Change, Source
from portal.stock.services.refusals import MoreThanTaken, Shortage, counted
from portal.stock.states import Moved


def receive(item_id: int, shelf_id: int, pieces: int, *, key: str, by: Actor, because: str = "") -> list[StockMovement]:
    """Goods are put on a shelf: the shelf and the central stock rise."""
    act = Act(key, "RECEIVE", by, because)
    return _put(act, Change(Moved.IN, item_id, shelf_id, counted(pieces)))


def count(item_id: int, shelf_id: int, found: int, *, key: str, by: Actor, because: str) -> list[StockMovement]:
    """Somebody counted the shelf: the difference becomes a movement. When there is none, only the act is kept."""
    act = Act(key, "COUNT", by, because)
    acts.lock([item_id])
    if acts.begin(act, [(item_id, shelf_id, counted(found, least=0))]):
        believed = acts.on_shelves_of([item_id])[item_id].get(shelf_id, 0)
        if found != believed:
            acts.write(act, [Change(Moved.COUNT, item_id, shelf_id, found - believed)])
    return acts.movements_of(act)


def transfer(
    item_id: int, from_shelf_id: int, to_shelf_id: int, pieces: int, *, key: str, by: Actor, because: str = ""
) -> list[StockMovement]:
    """Pieces move from one shelf to another; we have as many as before."""
    if from_shelf_id == to_shelf_id:
        raise BadInput(fields={"to_shelf": _l("Choose another shelf.")})
    act = Act(key, "TRANSFER", by, because)
    acts.lock([item_id])
    if acts.begin(act, [(item_id, from_shelf_id, to_shelf_id, counted(pieces))]):
        acts.insist(act, {(item_id, from_shelf_id): pieces}, acts.on_shelves_of([item_id]))
        away = Change(Moved.TRANSFER_OUT, item_id, from_shelf_id, -pieces)
        here = Change(Moved.TRANSFER_IN, item_id, to_shelf_id, pieces)
        acts.write(act, [away, here])
    return acts.movements_of(act)


def give_back(
    item_id: int, shelf_id: int, pieces: int, *, source: Source, key: str, by: Actor, because: str
) -> list[StockMovement]:
    """Goods taken for an order lie on a shelf again. Never more than the order took."""
    act = Act(key, "GIVE_BACK", by, because, Source(source.kind, source.key))
    acts.lock([item_id])
    if acts.begin(act, [(item_id, shelf_id, counted(pieces))]):
        out = _still_out(act.source, item_id)
        if pieces > out:
            raise MoreThanTaken(_l("Only %(out)s pieces of this order are out.", out=out), out=out, wanted=pieces)
        acts.write(act, [Change(Moved.RETURN, item_id, shelf_id, pieces)])
    return acts.movements_of(act)


def note_shortage(short: Shortage, *, by: Actor) -> None:
    """Write down what was not there. In a unit of its own: the refused one was rolled back."""
    kind, source_key = short.source
    db.session.add_all(
        StockShortage(
            act_key=short.act_key,
            item_id=missing.item_id,
            shelf_id=missing.shelf_id,
            wanted=missing.wanted,
            there=missing.there,
            source_kind=kind,
            source_key=source_key,
            actor=by.name,
            actor_person_id=by.person_id,
            at=clock.now(),
        )
        for missing in short.missing
    )
    db.session.flush()


def _put(act: Act, change: Change) -> list[StockMovement]:
    acts.lock([change.item_id])
    if acts.begin(act, [(change.item_id, change.shelf_id, change.pieces)]):
        acts.write(act, [change])
    return acts.movements_of(act)


def _still_out(source: Source, item_id: int) -> int:
    """Pieces of the item that went out for the order and did not come back."""
    moved = db.session.scalar(
        select(func.coalesce(func.sum(StockMovement.pieces), 0)).where(
            StockMovement.source_kind == source.kind,
            StockMovement.source_key == source.key,
            StockMovement.item_id == item_id,
        )
    )
    return -int(moved or 0)
