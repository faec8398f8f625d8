"""From which months a balance stems. Pure sums over whole kuruş (facts: ERP §3.5).

What raises a debt is called *owed* (a customer's debit, a supplier's credit), what lowers it *paid*: payables are
receivables in a mirror, and nothing below has to know which is which.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from flask_babel import lazy_gettext as _l

from portal.core.errors import Refusal

DEFAULT_MONTHS = 4
MOST_MONTHS = 24


class Mode(StrEnum):
    """How payments find the debts they close."""

    FIFO = "fifo"  # any payment closes the oldest debt: what the balance is really made of
    NET_SIGNED = "net_signed"  # each month's debt less each month's payments; months may go below zero
    OPEN_ITEM = "open_item"  # what the ERP itself holds for open, by due date


class MonthOwed(NamedTuple):
    """What one month added to a debt and what it took away, in kuruş, neither below zero."""

    month: int
    owed: int
    paid: int


class Aged(NamedTuple):
    """A balance and the months it stems from, in kuruş. `later` is what falls due after the shown months."""

    balance: int
    before: int
    shown: tuple[int, ...]
    later: int = 0

    @property
    def in_credit(self) -> int:
        """What we owe them: shown apart, never netted into a month."""
        return max(-self.balance, 0)


class OpenItemsDisagree(Refusal):
    """The ERP's open items do not add up to its balance: their ages would be invented."""

    code = "open_items_disagree"

    def __init__(self, items: int, balance: int) -> None:
        super().__init__(_l("The open items do not add up to the balance; they cannot be shown by age."))
        self.items, self.balance = items, balance


def sides(amount: int, *, raises: bool) -> tuple[int, int]:
    """(owed, paid) of one line: an amount below zero stands on the other side, row by row, never month by month."""
    owed = amount if raises else -amount
    return (owed, 0) if owed > 0 else (0, -owed)


def aged(sums: Iterable[MonthOwed], shown: Sequence[int], mode: Mode = Mode.FIFO) -> Aged:
    """An account's balance by the months it stems from; months before the shown ones are one bucket.

    Months after the last shown one must have been left out by the caller: what is not yet due has no age.
    """
    by_month: dict[int, tuple[int, int]] = {}
    for month, owed, paid in sums:
        assert owed >= 0 and paid >= 0, "a line below zero stands on the other side"
        assert month <= shown[-1], "a month after the last shown one"
        before = by_month.get(month, (0, 0))
        by_month[month] = (before[0] + owed, before[1] + paid)
    return _fifo(by_month, shown) if mode is Mode.FIFO else _net(by_month, shown)


def _fifo(by_month: dict[int, tuple[int, int]], shown: Sequence[int]) -> Aged:
    """All payments together close the oldest debts: so what is left open is the newest debts, up to the balance."""
    balance = sum(owed - paid for owed, paid in by_month.values())
    rest = max(balance, 0)
    open_: list[int] = []
    for month in reversed(shown):
        left = min(rest, by_month.get(month, (0, 0))[0])
        open_.append(left)
        rest -= left
    return Aged(balance, rest, tuple(reversed(open_)))


def _net(by_month: dict[int, tuple[int, int]], shown: Sequence[int]) -> Aged:
    net = {month: owed - paid for month, (owed, paid) in by_month.items()}
    months = tuple(net.get(month, 0) for month in shown)
    balance = sum(net.values())
    return Aged(balance, balance - sum(months), months)


def aged_open_items(items: Iterable[MonthOwed], shown: Sequence[int], *, balance: int) -> Aged:
    """What the ERP holds for open, by month of the due date. Refuses when it is not the ledger's balance (check 9)."""
    net: dict[int, int] = {}
    for month, owed, paid in items:
        net[month] = net.get(month, 0) + owed - paid
    if sum(net.values()) != balance:
        raise OpenItemsDisagree(sum(net.values()), balance)
    months = tuple(net.get(month, 0) for month in shown)
    later = sum(amount for month, amount in net.items() if month > shown[-1])
    return Aged(balance, balance - sum(months) - later, months, later)


def still_open(owed: Sequence[int], *, open_sum: int) -> list[int]:
    """How much of each document (oldest first) is open, when `open_sum` of all of them is: payments closed the oldest.

    The drill-down of a bucket: the parts add up to the bucket.
    """
    assert 0 <= open_sum <= sum(owed), "more is open than was owed"
    closed = sum(owed) - open_sum
    parts = []
    for amount in owed:
        closes = min(amount, closed)
        parts.append(amount - closes)
        closed -= closes
    return parts
