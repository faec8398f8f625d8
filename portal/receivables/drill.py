"""From a bucket to the documents it is made of; their open parts add up to the bucket, to the kuruş."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from flask_babel import lazy_gettext as _l

from portal.core.errors import Refusal
from portal.receivables import months
from portal.receivables.ports import Document, Side
from portal.receivables.rules import Mode, still_open

BEFORE = "before"


class LedgerMovedOn(Refusal):
    """The ERP's lines are no longer those the figures were made of."""

    code = "ledger_moved_on"

    def __init__(self, read: int, now: int) -> None:
        super().__init__(_l("The ERP has changed since these figures were read. Fetch the data again."))
        self.read, self.now = read, now


class Part(NamedTuple):
    """A document and how much of it stands in the bucket; kuruş. A payment counts below zero (net_signed only)."""

    document: Document
    whole: int
    open: int


class Needed(NamedTuple):
    """Which months' documents make up a bucket, and what they added to the debt when they were read."""

    months: tuple[int, ...]
    owed: int
    paid: int


def needed(
    course: Sequence[tuple[int, int, int]], bucket: str, shown: Sequence[int], open_sum: int, mode: Mode
) -> Needed:
    """The months to ask the ERP about.

    For Öncesi not all of the past: payments closed the oldest debts, so the newest months that add up to the bucket
    hold every open document.
    """
    if bucket != BEFORE:
        chosen = [row for row in course if row[0] == int(bucket)]
    else:
        chosen = [row for row in course if row[0] < shown[0]]
        if mode is Mode.FIFO:
            chosen = _newest_covering(chosen, open_sum)
    return Needed(tuple(row[0] for row in chosen), sum(row[1] for row in chosen), sum(row[2] for row in chosen))


def _newest_covering(course: list[tuple[int, int, int]], open_sum: int) -> list[tuple[int, int, int]]:
    found: list[tuple[int, int, int]] = []
    for row in sorted(course, reverse=True):
        if open_sum <= 0:
            break
        found.append(row)
        open_sum -= row[1]
    return found[::-1]


def parts(documents: Sequence[Document], want: Needed, open_sum: int, *, side: Side, mode: Mode) -> list[Part]:
    """Documents with their open parts, oldest first. Refuses with `LedgerMovedOn` when they are not what was read."""
    ordered = sorted(documents, key=lambda found: months.CARRIED_IN if found.on is None else found.on.toordinal())
    sums = [_owed_and_paid(found, side) for found in ordered]
    now = (sum(owed for owed, _paid in sums), sum(paid for _owed, paid in sums))
    if now != (want.owed, want.paid):
        raise LedgerMovedOn(want.owed - want.paid, now[0] - now[1])
    if mode is Mode.NET_SIGNED:
        return [Part(found, owed - paid, owed - paid) for found, (owed, paid) in zip(ordered, sums, strict=True)]
    open_ = still_open([owed for owed, _paid in sums], open_sum=open_sum)
    return [Part(found, owed, left) for found, (owed, _paid), left in zip(ordered, sums, open_, strict=True) if owed]


def _owed_and_paid(document: Document, side: Side) -> tuple[int, int]:
    if side is Side.CUSTOMERS:
        return document.debit_kurus, document.credit_kurus
    return document.credit_kurus, document.debit_kurus
