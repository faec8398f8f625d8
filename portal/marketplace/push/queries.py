"""What the pages about pushes ask."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, case, column, func, or_, select, table, text
from sqlalchemy.sql.selectable import Subquery

from portal.core import clock
from portal.core.database import db
from portal.marketplace.push.models import (
    StockPushBatch,
    StockPushItem,
    StockPushLog,
    StorefrontListing,
    StorefrontTurn,
)
from portal.marketplace.push.states import Became, Standing

# The stock's face for joins, and the item's name: the tables belong to the stock.
LEVEL = table("stock_level", column("item_id"), column("available"), column("free"), column("qty"), column("reserved"))
ITEM = table("stock_item", column("id"), column("name"))

OVERDUE = text(
    """SELECT EXISTS (SELECT FROM storefront_listing l LEFT JOIN storefront_turn t USING (storefront)
         WHERE l.due_at <= :long_ago AND l.ask_at IS NULL AND NOT l.needs_person AND l.on_sale
           AND (t.pause_until IS NULL OR t.pause_until <= :now)
           AND (t.lease_until IS NULL OR t.lease_until < clock_timestamp()))
       OR EXISTS (SELECT FROM storefront_listing WHERE ask_at <= :long_ago)
       OR EXISTS (SELECT FROM stock_push_batch WHERE state = 'WAITING' AND poll_at <= :long_ago)
       OR EXISTS (SELECT FROM storefront_turn WHERE full_asked OR (push_id IS NOT NULL AND lease_until < clock_timestamp()))"""
)


class PushRow(NamedTuple):
    """One push in the log, and what became of its barcodes."""

    id: int
    storefront: str
    kind: str
    push_time: datetime
    total_items: int
    total_quantity: int
    reserved_quantity: int
    batch_count: int
    success: bool | None
    error_message: str
    duration_seconds: Decimal | None
    accepted: int
    rejected: int
    open: int


class ListingRow(NamedTuple):
    """One barcode on one storefront. `exposure` is the item's, over all storefronts; pieces."""

    id: int
    storefront: str
    barcode: str
    name: str
    wanted: int
    sent: int | None
    sent_at: datetime | None
    believed: int | None
    believed_at: datetime | None
    rejection: str
    rejected_at: datetime | None
    attempts: int
    due_at: datetime | None
    exposure: int
    standing: str


def overdue(seconds: int) -> bool:
    """Whether something about pushes has been due for so long and nobody took it."""
    now = clock.now()
    return bool(db.session.scalar(OVERDUE, {"now": now, "long_ago": now - timedelta(seconds=seconds)}))


def pushes(storefront: str = "", outcome: str = "") -> Select[Any]:
    """The log, newest first; `outcome` is "good", "bad" or nothing. The caller pages."""
    became = (
        select(
            func.count().filter(StockPushItem.result.in_((Became.ACCEPTED, Became.ASKED))).label("accepted"),
            func.count().filter(StockPushItem.result == Became.REJECTED).label("rejected"),
            func.count().filter(StockPushItem.result.is_(None)).label("open"),
        )
        .join(StockPushBatch, StockPushBatch.id == StockPushItem.batch_id)
        .where(StockPushBatch.push_id == StockPushLog.id)
        .lateral()
    )
    names = [name for name in PushRow._fields if name not in ("accepted", "rejected", "open")]
    wanted = select(
        *[getattr(StockPushLog, name) for name in names], became.c.accepted, became.c.rejected, became.c.open
    )
    wanted = wanted.select_from(StockPushLog).join(became, text("true")).order_by(StockPushLog.id.desc())
    if storefront:
        wanted = wanted.where(StockPushLog.storefront == storefront)
    if outcome:
        wanted = wanted.where(StockPushLog.success.is_(outcome == "good"))
    return wanted


def listings(storefront: str = "", standing: str = "", words: str = "") -> Select[Any]:
    """Barcodes on storefronts: the most exposed first, then the scarcest. The caller pages."""
    exposed = exposures()
    now_standing, pieces = _standing(), func.coalesce(exposed.c.exposure, 0)
    wanted = (
        select(
            *[getattr(StorefrontListing, name) for name in ("id", "storefront", "barcode")],
            ITEM.c.name,
            LEVEL.c.available,
            *[getattr(StorefrontListing, name) for name in ListingRow._fields[5:13]],
            pieces.label("exposure"),
            now_standing.label("standing"),
        )
        .join(ITEM, ITEM.c.id == StorefrontListing.item_id)
        .join(LEVEL, LEVEL.c.item_id == StorefrontListing.item_id)
        .outerjoin(exposed, exposed.c.item_id == StorefrontListing.item_id)
        .order_by(pieces.desc(), LEVEL.c.available, StorefrontListing.barcode, StorefrontListing.id)
    )
    if storefront:
        wanted = wanted.where(StorefrontListing.storefront == storefront)
    if standing == "EXPOSED":
        wanted = wanted.where(exposed.c.exposure > 0)
    elif standing:
        wanted = wanted.where(now_standing == standing)
    if words:
        found = or_(
            StorefrontListing.barcode.icontains(words, autoescape=True), ITEM.c.name.icontains(words, autoescape=True)
        )
        wanted = wanted.where(found)
    return wanted


def exposures() -> Subquery:
    """Oversell exposure by item, where there is any: what storefronts may sell in all beyond what is free now.

    Per storefront the highest number it may believe counts: what it is known to believe, or one still on its way. The
    rule is `rules.exposure`; a test compares the two. It is more than nothing for a moment after every sale, for as
    long as two storefronts share the same pieces, and for as long as somebody rejects a lower number.
    """
    on_its_way = (
        select(StockPushItem.listing_id, func.max(StockPushItem.quantity).label("pieces"))
        .where(StockPushItem.result.is_(None))
        .group_by(StockPushItem.listing_id)
        .subquery()
    )
    may = func.greatest(func.coalesce(StorefrontListing.believed, 0), func.coalesce(on_its_way.c.pieces, 0))
    believed = (
        select(StorefrontListing.item_id, func.sum(may).label("pieces"))
        .outerjoin(on_its_way, on_its_way.c.listing_id == StorefrontListing.id)
        .group_by(StorefrontListing.item_id)
        .subquery()
    )
    beyond = believed.c.pieces - LEVEL.c.free
    return (
        select(believed.c.item_id, beyond.label("exposure"))
        .join(LEVEL, LEVEL.c.item_id == believed.c.item_id)
        .where(beyond > 0)
        .subquery()
    )


def exposure_in_all() -> tuple[int, int]:
    """Pieces exposed over all items, and how many items."""
    exposed = exposures()
    pieces, items = db.session.execute(
        select(func.coalesce(func.sum(exposed.c.exposure), 0), func.count()).select_from(exposed)
    ).one()
    return int(pieces), items


def counts() -> dict[str, int]:
    """How many listings stand how."""
    standing = _standing()
    rows = db.session.execute(
        select(standing, func.count())
        .select_from(StorefrontListing)
        .join(LEVEL, LEVEL.c.item_id == StorefrontListing.item_id)
        .group_by(standing)
    )
    return {name: number for name, number in rows}


def turns() -> Sequence[StorefrontTurn]:
    """How each storefront stands: pushing, left alone for a while, last compared."""
    return db.session.scalars(select(StorefrontTurn).order_by(StorefrontTurn.storefront)).all()


def push_rows(wanted: Select[Any]) -> list[PushRow]:
    """Run a log query."""
    return [PushRow(*row) for row in db.session.execute(wanted)]


def listing_rows(wanted: Select[Any]) -> list[ListingRow]:
    """Run a listing query."""
    return [ListingRow(*row) for row in db.session.execute(wanted)]


def _standing() -> ColumnElement[str]:
    row = StorefrontListing
    open_item = select(StockPushItem.listing_id).where(
        StockPushItem.listing_id == row.id, StockPushItem.result.is_(None)
    )
    return case(
        (~row.on_sale, Standing.OFF.value),
        (row.needs_person, Standing.PERSON.value),
        # Asked as a matter of routine, a settled listing is not in doubt.
        (
            and_(row.ask_at.is_not(None), or_(open_item.exists(), row.expected.is_distinct_from(row.believed))),
            Standing.ASKED.value,
        ),
        (and_(row.rejection != "", row.due_at.is_not(None)), Standing.REJECTED.value),
        (row.due_at.is_not(None), Standing.WAITS.value),
        (open_item.exists(), Standing.ON_ITS_WAY.value),
        (row.expected.is_(None), Standing.WAITS.value),
        else_=Standing.AGREES.value,
    )
