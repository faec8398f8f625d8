"""The ERP is played by a ledger in memory, through the same port as the real one. It is 15 May 2025."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from flask import Flask

from portal.core import clock
from portal.core.ports import cast_role
from portal.core.unit_of_work import atomic
from portal.receivables.ports import Account, LedgerSources, Side
from tests.receivables import CODE
from tests.receivables.source import Ledger


def travel(year: int, month: int, day: int, hour: int = 10) -> None:
    """Move the business's clock; the machine's own goes on, for tokens and leases."""
    there = datetime(year, month, day, hour, 0, 5, tzinfo=clock.ISTANBUL)
    with atomic():
        clock.move_to(int((there - datetime.now(UTC)).total_seconds()))


@pytest.fixture
def ledger(app: Flask) -> Ledger:
    """An ERP with empty books, for both sides."""
    travel(2025, 5, 15)
    found = Ledger()
    cast_role(app, LedgerSources, LedgerSources(dict.fromkeys(Side, (found,))))
    return found


@pytest.fixture
def aytek(ledger: Ledger) -> Ledger:
    """The ERP with the specification's customer in it."""
    ledger.cards[CODE] = Account(CODE, "AYTEK TEKNOLOJİ A.Ş.", email="muhasebe@aytek.example")
    ledger.add(CODE, date(2024, 11, 3), 500_000_00)
    ledger.add(CODE, date(2024, 12, 3), 300_000_00, debit=False)
    for month, amount in ((2, 354_300_50), (3, 400_000_00), (4, 250_000_00), (5, 50_000_00)):
        ledger.add(CODE, date(2025, month, 7), amount)
    return ledger
