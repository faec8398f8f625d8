"""What is to be packed now, whatever it is: parcels sellers prepared and packages marketplaces sold, ship-by first."""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

from flask import current_app
from sqlalchemy import Date as SqlDate
from sqlalchemy import Select, Text, cast, func, literal, literal_column, select, type_coerce, union_all

from portal.accounts.models import Organisation
from portal.core.web import Paged, paged
from portal.marketplace.models import StorefrontLine, StorefrontPackage
from portal.marketplace.states import TO_PACK
from portal.orders.models import Order
from portal.packing import queries as packing_queries
from portal.packing.queries import Progress
from portal.packing.states import Source
from portal.shipping.models import Shipment
from portal.shipping.states import Parcel
from portal.workflows.marketplace_orders import title_of


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


PIECES: Any = literal_column(
    "(SELECT coalesce(sum((i->>'quantity')::bigint), 0) FROM jsonb_array_elements(shipment.items) AS i)"
)


def waiting(words: str = "") -> Paged[Any]:
    """The queue, one page of it, with who is on what; in four statements whatever its length."""
    page = paged(_found(words), row=QueueRow)
    known = packing_queries.progress([(Source(row.source), row.source_id) for row in page.rows])
    page.rows = [Waiting(_titled(row), known.get((row.source, row.source_id))) for row in page.rows]
    return page


def _titled(row: QueueRow) -> QueueRow:
    return row._replace(origin=title_of(row.origin)) if row.source == Source.STOREFRONT else row


def meant_by(code: str) -> QueueRow | None:
    """The one thing a scanned order or parcel barcode means; nothing when it means none or several."""
    words = code.strip()
    found = paged(_found(words), row=QueueRow).rows if words else []
    exact = [row for row in found if words.upper() in (row.barcode.upper(), row.number.upper())]
    named = exact or found
    return named[0] if len(named) == 1 else None


def _found(words: str) -> Select[Any]:
    rows = union_all(_shipments(), _packages()).subquery()
    wanted = select(rows).order_by(rows.c.ship_by_on.nulls_last(), rows.c.source_id)
    if words:
        said = [
            column.icontains(words, autoescape=True)
            for column in (rows.c.number, rows.c.barcode, rows.c.receiver, rows.c.origin)
        ]
        wanted = wanted.where(said[0] | said[1] | said[2] | said[3])
    return wanted


def _packages() -> Select[Any]:
    """Packages marketplaces sold. (A marketplace is named by its code; its title is the adapters' to know.)"""
    pieces = func.coalesce(func.sum(StorefrontLine.quantity * func.coalesce(StorefrontLine.pieces_each, 1)), 0)
    return (
        select(
            literal(Source.STOREFRONT.value).label("source"),
            StorefrontPackage.id.label("source_id"),
            StorefrontPackage.order_number.label("number"),
            func.coalesce(
                func.nullif(StorefrontPackage.cargo_tracking_number, ""), StorefrontPackage.package_key
            ).label("barcode"),
            func.concat_ws(
                ", ", func.nullif(StorefrontPackage.customer_name, ""), func.nullif(StorefrontPackage.city, "")
            ).label("receiver"),
            StorefrontPackage.storefront.label("origin"),
            pieces.label("pieces"),
            _istanbul_day(StorefrontPackage.ship_by).label("ship_by_on"),
        )
        .join(StorefrontLine, StorefrontLine.package_id == StorefrontPackage.id)
        .where(
            StorefrontPackage.state.in_(TO_PACK),
            ~StorefrontPackage.superseded,
            StorefrontPackage.packed_at.is_(None),
        )
        .group_by(StorefrontPackage.id)
    )


def _istanbul_day(instant: Any) -> Any:
    return type_coerce(func.date(func.timezone("Europe/Istanbul", instant)), SqlDate)


def _shipments() -> Select[Any]:
    """Parcels sellers prepared. To leave so many days after the payment, in Istanbul's calendar."""
    buyer = Organisation.__table__.alias("buyer")
    seller = Organisation.__table__.alias("seller")
    return (
        select(
            literal(Source.SHIPMENT.value).label("source"),
            Shipment.id.label("source_id"),
            func.concat(Order.number, " / ", Shipment.sequence).label("number"),
            func.concat("EM", func.lpad(cast(Shipment.id, Text), 10, "0")).label("barcode"),
            func.concat(buyer.c.name, ", ", buyer.c.city).label("receiver"),
            seller.c.name.label("origin"),
            PIECES.label("pieces"),
            (_istanbul_day(Order.paid_at) + int(current_app.config["SHIP_WITHIN_DAYS"])).label("ship_by_on"),
        )
        .join(Order, Order.id == Shipment.order_id)
        .join(buyer, buyer.c.id == Order.buyer_organisation_id)
        .join(seller, seller.c.id == Order.seller_organisation_id)
        .where(Shipment.state == Parcel.PLANNED, Shipment.direction == "OUT")
    )
