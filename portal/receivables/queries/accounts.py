"""Accounts by age: a page of them, all of them, one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _l
from sqlalchemy import BigInteger, Select, cast, func, literal, select

from portal.core import formats
from portal.core.database import db
from portal.core.errors import NotFound, Refusal
from portal.core.web import Page, Paged
from portal.receivables import sums
from portal.receivables.models import AgingFetch, AgingMonth, CurrentAccount
from portal.receivables.sums import View

MOST_ACCOUNTS = 10_000  # in one answer (spec §5)


class TooManyAccounts(Refusal):
    """More than one answer holds: refused rather than cut."""

    status = 422
    code = "too_many_accounts"

    def __init__(self, count: int) -> None:
        super().__init__(
            _l("%(n)d accounts are more than one answer holds (10,000). Narrow it by cariKod.", n=count),
            status="error",
            fields={"cariKod": _l("Narrow it, for example 120.40.*")},
        )


class Who(StrEnum):
    """Which accounts of a list."""

    ALL = ""
    OWING = "owing"
    OLD = "old"  # something is open from before the shown months
    CREDIT = "credit"  # we owe them


@dataclass(frozen=True)
class Filter:
    """Which accounts and in which order, as the address says; the same for page, file and chart."""

    words: str = ""
    code: str = ""  # exact, or the beginning of it when it ends with *
    who: Who = Who.ALL
    sort: str = "balance"
    descending: bool = True


class Row(NamedTuple):
    """An account by age; kuruş."""

    account_id: int
    code: str
    name: str
    passive: bool
    balance: int
    before: int
    shown: tuple[int, ...]
    later: int


class Sums(NamedTuple):
    """What a filtered list adds up to; kuruş."""

    accounts: int
    balance: int
    before: int
    shown: tuple[int, ...]
    later: int
    owing: int  # of the balance: what they owe
    in_credit: int  # of the balance: what is owed to them


def rows(view: View, wanted: Filter, page: Page, total: int) -> Paged[Row]:
    """One page of accounts by age."""
    found = db.session.execute(_rows(view, wanted).limit(page.size).offset((page.number - 1) * page.size))
    return Paged([_row(row) for row in found], page, total)


def totals(view: View, wanted: Filter) -> Sums:
    """The totals of the whole filtered list, whichever page is shown."""
    ages = sums.aged(view)
    count = len(view.shown)
    of: list[Any] = [
        ages.c.balance,
        ages.c.before,
        *(ages.c[f"m{place}"] for place in range(1, count + 1)),
        ages.c.later,
    ]
    of += [func.greatest(ages.c.balance, 0), func.greatest(-ages.c.balance, 0)]
    summed = [cast(func.coalesce(func.sum(amount), 0), BigInteger) for amount in of]
    counted: Any = select(func.count(), *summed)
    row: Any = db.session.execute(_filtered(counted, ages, wanted)).one()
    return Sums(row[0], row[1], row[2], tuple(row[3 : 3 + count]), row[-3], row[-2], row[-1])


def all_rows(view: View, wanted: Filter) -> Sequence[Any]:
    """Every account of a list as plain tuples: code, name, balance, before, months …, later; kuruş, for files.

    Refuses with `TooManyAccounts` above ten thousand.
    """
    ages = sums.aged(view)
    return _all(_amounts(ages), ages, wanted)


def all_told(view: View, wanted: Filter, names: Sequence[str]) -> Sequence[Any]:
    """Every account of a list as code, name, and its amounts in one piece of JSON: `"GunelBakiye":1254300.50,…`.

    `names` are what the amounts are called, in the order of `all_rows`; exact decimals in lira with two places. The
    database writes the digits: sixty thousand amounts made text here would take longer than everything else together.
    Refuses with `TooManyAccounts`.
    """
    ages = sums.aged(view)
    pieces: list[Any] = []
    for place, (name, amount) in enumerate(zip(names, _amounts(ages), strict=False)):
        pieces += [f'{"," if place else ""}"{name}":', amount * literal(Decimal("0.01"))]
    return _all([func.concat(*pieces)], ages, wanted)


def _all(columns: Sequence[Any], ages: Any, wanted: Filter) -> Sequence[Any]:
    query = _filtered(select(CurrentAccount.code, CurrentAccount.name, *columns), ages, wanted)
    answer = db.session.connection().execute(query.order_by(CurrentAccount.code).limit(MOST_ACCOUNTS + 1))
    # The driver's own tuples: nothing in them has to be converted, and there are ten thousand.
    found: Sequence[Any] = answer.cursor.fetchall() if answer.cursor else []
    answer.close()
    if len(found) > MOST_ACCOUNTS:
        raise TooManyAccounts(db.session.scalar(_filtered(select(func.count()), ages, wanted)) or 0)
    return found


def _amounts(ages: Any) -> list[Any]:
    return [ages.c[name] for name in ages.c.keys() if name != "account_id"]  # noqa: SIM118 (a column collection)


def row(view: View, account_id: int) -> Row:
    """One account by age; all zero when it has no lines in this reading."""
    ages = sums.aged(view)
    found = db.session.execute(_joined(_select(ages), ages).where(CurrentAccount.id == account_id)).one_or_none()
    if found is None:
        account = account_of(account_id)
        return Row(account.id, account.code, account.name, account.passive, 0, 0, (0,) * len(view.shown), 0)
    return _row(found)


def account_of(account_id: int) -> CurrentAccount:
    """An account's card; refuses with 404 when there is none."""
    found = db.session.get(CurrentAccount, account_id)
    if found is None:
        raise NotFound
    return found


def course(fetch: AgingFetch, account_id: int) -> list[tuple[int, int, int]]:
    """(month, owed, paid) of an account, oldest first: the course of its balance."""
    wanted = (
        select(AgingMonth.month, AgingMonth.owed_kurus, AgingMonth.paid_kurus)
        .where(AgingMonth.fetch_id == fetch.id, AgingMonth.account_id == account_id, ~AgingMonth.future)
        .order_by(AgingMonth.month)
    )
    return [(month, owed, paid) for month, owed, paid in db.session.execute(wanted)]


def not_yet(fetch: AgingFetch, account_id: int) -> int:
    """What is dated after the day of the reading, in kuruş: listed apart."""
    net = func.sum(AgingMonth.owed_kurus - AgingMonth.paid_kurus)
    wanted = select(cast(func.coalesce(net, 0), BigInteger)).where(
        AgingMonth.fetch_id == fetch.id, AgingMonth.account_id == account_id, AgingMonth.future
    )
    return db.session.scalar(wanted) or 0


def _rows(view: View, wanted: Filter) -> Select[Any]:
    ages = sums.aged(view)
    order: Any = {"code": CurrentAccount.code, "name": CurrentAccount.name_key}.get(wanted.sort)
    if order is None:
        order = ages.c[wanted.sort] if wanted.sort in ages.c and wanted.sort != "account_id" else ages.c.balance
    ordered = order.desc() if wanted.descending else order.asc()
    return _filtered(_select(ages), ages, wanted).order_by(ordered, CurrentAccount.code)


def _select(ages: Any) -> Select[Any]:
    account = (CurrentAccount.id, CurrentAccount.code, CurrentAccount.name, CurrentAccount.passive)
    return select(*account, *_amounts(ages))


def _joined(query: Select[Any], ages: Any) -> Select[Any]:
    return query.select_from(ages).join(CurrentAccount, CurrentAccount.id == ages.c.account_id)


def _filtered(query: Select[Any], ages: Any, wanted: Filter) -> Select[Any]:
    query = _joined(query, ages)
    if wanted.words:
        query = query.where(CurrentAccount.words.contains(formats.fold(wanted.words), autoescape=True))
    if wanted.code.endswith("*"):
        query = query.where(CurrentAccount.code.startswith(wanted.code.rstrip("*"), autoescape=True))
    elif wanted.code:
        query = query.where(CurrentAccount.code == wanted.code)
    match wanted.who:
        case Who.OWING:
            query = query.where(ages.c.balance > 0)
        case Who.OLD:
            query = query.where(ages.c.before > 0)
        case Who.CREDIT:
            query = query.where(ages.c.balance < 0)
    return query


def _row(found: Any) -> Row:
    account_id, code, name, passive, balance, before, *shown, later = found
    return Row(account_id, code, name, passive, balance, before, tuple(shown), later)
