"""What a reading brings is laid down under its own id, chunk by chunk; nobody sees it before it reconciles."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import func, insert, select, text

from portal.core import formats
from portal.core.database import db
from portal.receivables import months
from portal.receivables.models import AgingFetch, AgingMonth, AgingStanding, CurrentAccount
from portal.receivables.ports import Account, LedgerUnreadable, MonthSum, OpenItemSum, Reason, Side
from portal.receivables.services.fetches import Claim, hold
from portal.receivables.states import Step

CHUNK = 10_000


# (account, month, future) and (owed, paid, lines, first day, last day): plain tuples, for there are hundreds of thousands.
_Key = tuple[str, int, bool]
_Sum = tuple[int, int, int, date | None, date | None]


def _together(one: _Sum, other: _Sum) -> _Sum:
    """A month that came in two pieces, from two partitions of the ledger."""
    firsts = [day for day in (one[3], other[3]) if day]
    lasts = [day for day in (one[4], other[4]) if day]
    counted = (one[0] + other[0], one[1] + other[1], one[2] + other[2])
    return (*counted, min(firsts, default=None), max(lasts, default=None))


class Staging:
    """One reading on its way in: which accounts it named, and the months of the account that is still arriving."""

    def __init__(self, fetch: Claim) -> None:
        self.fetch = fetch
        self.side = fetch.side
        self.cards: dict[str, Account] = {}
        self.without_card: set[str] = set()
        self.twice: set[str] = set()  # codes with two cards of different names
        self._ids: dict[str, int] = {}
        self._pending: dict[_Key, _Sum] = {}
        self._last = ""

    def name(self, accounts: Iterable[Account]) -> None:
        """Cards the ERP has. Only those with lines become accounts of ours."""
        for account in accounts:
            known = self.cards.setdefault(account.code, account)
            if known.name != account.name:
                self.twice.add(account.code)

    def add(self, sums: Iterable[MonthSum]) -> None:
        """Months as they arrive, by account code; an account is laid down when the next one begins."""
        pending, mirrored = self._pending, self.side is Side.SUPPLIERS
        for account, first, future, debit, credit, lines, first_on, last_on in sums:
            if debit < 0 or credit < 0 or lines < 0 or not account:
                raise LedgerUnreadable(Reason.UNREADABLE, where=account)
            key = (account, months.month_of(first), future)
            found = (credit, debit, lines, first_on, last_on) if mirrored else (debit, credit, lines, first_on, last_on)
            before = pending.get(key)
            pending[key] = found if before is None else _together(before, found)
            self._last = account

    def lay_down(self, *, all_of_it: bool = False) -> None:
        """Write what is complete: everything but the account still arriving."""
        ready = {key: found for key, found in self._pending.items() if all_of_it or key[0] != self._last}
        if not ready:
            return
        ids, fetch_id = self.ids_of({key[0] for key in ready}), self.fetch.id
        _copy(
            "aging_month (owed_kurus, paid_kurus, fetch_id, account_id, month, lines, first_on, last_on, future)",
            [
                f"{owed}\t{paid}\t{fetch_id}\t{ids[account]}\t{month}\t{lines}\t{_day(first)}\t{_day(last)}\t{future}\n"
                for (account, month, future), (owed, paid, lines, first, last) in ready.items()
            ],
        )
        self._pending = {key: found for key, found in self._pending.items() if key not in ready}
        rows, lines = AgingFetch.months + len(ready), AgingFetch.lines + sum(found[2] for found in ready.values())
        hold(self.fetch, step=Step.MONTHS, accounts=len(self._ids), months=rows, lines=lines)

    def ids_of(self, codes: set[str]) -> dict[str, int]:
        """Our ids of these accounts; new ones come into being."""
        wanted = codes - self._ids.keys()
        if wanted:
            self.without_card.update(code for code in wanted if code not in self.cards)
            self._ids.update(_known(self.side, wanted))
            missing = sorted(wanted - self._ids.keys())
            if missing:
                _insert(self._facts(missing))
                self._ids.update(_known(self.side, set(missing)))
        return self._ids

    def codes(self) -> Iterable[str]:
        """Every account that has lines."""
        return self._ids

    def describe(self) -> None:
        """Names and addresses as the ERP has them now; only once the reading is believed."""
        rows = db.session.execute(select(CurrentAccount.code, *_TOLD).where(CurrentAccount.side == self.side.value))
        known = {code: tuple(told) for code, *told in rows}
        changed = [code for code in self._ids if known[code] != _told(self.cards.get(code) or Account(code, code))]
        if changed:
            _update(self._facts(changed))

    def _facts(self, codes: Iterable[str]) -> list[_Facts]:
        return [_facts(self.side, self.cards.get(code) or Account(code, code)) for code in codes]

    def sum_up(self) -> None:
        """Every account's whole and its last four months, from the months that were laid down."""
        shown = months.up_to(months.month_of(self.fetch.as_of_on), 4)
        columns: list[Any] = [func.sum(AgingMonth.owed_kurus), func.sum(AgingMonth.paid_kurus)]
        for side in (AgingMonth.owed_kurus, AgingMonth.paid_kurus):
            columns += [func.coalesce(func.sum(side).filter(AgingMonth.month == month), 0) for month in shown]
        wanted = (
            select(AgingMonth.fetch_id, AgingMonth.account_id, *columns)
            .where(AgingMonth.fetch_id == self.fetch.id, ~AgingMonth.future)
            .group_by(AgingMonth.fetch_id, AgingMonth.account_id)
        )
        names = [*(f"owed_{place}" for place in range(1, 5)), *(f"paid_{place}" for place in range(1, 5))]
        into = ["fetch_id", "account_id", "owed_kurus", "paid_kurus", *names]
        db.session.execute(insert(AgingStanding).from_select(into, wanted))


def stage_open_items(staging: Staging, items: Iterable[OpenItemSum]) -> None:
    """What the ERP holds for open. An account without a single ledger line comes into being here, and is doubted."""
    found = list(items)
    ids = staging.ids_of({item.account for item in found})
    sums: dict[tuple[int, int], list[int]] = {}
    for item in found:
        owed, paid = item.debit_kurus, item.credit_kurus
        if staging.side is Side.SUPPLIERS:
            owed, paid = paid, owed
        # The database wants each side counted up; an item below zero stands on the other side.
        total = sums.setdefault((ids[item.account], months.month_of(item.month)), [0, 0])
        total[0] += max(owed, 0) + max(-paid, 0)
        total[1] += max(paid, 0) + max(-owed, 0)
    _copy(
        "aging_open_item (fetch_id, account_id, month, owed_kurus, paid_kurus)",
        [
            f"{staging.fetch.id}\t{account}\t{month}\t{owed}\t{paid}\n"
            for (account, month), (owed, paid) in sums.items()
        ],
    )
    hold(staging.fetch)


class _Facts(NamedTuple):
    """What the ERP says of an account, as we keep it."""

    side: str
    code: str
    name: str
    name_key: str
    words: str
    currency: str
    passive: bool
    email: str
    tax_number: str
    salesperson: str
    card_group: str


_TOLD = [getattr(CurrentAccount, name) for name in _Facts._fields if name not in ("side", "code", "name_key", "words")]
_NAMES = ", ".join(_Facts._fields)
_ARRAYS = ", ".join(f"CAST(:{name} AS {'boolean' if name == 'passive' else 'text'}[])" for name in _Facts._fields)
# One array per column: ten thousand accounts are one statement of eleven parameters.
_INSERT = text(
    f"INSERT INTO current_account ({_NAMES}) SELECT * FROM unnest({_ARRAYS}) ON CONFLICT (side, code) DO NOTHING"  # noqa: S608
)
_UPDATE = text(
    f"UPDATE current_account a SET {', '.join(f'{n} = f.{n}' for n in _Facts._fields)}"  # noqa: S608
    f" FROM unnest({_ARRAYS}) AS f({_NAMES}) WHERE a.side = f.side AND a.code = f.code"
)


def _told(account: Account) -> tuple[Any, ...]:
    """What the ERP says of an account, in the order of our columns."""
    # PostgreSQL's text cannot hold NUL, and ERPs have been seen to pad with it.
    name = account.name.replace("\x00", "").strip() or account.code
    contact = (account.email, account.tax_number, account.salesperson, account.group)
    return (name, account.currency, account.passive, *contact)


def _facts(side: Side, account: Account) -> _Facts:
    name, *more = _told(account)
    return _Facts(side.value, account.code, name, formats.sort_key(name), formats.fold(f"{account.code} {name}"), *more)


def _known(side: Side, codes: set[str]) -> dict[str, int]:
    wanted = select(CurrentAccount.code, CurrentAccount.id).where(
        CurrentAccount.side == side.value, CurrentAccount.code == func.any(list(codes))
    )
    return {code: account_id for code, account_id in db.session.execute(wanted)}


def _insert(facts: list[_Facts]) -> None:
    db.session.execute(_INSERT, _by_column(facts))


def _update(facts: list[_Facts]) -> None:
    db.session.execute(_UPDATE, _by_column(facts))


def _by_column(facts: list[_Facts]) -> dict[str, list[Any]]:
    return {name: list(column) for name, column in zip(_Facts._fields, zip(*facts, strict=True), strict=True)}


def _copy(into: str, rows: Iterable[str]) -> None:
    """COPY: ten times faster than INSERT for rows by the hundred thousand. Rows are text, made at once."""
    line = db.session.connection().connection.cursor()
    with line.copy(f"COPY {into} FROM STDIN") as copy:
        copy.write("".join(rows))


@lru_cache(maxsize=16_384)
def _day(value: date | None) -> str:
    """As COPY wants it; the same days come again and again."""
    return "\\N" if value is None else value.isoformat()
