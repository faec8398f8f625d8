"""What has to be played by whoever gives us a ledger."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from portal.receivables.ports.facts import (
    Account,
    Condition,
    DateBasis,
    Document,
    ErpBalance,
    ErpMonth,
    Finding,
    Fingerprint,
    MonthSum,
    OpenItemSum,
    Side,
    Totals,
)
from portal.receivables.ports.unreadable import LedgerUnreadable, Reason


class Reading(Protocol):
    """One look at one side of the ledger: one connection, one snapshot where the ERP can give one.

    Ask in this order: accounts, months, then totals (which compares with the months that came).
    """

    def accounts(self, only: Sequence[str] = ()) -> Iterator[list[Account]]:
        """Every account of this side (or only these), by code, some thousands at a time."""

    def months(self, only: Sequence[str] = ()) -> Iterator[list[MonthSum]]:
        """Every month of every account (or only of these), an account's months together, some thousands at a time."""

    def fingerprints(self) -> Iterator[list[Fingerprint]]:
        """What every account's lines add up to: tells which accounts changed without their months travelling."""

    def totals(self) -> Totals:
        """The control totals, beside all months or all fingerprints, whichever was read last.

        Refuses with HALF_AN_ANSWER when those were not read to their end.
        """

    def findings(self) -> list[Finding]:
        """What is odd about the lines."""

    def erp_balances(self) -> Iterator[list[ErpBalance]] | None:
        """The ERP's own balances, or None where it keeps none (or not for the periods we read)."""

    def erp_months(self) -> list[ErpMonth] | None:
        """The ERP's own sums per month, or None where it keeps none."""

    def open_items(self) -> Iterator[list[OpenItemSum]] | None:
        """Open items as of the day, or None where the ERP has none."""


class LedgerSource(Protocol):
    """An ERP's current accounts. Everything raises LedgerUnreadable, and nothing else."""

    name: str
    date_basis: DateBasis

    def probe(self) -> Condition:
        """Connect, look at tables, columns and periods, and say how it is."""

    def reading(self, side: Side, as_of: date) -> AbstractContextManager[Reading]:
        """Open the ledger as of the end of a day (Istanbul); it is closed again however it ends."""

    def documents(self, account: str, months: tuple[date | None, ...], as_of: date) -> list[Document]:
        """The lines behind an account's months (None: what was carried in), oldest first, dated up to the day."""


@dataclass(frozen=True)
class LedgerSources:
    """Where each side is read; a side may have none."""

    sides: dict[Side, tuple[LedgerSource, ...]]

    def of(self, side: Side) -> LedgerSource:
        """The first source of a side. Refuses when none is set up."""
        found = self.sides.get(side, ())
        if not found:
            raise LedgerUnreadable(Reason.NOT_CONFIGURED)
        return found[0]
