"""The ERP's own totals and open items against the months that are stored (checks 8 and 9 of facts: ERP §1.6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import func, select

from portal.core.database import db
from portal.receivables.models import AgingMonth, AgingOpenItem, AgingReason, AgingStanding, CurrentAccount
from portal.receivables.months import CARRIED_IN, month_of
from portal.receivables.ports import ErpBalance, ErpMonth, Side
from portal.receivables.services.doubts import Difference, differ
from portal.receivables.services.fetches import Claim, hold
from portal.receivables.states import Check, Severity


def balances_differ(fetch: Claim, balances: Iterable[ErpBalance]) -> list[AgingReason]:
    """Check 8, per account: the ERP's own totals table against the lines; 0.01 a month is rounding."""
    amount = AgingMonth.owed_kurus - AgingMonth.paid_kurus
    wanted = (
        select(CurrentAccount.code, func.sum(amount), func.count())
        .join(CurrentAccount, CurrentAccount.id == AgingMonth.account_id)
        .where(AgingMonth.fetch_id == fetch.id)
        .group_by(CurrentAccount.code)
    )
    ours = {code: (int(kurus), int(rows)) for code, kurus, rows in db.session.execute(wanted)}
    sign = -1 if fetch.side is Side.SUPPLIERS else 1
    theirs = {row.account: sign * (row.debit_kurus - row.credit_kurus) for row in balances}
    found = []
    for code in ours.keys() | theirs.keys():
        kurus, rows = ours.get(code, (0, 0))
        if abs(kurus - theirs.get(code, 0)) > max(rows, 1):
            found.append(Difference(code, kurus - theirs.get(code, 0)))
    return differ(fetch, Check.BALANCES_DIFFER, found, Severity.STOP)


def months_differ(fetch: Claim, erp_months: Iterable[ErpMonth]) -> list[AgingReason]:
    """Check 8, per month over all accounts. Months carried in as one balance cannot be compared."""
    wanted = (
        select(AgingMonth.month, func.sum(AgingMonth.owed_kurus), func.sum(AgingMonth.paid_kurus), func.count())
        .where(AgingMonth.fetch_id == fetch.id, AgingMonth.month != CARRIED_IN)
        .group_by(AgingMonth.month)
    )
    ours: Mapping[int, Any] = {row[0]: row for row in db.session.execute(wanted)}
    mirrored = fetch.side is Side.SUPPLIERS
    found = []
    for row in erp_months:
        month = month_of(row.month)
        theirs = (row.credit_kurus, row.debit_kurus) if mirrored else (row.debit_kurus, row.credit_kurus)
        _month, owed, paid, rows = ours.get(month, (month, 0, 0, 0))
        # The net only: their table leaves an amount below zero on its own side, we put it on the other.
        out = int(owed) - int(paid) - (theirs[0] - theirs[1])
        if abs(out) > max(int(rows), 1):
            found.append(Difference(f"{month // 100}-{month % 100:02d}", out))
    return differ(fetch, Check.MONTHS_DIFFER, found, Severity.STOP)


def open_items(fetch: Claim) -> list[AgingReason]:
    """Check 9: open items that are not the balance have no honest age; only that view is refused."""
    if db.session.scalar(select(AgingOpenItem.month).where(AgingOpenItem.fetch_id == fetch.id).limit(1)) is None:
        return []
    found = open_items_out(fetch.id)
    hold(fetch, open_items=not found)
    return differ(fetch, Check.OPEN_ITEMS_DIFFER, found, Severity.VIEW)


def open_items_out(fetch_id: int) -> list[Difference]:
    """Accounts whose open items are not their balance."""
    items = (
        select(
            AgingOpenItem.account_id.label("id"),
            func.sum(AgingOpenItem.owed_kurus - AgingOpenItem.paid_kurus).label("kurus"),
        )
        .where(AgingOpenItem.fetch_id == fetch_id)
        .group_by(AgingOpenItem.account_id)
        .subquery()
    )
    ledger = (
        select(
            AgingStanding.account_id.label("id"), (AgingStanding.owed_kurus - AgingStanding.paid_kurus).label("kurus")
        )
        .where(AgingStanding.fetch_id == fetch_id)
        .subquery()
    )
    out = func.coalesce(items.c.kurus, 0) - func.coalesce(ledger.c.kurus, 0)
    wanted = (
        select(CurrentAccount.code, out)
        .select_from(items.join(ledger, items.c.id == ledger.c.id, full=True))
        .join(CurrentAccount, CurrentAccount.id == func.coalesce(items.c.id, ledger.c.id))
        .where(out != 0)
    )
    return [Difference(code, int(kurus)) for code, kurus in db.session.execute(wanted)]
