"""Money that was released in a period, and whether it reached the bank: what the provider's statement is held against."""

from __future__ import annotations

from collections.abc import Iterable

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from portal.accounts.models import Organisation
from portal.core.database import db
from portal.escrow.models import EscrowHold, ProviderPayout
from portal.orders.models import Order, OrderLine
from portal.reports.definition import PERIOD, Asked, Column, Kind, Parameter, Report, Row
from portal.reports.definitions.daily_operations import istanbul_day

STATES = {
    "all": _l("all"),
    "at_the_bank": _l("at the bank"),
    "on_its_way": _l("released, not yet at the bank"),
}

COLUMNS = (
    Column("order", _l("Order"), in_letter=True),
    Column("seller", _l("Seller"), in_letter=True),
    Column("product", _l("Product")),
    Column("released_at", _l("Released"), Kind.INSTANT),
    Column("paid_on", _l("At the bank"), Kind.DAY, in_letter=True),
    Column("seller_share", _l("Seller's share"), Kind.MONEY, summed=True, in_letter=True),
    Column("commission", _l("Commission"), Kind.MONEY, summed=True),
    Column("paid_out", _l("Paid out"), Kind.MONEY, summed=True),
    Column("difference", _l("Still to come"), Kind.MONEY, summed=True),
)


def rows(asked: Asked) -> Iterable[Row]:
    """Releases of the period, oldest first, each with what the provider paid out for it so far."""
    first, last = asked.period()
    paid = (
        select(
            ProviderPayout.hold_id,
            func.max(ProviderPayout.paid_on).label("paid_on"),
            func.sum(ProviderPayout.amount_kurus).label("kurus"),
        )
        .where(ProviderPayout.receiver == "SELLER")
        .group_by(ProviderPayout.hold_id)
        .subquery()
    )
    share = EscrowHold.seller_share_kurus - EscrowHold.refunded_seller_kurus
    wanted = (
        select(
            Order.number,
            Organisation.name,
            OrderLine.name,
            EscrowHold.released_at,
            paid.c.paid_on,
            share,
            EscrowHold.released_kurus - share,
            func.coalesce(paid.c.kurus, 0),
            share - func.coalesce(paid.c.kurus, 0),
        )
        .join(Order, Order.id == EscrowHold.order_id)
        .join(Organisation, Organisation.id == Order.seller_organisation_id)
        .join(OrderLine, OrderLine.id == EscrowHold.order_line_id)
        .outerjoin(paid, paid.c.hold_id == EscrowHold.id)
        .where(EscrowHold.state == "RELEASED", istanbul_day(EscrowHold.released_at).between(first, last))
        .order_by(EscrowHold.released_at, EscrowHold.id)
    )
    match asked.values.get("state"):
        case "at_the_bank":
            wanted = wanted.where(paid.c.paid_on.is_not(None))
        case "on_its_way":
            wanted = wanted.where(paid.c.paid_on.is_(None))
    if asked.organisation_id is not None:
        wanted = wanted.where(Order.seller_organisation_id == asked.organisation_id)
    return (tuple(row) for row in db.session.execute(wanted))


REPORT = Report(
    code="payouts",
    name=_l("Payouts and reconciliation"),
    about=_l("What was released, what reached the bank, and what is still to come."),
    columns=COLUMNS,
    rows=rows,
    parameters=(PERIOD, Parameter("state", _l("Which"), "all", STATES)),
    own=True,
)
