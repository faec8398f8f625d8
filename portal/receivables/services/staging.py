"""What a reading brings is laid down under its own id, chunk by chunk; nobody sees it before it reconciles."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import func, insert, select, update

from portal.core import formats
from portal.core.database import db
from portal.receivables import months
from portal.receivables.models import AgingFetch, AgingMonth, AgingStanding, CurrentAccount
from portal.receivables.ports import Account, LedgerUnreadable, MonthSum, OpenItemSum, Reason, Side
from portal.receivables.services.fetches import Claim, hold
from portal.receivables.states import Step

CHUNK = 10_000


class _Key(NamedTuple):
    account: str
    month: int
    future: bool


class _Sum:
    """One account's month while partitions of the ledger are still being put together."""

    __slots__ = ("first_on", "last_on", "lines", "owed", "paid")

    def __init__(self) -> None:
        self.owed = self.paid = self.lines = 0
        self.first_on: date | None = None
        self.last_on: date | None = None

    def add(self, row: MonthSum, owed: int, paid: int) -> None:
        self.owed += owed
        self.paid += paid
        self.lines += row.lines
        self.first_on = min(filter(None, (self.first_on, row.first_on)), default=None)
        self.last_on = max(filter(None, (self.last_on, row.last_on)), default=None)


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
        for row in sums:
            if row.debit_kurus < 0 or row.credit_kurus < 0 or row.lines < 0 or not row.account:
                raise LedgerUnreadable(Reason.UNREADABLE, where=row.account)
            owed, paid = (row.debit_kurus, row.credit_kurus)
            if self.side is Side.SUPPLIERS:
                owed, paid = paid, owed
            key = _Key(row.account, months.month_of(row.month), row.future)
            self._pending.setdefault(key, _Sum()).add(row, owed, paid)
            self._last = row.account

    def lay_down(self, *, all_of_it: bool = False) -> None:
        """Write what is complete: everything but the account still arriving."""
        ready = {key: found for key, found in self._pending.items() if all_of_it or key.account != self._last}
        if not ready:
            return
        ids = self.ids_of({key.account for key in ready})
        fetch_id = self.fetch.id
        _copy(
            "aging_month (owed_kurus, paid_kurus, fetch_id, account_id, month, lines, first_on, last_on, future)",
            (
                (s.owed, s.paid, fetch_id, ids[key.account], key.month, s.lines, s.first_on, s.last_on, key.future)
                for key, s in ready.items()
            ),
        )
        for key in ready:
            del self._pending[key]
        rows = AgingFetch.months + len(ready)
        lines = AgingFetch.lines + sum(found.lines for found in ready.values())
        hold(self.fetch, step=Step.MONTHS, accounts=len(self._ids), months=rows, lines=lines)

    def ids_of(self, codes: set[str]) -> dict[str, int]:
        """Our ids of these accounts; new ones come into being."""
        new = sorted(codes - self._ids.keys())
        if new:
            self.without_card.update(code for code in new if code not in self.cards)
            facts = [_facts(self.side, self.cards.get(code) or Account(code, code)) for code in new]
            _insert_accounts(facts)
            wanted = select(CurrentAccount.code, CurrentAccount.id).where(
                CurrentAccount.side == self.side.value, CurrentAccount.code == func.any(new)
            )
            self._ids.update({code: account_id for code, account_id in db.session.execute(wanted)})
        return self._ids

    def codes(self) -> Iterable[str]:
        """Every account that has lines."""
        return self._ids

    def describe(self) -> None:
        """Names and addresses as the ERP has them now; only once the reading is believed."""
        known = {
            row.code: row
            for row in db.session.scalars(select(CurrentAccount).where(CurrentAccount.side == self.side.value))
        }
        changed = []
        for code, account_id in self._ids.items():
            facts = _facts(self.side, self.cards.get(code) or Account(code, code))
            if any(getattr(known[code], name) != value for name, value in facts.items()):
                changed.append({"id": account_id, **facts})
        if changed:
            db.session.execute(update(CurrentAccount), changed)

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
        ((staging.fetch.id, account, month, *amounts) for (account, month), amounts in sums.items()),
    )
    hold(staging.fetch)


def _facts(side: Side, account: Account) -> dict[str, Any]:
    name = account.name.strip() or account.code
    return {
        "side": side.value,
        "code": account.code,
        "name": name,
        "name_key": formats.sort_key(name),
        "words": formats.fold(f"{account.code} {name}"),
        "currency": account.currency,
        "passive": account.passive,
        "email": account.email,
        "tax_number": account.tax_number,
        "salesperson": account.salesperson,
        "card_group": account.group,
    }


def _insert_accounts(facts: list[dict[str, Any]]) -> None:
    from sqlalchemy.dialects.postgresql import insert as upsert

    for begin in range(0, len(facts), 2000):
        rows = facts[begin : begin + 2000]
        db.session.execute(
            upsert(CurrentAccount).values(rows).on_conflict_do_nothing(constraint="a_code_is_one_account")
        )


def _copy(into: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """COPY: ten times faster than INSERT for rows by the hundred thousand."""
    line = db.session.connection().connection.cursor()
    with line.copy(f"COPY {into} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
