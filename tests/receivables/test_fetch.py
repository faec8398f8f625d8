"""Reading the ERP: whole or not at all."""

from __future__ import annotations

from datetime import date

from flask import Flask

from portal.core.actor import Actor
from portal.core.database import db
from portal.receivables import queries
from portal.receivables.ports import Side
from portal.receivables.queries import Filter, Window
from portal.workflows import aging_fetch
from tests.receivables.source import Ledger

AYSE = Actor("Ayşe")


def test_the_specs_row_comes_out_of_the_stored_months(app: Flask, ledger: Ledger) -> None:
    ledger.add("120.40.0000123", date(2024, 11, 3), 500_000_00)
    ledger.add("120.40.0000123", date(2024, 12, 3), 300_000_00, debit=False)
    for month, amount in ((2, 354_300_50), (3, 400_000_00), (4, 250_000_00), (5, 50_000_00)):
        ledger.add("120.40.0000123", date(2025, month, 7), amount)
    fetch = aging_fetch.read_now(Side.CUSTOMERS, by=AYSE, patience_seconds=1)
    assert (fetch.state, fetch.is_current, fetch.accounts, fetch.lines) == ("DONE", True, 1, 6)
    view = queries.view(Side.CUSTOMERS, Window.of(None, None))
    found = [tuple(row) for row in queries.all_rows(view, Filter())]
    db.session.rollback()
    assert found == [
        (
            "120.40.0000123",
            "Cari 120.40.0000123",
            1_254_300_50,
            200_000_00,
            354_300_50,
            400_000_00,
            250_000_00,
            50_000_00,
            0,
        )
    ]
