"""What is to be packed now, whatever it is: parcels sellers prepared and packages marketplaces sold, ship-by first."""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

from flask import current_app
from sqlalchemy import Date as SqlDate
from sqlalchemy import Select, Text, cast, func, literal, literal_column, select, type_coerce

from portal.accounts.models import Organisation
from portal.core.web import Paged, paged
from portal.orders.models import Order
from portal.packing import queries as packing_queries
from portal.packing.queries import Progress
from portal.packing.states import Source
from portal.shipping.models import Shipment
from portal.shipping.states import Parcel


class QueueRow(NamedTuple):
    """One thing to pack."""

    source: str
    source_id: int
    number: str
    barcode: str
    receiver: str
    origin: str
    pieces: int
    ship_by_on: date | None


class Waiting(NamedTuple):
    """A row of the queue and how far it is, if packing has begun."""

    row: QueueRow
    progress: Progress | None


PIECES = literal_column(
    "(SELECT coalesce(sum((i->>'quantity')::bigint), 0) FROM jsonb_array_elements(shipment.items) AS i)"
)


def waiting(words: str = "") -> Paged[Any]:
    """The queue, one page of it, with who is on what; in four statements whatever its length."""
    page = paged(_found(words), row=QueueRow)
    known = packing_queries.progress([(Source(row.source), row.source_id) for row in page.rows])
    page.rows = [Waiting(row, known.get((row.source, row.source_id))) for row in page.rows]
    return page


def meant_by(code: str) -> QueueRow | None:
    """The one thing a scanned order or parcel barcode means; nothing when it means none or several."""
    words = code.strip()
    found = paged(_found(words), row=QueueRow).rows if words else []
    exact = [row for row in found if words.upper() in (row.barcode.upper(), row.number.upper())]
    named = exact or found
    return named[0] if len(named) == 1 else None


def _found(words: str) -> Select[Any]:
    rows = _shipments().subquery()
    wanted = select(rows).order_by(rows.c.ship_by_on.nulls_last(), rows.c.source_id)
    if words:
        said = [
            column.icontains(words, autoescape=True)
            for column in (rows.c.number, rows.c.barcode, rows.c.receiver, rows.c.origin)
        ]
        wanted = wanted.where(said[0] | said[1] | said[2] | said[3])
    return wanted


def _shipments() -> Select[Any]:
    """Parcels sellers prepared. To leave so many days after the payment, in Istanbul's calendar."""
    buyer = Organisation.__table__.alias("buyer")
    seller = Organisation.__table__.alias("seller")
    paid_on = type_coerce(func.date(func.timezone("Europe/Istanbul", Order.paid_at)), SqlDate)
    return (
        select(
            literal(Source.SHIPMENT.value).label("source"),
            Shipment.id.label("source_id"),
            func.concat(Order.number, " / ", Shipment.sequence).label("number"),
            func.concat("EM", func.lpad(cast(Shipment.id, Text), 10, "0")).label("barcode"),
            func.concat(buyer.c.name, ", ", buyer.c.city).label("receiver"),
            seller.c.name.label("origin"),
            PIECES.label("pieces"),
            (paid_on + int(current_app.config["SHIP_WITHIN_DAYS"])).label("ship_by_on"),
        )
        .join(Order, Order.id == Shipment.order_id)
        .join(buyer, buyer.c.id == Order.buyer_organisation_id)
        .join(seller, seller.c.id == Order.seller_organisation_id)
        .where(Shipment.state == Parcel.PLANNED, Shipment.direction == "OUT")
    )
