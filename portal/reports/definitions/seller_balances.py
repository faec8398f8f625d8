"""What the house holds for each seller and owes him, at the end of a day."""

from __future__ import annotations

from collections.abc import Iterable

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from portal.accounts.models import Organisation
from portal.core.database import db
from portal.escrow.models import EscrowHold, ProviderPayout
from portal.ledger.models import SellerBalanceLedger
from portal.orders.models import Order
from portal.reports.definition import Asked, Column, Kind, Report, Row

COLUMNS = (
    Column("seller", _l("Seller"), in_letter=True),
    Column("tax_number", _l("Tax number")),
    Column("in_trust", _l("Still in trust"), Kind.MONEY, summed=True, in_letter=True),
    Column("balance", _l("Released and not yet paid out"), Kind.MONEY, summed=True, in_letter=True),
    Column("paid_out", _l("Paid out so far"), Kind.MONEY, summed=True, in_letter=True),
)


def rows(asked: Asked) -> Iterable[Row]:
    """Every seller, by name. The balance is the ledger's at the end of the day; trust is what is held now."""
    held = (
        select(func.sum(EscrowHold.held_kurus))
        .join(Order, Order.id == EscrowHold.order_id)
        .where(Order.seller_organisation_id == Organisation.id)
        .scalar_subquery()
    )
    balance = (
        select(func.sum(SellerBalanceLedger.amount_kurus))
        .where(
            SellerBalanceLedger.organisation_id == Organisation.id, SellerBalanceLedger.effective_on <= asked.as_of_on
        )
        .scalar_subquery()
    )
    paid = (
        select(func.sum(ProviderPayout.amount_kurus))
        .join(EscrowHold, EscrowHold.id == ProviderPayout.hold_id)
        .join(Order, Order.id == EscrowHold.order_id)
        .where(
            Order.seller_organisation_id == Organisation.id,
            ProviderPayout.receiver == "SELLER",
            ProviderPayout.paid_on <= asked.as_of_on,
        )
        .scalar_subquery()
    )
    figures = [func.coalesce(figure, 0) for figure in (held, balance, paid)]
    wanted = select(Organisation.name, Organisation.tax_number, *figures).where(Organisation.kind == "SELLER")
    if asked.organisation_id is not None:
        wanted = wanted.where(Organisation.id == asked.organisation_id)
    return (tuple(row) for row in db.session.execute(wanted.order_by(Organisation.name)))


REPORT = Report(
    code="seller_balances",
    name=_l("Seller balances"),
    about=_l("What is held in trust for each seller, and what he is owed, at the end of a day."),
    columns=COLUMNS,
    rows=rows,
    own=True,
)
