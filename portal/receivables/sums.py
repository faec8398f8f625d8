"""The rules of `rules.aged`, for ten thousand accounts at once in SQL; a test compares the two.

Closed form over sums per account: a month's open part is the balance less all newer debts, between zero and the
month's own debt. No window, no sorting: some sums per account are all that is needed (facts: performance).
"""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Select, Subquery, cast, func, literal, or_, select

from portal.receivables import months
from portal.receivables.models import AgingFetch, AgingMonth, AgingOpenItem, AgingStanding, CurrentAccount
from portal.receivables.rules import Mode


class View(NamedTuple):
    """Which figures: a reading, the day it is looked at, the months in columns, how payments close debts."""

    fetch: AgingFetch
    as_of: date
    shown: tuple[int, ...]
    mode: Mode = Mode.FIFO
    doubted: bool = False  # somebody looks at figures that do not reconcile

    @property
    def as_read(self) -> bool:
        """Whether this is the very window whose sums were kept with the reading."""
        usual = months.up_to(months.month_of(self.fetch.as_of_on), 4)
        return self.as_of == self.fetch.as_of_on and self.shown == usual and self.mode is not Mode.OPEN_ITEM


def aged(view: View) -> Subquery:
    """One row per account: account_id, balance, before, m1 … mN, later; kuruş."""
    per_account = _of_standings() if view.as_read else _of_months(view)
    found = per_account.where(_fetch_of(view) == view.fetch.id).subquery("per_account")
    if view.mode is Mode.OPEN_ITEM:
        return _by_due_date(view, found)
    return _by_mode(found, len(view.shown), view.mode)


def _by_mode(per_account: Subquery, count: int, mode: Mode) -> Subquery:
    columns = per_account.c
    owed = [columns[f"owed_{place}"] for place in range(1, count + 1)]
    balance = columns.owed - columns.paid
    if mode is Mode.FIFO:
        parts, before = _fifo(balance, owed)
    else:
        parts, before = _net(balance, owed, [columns[f"paid_{place}"] for place in range(1, count + 1)])
    shown = [part.label(f"m{place}") for place, part in enumerate(parts, 1)]
    later = literal(0).label("later")
    return select(columns.account_id, balance.label("balance"), before.label("before"), *shown, later).subquery("aged")


def _fetch_of(view: View) -> Any:
    return AgingStanding.fetch_id if view.as_read else AgingMonth.fetch_id


def _of_standings() -> Select[Any]:
    kept = [getattr(AgingStanding, f"{side}_{place}") for side in ("owed", "paid") for place in range(1, 5)]
    return select(
        AgingStanding.account_id, AgingStanding.owed_kurus.label("owed"), AgingStanding.paid_kurus.label("paid"), *kept
    )


def _of_months(view: View) -> Select[Any]:
    owed, paid = AgingMonth.owed_kurus, AgingMonth.paid_kurus
    columns: list[Any] = [_total(owed).label("owed"), _total(paid).label("paid")]
    # A sum nobody looks at costs as much as the others: payments have months only where months are netted.
    wanted = {Mode.FIFO: {"owed": owed}, Mode.NET_SIGNED: {"owed": owed, "paid": paid}, Mode.OPEN_ITEM: {}}
    for name, side in wanted[view.mode].items():
        for place, month in enumerate(view.shown, 1):
            columns.append(_total(side, AgingMonth.month == month).label(f"{name}_{place}"))
    return select(AgingMonth.account_id, *columns).where(_up_to(view)).group_by(AgingMonth.account_id)


def _total(amount: Any, when: Any = None) -> Any:
    """A sum as a whole number again (PostgreSQL sums BIGINT to NUMERIC); nothing adds up to zero."""
    summed = func.sum(amount) if when is None else func.sum(amount).filter(when)
    return cast(func.coalesce(summed, 0), BigInteger)


def _up_to(view: View) -> Any:
    """What was dated by the day looked at. What was carried in has no days: it is from before all of them."""
    known = or_(AgingMonth.last_on.is_(None), AgingMonth.last_on <= view.as_of)
    # Months after the last column would belong to no bucket.
    return known & (AgingMonth.month <= view.shown[-1])


def _fifo(balance: Any, owed: list[Any]) -> tuple[list[Any], Any]:
    newer: Any = literal(0)
    parts: list[Any] = []
    for month in reversed(owed):
        parts.append(func.least(func.greatest(balance - newer, 0), month))
        newer = newer + month
    return parts[::-1], func.greatest(balance - newer, 0)


def _net(balance: Any, owed: list[Any], paid: list[Any]) -> tuple[list[Any], Any]:
    parts = [up - down for up, down in zip(owed, paid, strict=True)]
    shown: Any = literal(0)
    for part in parts:
        shown = shown + part
    return parts, balance - shown


def _by_due_date(view: View, found: Subquery) -> Subquery:
    net = AgingOpenItem.owed_kurus - AgingOpenItem.paid_kurus
    month = AgingOpenItem.month
    shown = [_total(net, month == wanted).label(f"m{place}") for place, wanted in enumerate(view.shown, 1)]
    items = (
        select(
            AgingOpenItem.account_id,
            _total(net, month < view.shown[0]).label("before"),
            *shown,
            _total(net, month > view.shown[-1]).label("later"),
        )
        .where(AgingOpenItem.fetch_id == view.fetch.id)
        .group_by(AgingOpenItem.account_id)
        .subquery("items")
    )
    columns = ["before", *(f"m{place}" for place in range(1, len(view.shown) + 1)), "later"]
    return (
        select(
            found.c.account_id,
            (found.c.owed - found.c.paid).label("balance"),
            *(func.coalesce(items.c[name], 0).label(name) for name in columns),
        )
        .outerjoin(items, items.c.account_id == found.c.account_id)
        .subquery("aged")
    )


def not_the_balance(fetch_id: int) -> Select[Any]:
    """(code, kuruş) of accounts whose buckets, made from the kept sums, are not the balance made from the months."""
    per_account = _of_standings().where(AgingStanding.fetch_id == fetch_id).subquery("per_account")
    rows = _by_mode(per_account, 4, Mode.FIFO)
    total: Any = rows.c.before
    for place in range(1, 5):
        total = total + rows.c[f"m{place}"]
    balances = (
        select(AgingMonth.account_id, func.sum(AgingMonth.owed_kurus - AgingMonth.paid_kurus).label("balance"))
        .where(AgingMonth.fetch_id == fetch_id, ~AgingMonth.future)
        .group_by(AgingMonth.account_id)
        .subquery()
    )
    out = func.coalesce(total, 0) - func.greatest(func.coalesce(balances.c.balance, 0), 0)
    return (
        select(CurrentAccount.code, out)
        .select_from(balances.join(rows, rows.c.account_id == balances.c.account_id, full=True))
        .join(CurrentAccount, CurrentAccount.id == func.coalesce(balances.c.account_id, rows.c.account_id))
        .where(out != 0)
    )


def straddles(fetch: AgingFetch, as_of: date) -> Select[Any]:
    """Months of which a part lies before the day and a part after it: then the kept sums cannot tell the day."""
    return (
        select(AgingMonth.month)
        .where(AgingMonth.fetch_id == fetch.id, AgingMonth.first_on <= as_of, AgingMonth.last_on > as_of)
        .limit(1)
    )
