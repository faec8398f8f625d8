"""What happened in a period, one row per seller: the sheet the house begins its day with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import Date, Select, cast, func, select

from portal.accounts.models import Organisation
from portal.core.database import db
from portal.disputes.models import PieceDispute
from portal.escrow.models import EscrowHold, EscrowRefund
from portal.orders.models import Order
from portal.reports.definition import PERIOD, Asked, Column, Kind, Report, Row
from portal.shipping.models import Shipment

COLUMNS = (
    Column("seller", _l("Seller"), in_letter=True),
    Column("orders", _l("Orders"), Kind.COUNT, summed=True, in_letter=True),
    Column("paid", _l("Paid by buyers"), Kind.MONEY, summed=True, in_letter=True),
    Column("parcels_out", _l("Parcels handed over"), Kind.COUNT, summed=True),
    Column("parcels_delivered", _l("Parcels delivered"), Kind.COUNT, summed=True),
    Column("released", _l("Released"), Kind.MONEY, summed=True, in_letter=True),
    Column("refunded", _l("Refunded"), Kind.MONEY, summed=True),
    Column("disputes", _l("New disputes"), Kind.COUNT, summed=True),
)


def istanbul_day(instant: Any) -> Any:
    """The Istanbul calendar day of an instant, in SQL."""
    return cast(func.timezone("Europe/Istanbul", instant), Date)


def rows(asked: Asked) -> Iterable[Row]:
    """Sellers with anything in the period, by name; one statement per figure, however many orders."""
    first, last = asked.period()
    figures: dict[int, dict[str, int]] = defaultdict(dict)
    for key, wanted in _figures(first, last).items():
        for seller_id, value in db.session.execute(wanted):
            figures[seller_id][key] = int(value)
    sellers = select(Organisation.id, Organisation.name).where(Organisation.id.in_(figures)).order_by(Organisation.name)
    for seller_id, name in db.session.execute(sellers):
        yield (name, *(figures[seller_id].get(column.key, 0) for column in COLUMNS[1:]))


def _figures(first: date, last: date) -> dict[str, Select[Any]]:
    """Seller and figure, by the column's name."""
    seller = Order.seller_organisation_id

    def within(instant: Any) -> Any:
        return istanbul_day(instant).between(first, last)

    holds = EscrowHold.order_id == Order.id
    parcels = (
        select(seller, func.count()).join(Shipment, Shipment.order_id == Order.id).where(Shipment.direction == "OUT")
    )
    found: dict[str, Any] = {
        "orders": select(seller, func.count()).where(within(Order.placed_at)),
        "paid": select(seller, func.sum(Order.total_kurus)).where(within(Order.paid_at)),
        "parcels_out": parcels.where(within(Shipment.handed_over_at)),
        "parcels_delivered": parcels.where(Shipment.delivered_on.between(first, last)),
        "released": select(seller, func.sum(EscrowHold.released_kurus)).join(EscrowHold, holds)
            .where(within(EscrowHold.released_at)),
        "refunded": select(seller, func.sum(EscrowRefund.amount_kurus)).join(EscrowHold, holds)
            .join(EscrowRefund, EscrowRefund.hold_id == EscrowHold.id)
            .where(EscrowRefund.state == "DONE", within(EscrowRefund.settled_at)),
        "disputes": select(seller, func.count()).join(PieceDispute, PieceDispute.order_id == Order.id)
            .where(within(PieceDispute.opened_at)),
    }  # fmt: skip
    return {key: wanted.group_by(seller) for key, wanted in found.items()}


REPORT = Report(
    code="daily_operations",
    name=_l("Daily operations"),
    about=_l("Orders, parcels and money of a day or a period, by seller."),
    columns=COLUMNS,
    rows=rows,
    parameters=(PERIOD,),
)
