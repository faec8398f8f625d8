"""A ledger of lines in memory that plays the ERP honestly: every sum it gives is made from the lines it has.

And it can be told to misbehave: to lie in its totals, to stop in the middle, to wait, to be away.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from portal.receivables.ports import (
    Account,
    Condition,
    DateBasis,
    Document,
    ErpBalance,
    ErpMonth,
    Finding,
    Fingerprint,
    LedgerUnreadable,
    MonthSum,
    OpenItemSum,
    Reason,
    Side,
    Totals,
)

MICRO = 10_000
T = TypeVar("T")


@dataclass
class Line:
    """One posting: kuruş, on which side; below zero it stands on the other."""

    account: str
    on: date | None
    kurus: int
    debit: bool = True
    number: str = ""
    due_on: date | None = None
    open_kurus: int | None = None  # what the ERP holds for open of it

    @property
    def sides(self) -> tuple[int, int]:
        """Debit and credit, neither below zero."""
        up = self.debit == (self.kurus >= 0)
        return (abs(self.kurus), 0) if up else (0, abs(self.kurus))


@dataclass
class Ledger:
    """The ERP's books, and what is wrong with them today."""

    name: str = "Deneme defteri"
    date_basis: DateBasis = DateBasis.POSTED
    lines: list[Line] = field(default_factory=list)
    cards: dict[str, Account] = field(default_factory=dict)
    chunk: int = 3
    away: Reason | None = None  # cannot be reached at all
    breaks_after: int | None = None  # the connection drops after so many chunks of months
    missing: int = 0  # so many months never arrive, though the ERP counted them
    totals_out_micro: int = 0
    balances_out: dict[str, int] = field(default_factory=dict)
    months_out: dict[date, int] = field(default_factory=dict)
    odd: list[Finding] = field(default_factory=list)
    keeps_open_items: bool = False
    open_items_out: dict[str, int] = field(default_factory=dict)
    more_cards: list[Account] = field(default_factory=list)
    at_chunk: Callable[[int], None] = lambda _place: None
    readings: int = 0
    asked_for: list[tuple[str, ...]] = field(default_factory=list)  # whose months; nobody's: everybody's
    at_once: int = 0
    most_at_once: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, account: str, on: date | None, kurus: int, *, debit: bool = True, number: str = "") -> Line:
        """Post a line; the card comes with it."""
        self.cards.setdefault(account, Account(account, f"Cari {account}"))
        line = Line(account, on, kurus, debit, number or f"F{len(self.lines) + 1}")
        self.lines.append(line)
        return line

    def of(self, side: Side) -> list[Line]:
        """One side's lines."""
        return [line for line in self.lines if line.account.startswith(side.value)]

    def probe(self) -> Condition:
        """How it is."""
        self._reach()
        return Condition(self.name, (), len(self.lines), None, ())

    @contextmanager
    def reading(self, side: Side, as_of: date) -> Iterator[MemoryReading]:
        """One look at one side."""
        self._reach()
        with self._lock:
            self.readings += 1
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            yield MemoryReading(self, side, as_of)
        finally:
            with self._lock:
                self.at_once -= 1

    def documents(self, account: str, months: tuple[date | None, ...], as_of: date) -> list[Document]:
        """The lines behind some months."""
        self._reach()
        found = [
            line
            for line in self.lines
            if line.account == account and _month(line.on) in months and (line.on is None or line.on <= as_of)
        ]
        return [
            Document(line.on, "4/38", line.number, "", *line.sides, opening=line.on is None, due_on=line.due_on)
            for line in sorted(found, key=lambda line: line.on or date.min)
        ]

    def _reach(self) -> None:
        if self.away:
            raise LedgerUnreadable(self.away, clue="test")


def _month(on: date | None) -> date | None:
    return on.replace(day=1) if on else None


class MemoryReading:
    """One snapshot of one side."""

    def __init__(self, ledger: Ledger, side: Side, as_of: date) -> None:
        self.ledger, self.as_of = ledger, as_of
        self.lines = list(ledger.of(side))
        self.side = side
        self.sums = self._sums()
        self.came: list[MonthSum] = []
        self.done = False

    def accounts(self, only: Sequence[str] = ()) -> Iterator[list[Account]]:
        """Cards, some at a time."""
        cards = [
            card
            for code, card in sorted(self.ledger.cards.items())
            if code.startswith(self.side.value) and (not only or code in only)
        ]
        yield from _chunks([*cards, *self.ledger.more_cards], self.ledger.chunk)

    def months(self, only: Sequence[str] = ()) -> Iterator[list[MonthSum]]:
        """Months, some at a time, until it breaks."""
        self.ledger.asked_for.append(tuple(only))
        if only:
            yield [row for row in self.sums if row.account in only]
            return
        self.came, self.done = [], False
        sums = self.sums[: len(self.sums) - self.ledger.missing]
        for place, chunk in enumerate(_chunks(sums, self.ledger.chunk)):
            self.ledger.at_chunk(place)
            if self.ledger.breaks_after is not None and place >= self.ledger.breaks_after:
                raise LedgerUnreadable(Reason.DROPPED, clue="test")
            self.came += chunk
            yield chunk
        self.done = True

    def fingerprints(self) -> Iterator[list[Fingerprint]]:
        """Per account, from the lines themselves."""
        found: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0, 0])
        for line in self.lines:
            month = line.on.year * 100 + line.on.month if line.on else 0
            weight = month * 2 + (line.on is not None and line.on > self.as_of)
            debit, credit = (side * MICRO for side in line.sides)
            for place, value in enumerate((1, debit, credit, debit * weight, credit * weight)):
                found[line.account][place] += value
        self.came = list(self.sums)
        self.done = True
        return _chunks([Fingerprint(account, *rest) for account, rest in sorted(found.items())], self.ledger.chunk)

    def totals(self) -> Totals:
        """Ungrouped, and what came."""
        if not self.done:
            raise LedgerUnreadable(Reason.HALF_AN_ANSWER)
        debit = sum(line.sides[0] for line in self.lines) * MICRO + self.ledger.totals_out_micro
        credit = sum(line.sides[1] for line in self.lines) * MICRO
        came = (sum(row.debit_kurus for row in self.came), sum(row.credit_kurus for row in self.came))
        lines = sum(row.lines for row in self.came)
        return Totals(debit, credit, len(self.lines), came[0] * MICRO, came[1] * MICRO, lines)

    def findings(self) -> list[Finding]:
        """What it was told to find."""
        return self.ledger.odd

    def erp_balances(self) -> Iterator[list[ErpBalance]] | None:
        """Per account, future included."""
        found: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for line in self.lines:
            found[line.account][0] += line.sides[0]
            found[line.account][1] += line.sides[1]
        for account, out in self.ledger.balances_out.items():
            found[account][0] += out
        return _chunks([ErpBalance(account, *sides) for account, sides in sorted(found.items())], self.ledger.chunk)

    def erp_months(self) -> list[ErpMonth] | None:
        """Per month over all accounts."""
        found: dict[date, list[int]] = defaultdict(lambda: [0, 0])
        for line in self.lines:
            if line.on:
                found[line.on.replace(day=1)][0] += line.sides[0]
                found[line.on.replace(day=1)][1] += line.sides[1]
        for month, out in self.ledger.months_out.items():
            found[month][0] += out
        return [ErpMonth(month, *sides) for month, sides in sorted(found.items())]

    def open_items(self) -> Iterator[list[OpenItemSum]] | None:
        """What is open, by the month of the due date."""
        if not self.ledger.keeps_open_items:
            return None
        found: dict[tuple[str, date], list[int]] = defaultdict(lambda: [0, 0, 0])
        for line in self.lines:
            if line.open_kurus and line.on and line.on <= self.as_of:
                due = (line.due_on or line.on).replace(day=1)
                entry = found[line.account, due]
                entry[0 if line.sides[0] else 1] += line.open_kurus
                entry[2] += 1
        for account, out in self.ledger.open_items_out.items():
            found[account, self.as_of.replace(day=1)][0] += out
        items = [OpenItemSum(account, month, *rest) for (account, month), rest in sorted(found.items())]
        return _chunks(items, self.ledger.chunk)

    def _sums(self) -> list[MonthSum]:
        found: dict[tuple[str, date | None, bool], list[Line]] = defaultdict(list)
        for line in self.lines:
            found[line.account, _month(line.on), line.on is not None and line.on > self.as_of].append(line)
        rows = []
        for (account, month, future), lines in found.items():
            days = [line.on for line in lines if line.on]
            debit, credit = (sum(line.sides[side] for line in lines) for side in (0, 1))
            first, last = (min(days), max(days)) if days else (None, None)
            rows.append(MonthSum(account, month, future, debit, credit, len(lines), first, last))
        return sorted(rows, key=lambda row: (row.account, row.month or date.min, row.future))


def _chunks(rows: list[T], size: int) -> Iterator[list[T]]:
    return (rows[begin : begin + size] for begin in range(0, len(rows), size))
