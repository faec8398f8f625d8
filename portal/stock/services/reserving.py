"""Goods set aside for orders, so that nobody else can sell them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Select, select, text, true, update
from sqlalchemy.dialects.postgresql import insert

from portal.core.actor import SYSTEM, Actor
from portal.core.database import DB_NOW, db
from portal.core.i18n import noted
from portal.stock.models import CentralStock, Reservation, StockItem
from portal.stock.rules import Level
from portal.stock.services import acts
from portal.stock.services.acts import Source
from portal.stock.services.changes import tell
from portal.stock.services.refusals import NotEnoughStock, SourceReservedOther, counted
from portal.stock.states import RESERVATION, Reserved

EXPIRED_AT_A_TIME = 500
NO_LONGER_PROMISED = text(
    """UPDATE central_stock c SET reserved = c.reserved - d.pieces, updated_at = clock_timestamp()
       FROM unnest(CAST(:items AS bigint[]), CAST(:pieces AS bigint[])) AS d(item_id, pieces)
       WHERE c.item_id = d.item_id"""
)


class Wish(NamedTuple):
    """So many pieces of an item, for one line of an order."""

    item_id: int
    pieces: int
    line: str = ""


def reserve(
    item_id: int,
    pieces: int,
    source: Source,
    *,
    by: Actor = SYSTEM,
    even_if_short: bool = False,
    expires_at: datetime | None = None,
) -> Reservation:
    """Set goods aside for one order line; the same line again answers the same reservation. See `reserve_all`."""
    wish = Wish(item_id, pieces, source.line)
    return reserve_all([wish], source, by=by, even_if_short=even_if_short, expires_at=expires_at)[0]


def reserve_all(
    wishes: Sequence[Wish],
    source: Source,
    *,
    by: Actor = SYSTEM,
    even_if_short: bool = False,
    expires_at: datetime | None = None,
) -> list[Reservation]:
    """Set the goods of an order aside, all lines or none; answered in the order of the wishes.

    Refuses what is not free. `even_if_short` is for marketplaces, which have sold already: they are promised what they
    sold whatever is there, and the item is then oversold.
    """
    acts.lock(wish.item_id for wish in wishes)
    known = {reservation.line_key: reservation for reservation in _lines(source, [wish.line for wish in wishes])}
    for wish in wishes:
        if wish.line not in known:
            _set_aside(wish, even_if_short=even_if_short)
            known[wish.line] = _promise(wish, source, by=by, expires_at=expires_at)
        elif (known[wish.line].item_id, known[wish.line].pieces) != (wish.item_id, wish.pieces):
            raise SourceReservedOther(known[wish.line])
    tell()
    return [known[wish.line] for wish in wishes]


def keep(
    wishes: Sequence[Wish],
    source: Source,
    *,
    because: str,
    by: Actor = SYSTEM,
    even_if_short: bool = False,
    expires_at: datetime | None = None,
    held: bool = False,
) -> None:
    """From now on exactly so many pieces of each line are set aside, beyond what the line has taken already.

    Said as a level: said again, it changes nothing. More than before is refused where it is not free; less, or none,
    lets the rest go; what had run out or was let go is set aside anew. `held`: the caller holds the items already.
    """
    if not held:
        acts.lock(wish.item_id for wish in wishes)
    known = {reservation.line_key: reservation for reservation in _lines(source, [wish.line for wish in wishes])}
    freed = Counter[int]()
    for wish in wishes:
        reservation = known.get(wish.line)
        if reservation is None:
            if wish.pieces:
                _set_aside(wish, even_if_short=even_if_short)
                _promise(wish, source, by=by, expires_at=expires_at)
            continue
        if reservation.item_id != wish.item_id:
            raise SourceReservedOther(reservation)
        more = wish.pieces - reservation.left
        if more > 0:
            _set_aside(wish._replace(pieces=more), even_if_short=even_if_short)
            RESERVATION.move(reservation, Reserved.OPEN, actor=by, reason=because, pieces=reservation.pieces + more)
        elif more < 0:
            freed[reservation.item_id] += _let_go(reservation, -more, by=by, because=because)
        reservation.expires_at = expires_at
    db.session.flush()
    _free(freed)


def release(source: Source, *, still_wanted: int = 0, by: Actor = SYSTEM, because: str) -> int:
    """An order, or one line of it, no longer wants what is set aside; answers how many pieces became free.

    `still_wanted` is for a partial cancellation: what the line wants from now on in all, with what was already taken.
    Said as a level and not as a difference, so that hearing of the same cancellation twice is harmless.
    """
    assert not still_wanted or source.line, "part of an order is let go line by line"
    freed = Counter[int]()
    for reservation in _locked(_of(source)):
        part = min(reservation.left, reservation.taken + reservation.left - counted(still_wanted, least=0))
        if part > 0:
            freed[reservation.item_id] += _let_go(reservation, part, by=by, because=because)
    _free(freed)
    return freed.total()


def expire(now: datetime) -> int:
    """What was set aside until now becomes free again; answers how many reservations ran out, at most 500 at a time."""
    due = select(Reservation).where(Reservation.expires_at <= now).order_by(Reservation.expires_at, Reservation.id)
    # Asked again once the items are ours: the order may have been paid while we waited.
    run_out = [r for r in _locked(due.limit(EXPIRED_AT_A_TIME)) if r.expires_at is not None and r.expires_at <= now]
    freed = Counter[int]()
    for reservation in run_out:
        part = reservation.left
        also = {"released": reservation.released + part}
        RESERVATION.move(reservation, Reserved.EXPIRED, actor=SYSTEM, reason=noted("ran out"), **also)
        freed[reservation.item_id] += part
    _free(freed)
    return len(run_out)


def _let_go(reservation: Reservation, part: int, *, by: Actor, because: str) -> int:
    """So many of its pieces are no longer wanted; the same number, for whoever counts."""
    to = Reserved.OPEN if part < reservation.left else Reserved.TAKEN if reservation.taken else Reserved.RELEASED
    RESERVATION.move(reservation, to, actor=by, reason=because, released=reservation.released + part)
    return part


def _lines(source: Source, lines: Sequence[str]) -> Sequence[Reservation]:
    """What these lines of the order have set aside, whatever became of it."""
    rows = _of(source._replace(line="")).where(Reservation.line_key.in_(lines))
    return db.session.scalars(rows.execution_options(populate_existing=True)).all()


def _promise(wish: Wish, source: Source, *, by: Actor, expires_at: datetime | None) -> Reservation:
    """Write the promise down. The same line promised at this moment for another item is refused by the database."""
    reservation: Reservation | None = db.session.scalar(
        insert(Reservation)
        .values(
            item_id=wish.item_id,
            source_kind=source.kind,
            source_key=source.key,
            line_key=wish.line,
            pieces=wish.pieces,
            expires_at=expires_at,
        )
        .on_conflict_do_nothing(constraint="a_line_is_promised_once")
        .returning(Reservation)
    )
    if reservation is None:
        raise SourceReservedOther(_lines(source, [wish.line])[0])
    RESERVATION.begin(reservation, actor=by, reason=noted("set aside"))
    return reservation


def _set_aside(wish: Wish, *, even_if_short: bool) -> None:
    """One conditional UPDATE: promised only while it is free."""
    free_enough = CentralStock.qty - CentralStock.reserved >= counted(wish.pieces)
    promised = db.session.scalar(
        update(CentralStock)
        .where(CentralStock.item_id == wish.item_id, true() if even_if_short else free_enough)
        .values(reserved=CentralStock.reserved + wish.pieces, updated_at=DB_NOW)
        .returning(CentralStock.item_id)
        .execution_options(synchronize_session=False)
    )
    if promised is None:
        row = db.session.execute(
            select(StockItem.barcode, CentralStock.qty, CentralStock.reserved)
            .join(CentralStock, CentralStock.item_id == StockItem.id)
            .where(StockItem.id == wish.item_id)
        ).one()
        raise NotEnoughStock(row.barcode, wanted=wish.pieces, free=Level(row.qty, row.reserved).free)


def _free(freed: Counter[int]) -> None:
    """So many pieces of each item are no longer promised."""
    if freed:
        db.session.execute(NO_LONGER_PROMISED, {"items": list(freed), "pieces": list(freed.values())})
        tell()


def _of(source: Source) -> Select[Reservation]:
    """The reservations of an order, or of one line of it."""
    rows = select(Reservation).where(Reservation.source_kind == source.kind, Reservation.source_key == source.key)
    return rows.where(Reservation.line_key == source.line) if source.line else rows


def _locked(rows: Select[Reservation]) -> list[Reservation]:
    """The open ones of these, with their items locked; read again afterwards, for somebody may have been faster."""
    still_open = rows.where(Reservation.state == Reserved.OPEN)
    seen = db.session.scalars(still_open).all()
    if not seen:
        return []
    acts.lock(reservation.item_id for reservation in seen)
    return _reread(select(Reservation).where(Reservation.id.in_([reservation.id for reservation in seen])))


def _reread(rows: Select[Reservation]) -> list[Reservation]:
    """The open ones of these as they are now, line by line."""
    still_open = rows.where(Reservation.state == Reserved.OPEN).order_by(Reservation.line_key, Reservation.id)
    return list(db.session.scalars(still_open.execution_options(populate_existing=True)))
