"""What the accounts' pages, files and API ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _l
from sqlalchemy import BigInteger, Select, case, cast, func, select

from portal.core import clock, formats
from portal.core.database import DB_NOW, db
from portal.core.errors import BadInput, NotFound, Refusal
from portal.core.web import Page, Paged
from portal.receivables import months, sums
from portal.receivables.models import AgingFetch, AgingMonth, AgingOverride, AgingReason, AgingStanding, CurrentAccount
from portal.receivables.ports import Side
from portal.receivables.rules import DEFAULT_MONTHS, MOST_MONTHS, Mode
from portal.receivables.states import UNFINISHED, FetchState, Severity
from portal.receivables.sums import View

MOST_ACCOUNTS = 10_000  # in one answer (spec §5)


class NoDataYet(Refusal):
    """Nothing was read from the ERP so far."""

    code = "no_data_yet"

    def __init__(self) -> None:
        super().__init__(_l("Nothing has been read from the ERP yet. Fetch the data first."), status="error")


class NeedsItsOwnReading(Refusal):
    """The day lies in the middle of a month we only have as a whole: the ERP has to be read as of that day."""

    code = "needs_its_own_reading"

    def __init__(self, as_of: date) -> None:
        super().__init__(
            _l("The figures as of %(day)s need a reading of their own.", day=formats.day(as_of)), status="error"
        )
        self.as_of = as_of


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


class OpenItemsNotOffered(Refusal):
    """The ERP's open items are absent or do not add up to the balances, or another day is asked for."""

    status = 422
    code = "open_items_not_offered"

    def __init__(self) -> None:
        super().__init__(
            _l("The view by open items is not offered for these data."),
            status="error",
            fields={"mode": _l("Choose fifo or net_signed.")},
        )


@dataclass(frozen=True)
class Window:
    """What a visitor wants to see: up to which day, which months in columns, and how payments close debts."""

    as_of: date
    shown: tuple[int, ...]
    mode: Mode = Mode.FIFO

    @classmethod
    def of(cls, start: date | None, end: date | None, mode: Mode = Mode.FIFO) -> Window:
        """From the first day to the last (default: the last four months up to today). Refuses nonsense by field."""
        today = clock.today()
        end = end or today
        last = months.month_of(end)
        first = months.month_of(start) if start else months.later(last, 1 - DEFAULT_MONTHS)
        for field, day in (("startDate", start), ("endDate", end)):
            if day is not None and not months.FIRST_YEAR <= day.year <= months.LAST_YEAR:
                raise BadInput(fields={field: _l("This year is not in the books.")})
        if first > last:
            raise BadInput(fields={"startDate": _l("The first day comes after the last.")})
        shown = months.run_of(first, last)
        if len(shown) > MOST_MONTHS:
            raise BadInput(fields={"startDate": _l("At most %(n)d months can be shown.", n=MOST_MONTHS)})
        return cls(min(end, today), shown, mode)


# Readings ---------------------------------------------------------------------------------------------------


def current(side: Side) -> AgingFetch | None:
    """The last good data."""
    return db.session.execute(
        select(AgingFetch).where(AgingFetch.side == side.value, AgingFetch.is_current)
    ).scalar_one_or_none()


def newest(side: Side) -> AgingFetch | None:
    """The latest reading of today's ledger, however it went or is going."""
    wanted = select(AgingFetch).where(AgingFetch.side == side.value, AgingFetch.live).order_by(AgingFetch.id.desc())
    return db.session.execute(wanted.limit(1)).scalar_one_or_none()


def under_way(side: Side) -> AgingFetch | None:
    """The reading somebody is waiting for."""
    wanted = select(AgingFetch).where(AgingFetch.side == side.value, AgingFetch.state.in_(UNFINISHED))
    return db.session.execute(wanted).scalar_one_or_none()


def fetch(fetch_id: int) -> AgingFetch:
    """One reading; refuses with 404 when there is none."""
    found = db.session.get(AgingFetch, fetch_id, populate_existing=True)
    if found is None:
        raise NotFound
    return found


class Situation(NamedTuple):
    """What a page says about its data: the last good ones, and what came or is coming after them."""

    current: AgingFetch | None
    under_way: AgingFetch | None
    newest: AgingFetch | None  # of today's ledger, ended
    doubted: AgingFetch | None


def situation(side: Side) -> Situation:
    """The last good data and every reading since, in one question."""
    good = select(func.max(AgingFetch.id)).where(AgingFetch.side == side.value, AgingFetch.is_current)
    wanted = (
        select(AgingFetch)
        .where(AgingFetch.side == side.value, AgingFetch.id >= func.coalesce(good.scalar_subquery(), 0))
        .order_by(AgingFetch.id.desc())
        .limit(100)
    )
    since = list(db.session.scalars(wanted))
    ended = [found for found in since if found.live and found.state not in UNFINISHED]
    whole = next((found for found in ended if found.state != FetchState.FAILED), None)
    return Situation(
        next((found for found in since if found.is_current), None) or current(side),
        next((found for found in since if found.state in UNFINISHED), None),
        ended[0] if ended else None,
        whole if whole is not None and whole.state == FetchState.SUSPICIOUS else None,
    )


def fetches(side: Side) -> Select[Any]:
    """Readings, newest first. The caller pages."""
    return select(AgingFetch).where(AgingFetch.side == side.value).order_by(AgingFetch.id.desc())


def doubted(side: Side) -> AgingFetch | None:
    """The newest whole reading, when it does not reconcile: the analysis has stopped."""
    whole = (FetchState.DONE, FetchState.SUSPICIOUS)
    wanted = (
        select(AgingFetch)
        .where(AgingFetch.side == side.value, AgingFetch.live, AgingFetch.state.in_(whole))
        .order_by(AgingFetch.id.desc())
        .limit(1)
    )
    found = db.session.execute(wanted).scalar_one_or_none()
    return found if found is not None and found.state == FetchState.SUSPICIOUS else None


def reasons(*fetch_ids: int) -> list[AgingReason]:
    """Why readings are doubted, and what is to be said of good ones; the gravest first."""
    grave = case((AgingReason.severity == Severity.STOP, 0), (AgingReason.severity == Severity.VIEW, 1), else_=2)
    wanted = select(AgingReason).where(AgingReason.fetch_id.in_(fetch_ids)).order_by(grave, AgingReason.id)
    return list(db.session.scalars(wanted))


def overrides(fetch_id: int) -> list[AgingOverride]:
    """Who looks at a doubted reading anyway, and why."""
    return list(db.session.scalars(select(AgingOverride).where(AgingOverride.fetch_id == fetch_id)))


def overdue(seconds: int) -> bool:
    """Whether a reading waits, or its reader died, and nobody has noticed."""
    waiting = (AgingFetch.state == FetchState.ASKED) & (AgingFetch.asked_at < DB_NOW - timedelta(seconds=seconds))
    dead = (AgingFetch.state == FetchState.RUNNING) & (AgingFetch.leased_until < DB_NOW)
    return db.session.scalar(select(AgingFetch.id).where(waiting | dead).limit(1)) is not None


def view(side: Side, window: Window) -> View:
    """The figures for a window: the last good data, or a reading of that very day.

    Refuses with `NoDataYet`, with `NeedsItsOwnReading` when the day cannot be told from the months we keep, and
    with `OpenItemsNotOffered`.
    """
    good = current(side)
    found = good
    if good is None or (window.as_of < good.as_of_on and not _tells(good, window.as_of)):
        found = _reading_of(side, window.as_of)
    if found is None:
        raise NoDataYet if good is None else NeedsItsOwnReading(window.as_of)
    # A day after the reading is shown as far as it is known: as of the reading.
    as_of = min(window.as_of, found.as_of_on)
    if window.mode is Mode.OPEN_ITEM and not (found.open_items and as_of == found.as_of_on):
        raise OpenItemsNotOffered
    return View(found, as_of, window.shown, window.mode)


def doubted_view(fetch_id: int, window: Window) -> View:
    """The figures of a reading that does not reconcile, for somebody who has said why."""
    found = fetch(fetch_id)
    if found.state != FetchState.SUSPICIOUS or not found.months_kept or not overrides(fetch_id):
        raise NotFound
    shown = window.shown
    return View(found, found.as_of_on, shown, window.mode, doubted=True)


def _tells(fetch: AgingFetch, as_of: date) -> bool:
    if months.month_of(as_of) < months.month_of(fetch.as_of_on) and as_of == months.last_day(months.month_of(as_of)):
        return True
    return db.session.scalar(sums.straddles(fetch, as_of)) is None


def _reading_of(side: Side, as_of: date) -> AgingFetch | None:
    wanted = (
        select(AgingFetch)
        .where(
            AgingFetch.side == side.value,
            ~AgingFetch.live,
            AgingFetch.state == FetchState.DONE,
            AgingFetch.months_kept,
            AgingFetch.as_of_on == as_of,
        )
        .order_by(AgingFetch.id.desc())
        .limit(1)
    )
    return db.session.execute(wanted).scalar_one_or_none()


# Accounts ---------------------------------------------------------------------------------------------------


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
    """Every account of a list as plain tuples: code, name, balance, before, months …, later; for files and the API.

    Refuses with `TooManyAccounts` above ten thousand.
    """
    ages = sums.aged(view)
    columns = [ages.c[name] for name in ages.c.keys() if name != "account_id"]  # noqa: SIM118 (a column collection)
    query = _filtered(select(CurrentAccount.code, CurrentAccount.name, *columns), ages, wanted)
    found = db.session.execute(query.order_by(CurrentAccount.code).limit(MOST_ACCOUNTS + 1)).all()
    if len(found) > MOST_ACCOUNTS:
        raise TooManyAccounts(db.session.scalar(_filtered(select(func.count()), ages, wanted)) or 0)
    return found


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
    columns = [ages.c[name] for name in ages.c.keys() if name != "account_id"]  # noqa: SIM118
    return select(CurrentAccount.id, CurrentAccount.code, CurrentAccount.name, CurrentAccount.passive, *columns)


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


# Since last week --------------------------------------------------------------------------------------------


class Change(NamedTuple):
    """An account's balance then and now, in kuruş."""

    account_id: int
    code: str
    name: str
    then: int
    now: int
    difference: int


def good_readings(side: Side, most: int = 60) -> list[AgingFetch]:
    """Readings that can be compared with, newest first."""
    wanted = (
        select(AgingFetch)
        .where(AgingFetch.side == side.value, AgingFetch.live, AgingFetch.state == FetchState.DONE)
        .order_by(AgingFetch.id.desc())
        .limit(most)
    )
    return list(db.session.scalars(wanted))


def reading_before(side: Side, instant: datetime) -> AgingFetch | None:
    """The last good reading of that time; where none is so old, the oldest there is but the current one."""
    good = (AgingFetch.side == side.value) & AgingFetch.live & (AgingFetch.state == FetchState.DONE)
    before = select(AgingFetch).where(good, AgingFetch.read_at <= instant).order_by(AgingFetch.id.desc()).limit(1)
    oldest = select(AgingFetch).where(good, ~AgingFetch.is_current).order_by(AgingFetch.id).limit(1)
    return db.session.execute(before).scalar_one_or_none() or db.session.execute(oldest).scalar_one_or_none()


def changes(now: AgingFetch, then: AgingFetch) -> Select[Any]:
    """Accounts whose balance differs between two readings, the largest differences first. The caller pages."""
    here = select(AgingStanding).where(AgingStanding.fetch_id == now.id).subquery()
    there = select(AgingStanding).where(AgingStanding.fetch_id == then.id).subquery()
    was = func.coalesce(there.c.owed_kurus - there.c.paid_kurus, 0)
    is_ = func.coalesce(here.c.owed_kurus - here.c.paid_kurus, 0)
    return (
        select(CurrentAccount.id, CurrentAccount.code, CurrentAccount.name, was, is_, is_ - was)
        .select_from(here.join(there, here.c.account_id == there.c.account_id, full=True))
        .join(CurrentAccount, CurrentAccount.id == func.coalesce(here.c.account_id, there.c.account_id))
        .where(is_ != was)
        .order_by(func.abs(is_ - was).desc(), CurrentAccount.code)
    )
