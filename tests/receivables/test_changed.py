"""Only what changed is read again: the figures are those of a whole reading, and where they could not be, it is whole."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from flask import Flask

from portal.core.unit_of_work import atomic
from portal.health.books import ask_the_books
from portal.receivables import queries
from portal.receivables import services as receivables
from portal.receivables.ports import Account, Finding, Oddity, Reason, Side
from tests.receivables.conftest import travel
from tests.receivables.source import Ledger
from tests.receivables.test_fetch import AYSE, number, read, rows


@pytest.fixture
def busy(app: Flask, ledger: Ledger) -> Ledger:
    """Forty accounts over half a year, read whole this morning; from now on only changes are asked for."""
    for n in range(240):
        ledger.add(f"120.{n % 40:02}", date(2025, 1 + n // 40 % 5, 1 + n % 14), 100_00 + n, debit=n // 40 % 3 < 2)
    assert read().state == "DONE"
    app.config["AGING_CHANGED_ONLY"] = True
    travel(2025, 5, 15, 11)
    ledger.asked_for.clear()
    return ledger


def test_changed_accounts_travel_alone_and_the_figures_are_those_of_a_whole_reading(app: Flask, busy: Ledger) -> None:
    shown, before = queries.current(Side.CUSTOMERS), rows()
    assert shown
    first, second = [line for line in busy.lines if line.account == "120.07"][:2]
    sums = first.kurus + second.kurus
    assert first.on and second.on and first.on.month != second.on.month and first.debit and second.debit
    first.on, second.on = second.on, first.on  # no sum of the account changes, only its months
    assert first.kurus + second.kurus == sums
    next(line for line in busy.lines if line.account == "120.11").kurus += 1
    busy.lines = [line for line in busy.lines if line.account != "120.23"]
    busy.add("120.99", date(2025, 5, 2), 77_00)
    fetch = read()
    assert busy.asked_for == [("120.07", "120.11", "120.23", "120.99")]
    assert (fetch.state, fetch.live, fetch.is_current, fetch.accounts) == ("DONE", False, False, 4)
    assert ask_the_books() == []
    folded, renewed = rows(), queries.current(Side.CUSTOMERS)
    assert renewed and (renewed.id, renewed.lines, renewed.accounts) == (shown.id, len(busy.lines), 40)
    assert fetch.read_at and renewed.read_at == fetch.read_at
    assert folded != before and number("SELECT count(DISTINCT fetch_id) FROM aging_month") == 1
    supplier = busy.add("320.01", date(2025, 4, 2), 900_00, debit=False)
    assert read(Side.SUPPLIERS).is_current  # the first of its day is whole
    supplier.kurus = 700_00
    assert (read(Side.SUPPLIERS).live, rows(side=Side.SUPPLIERS)[0][2], busy.asked_for.pop()) == (
        False,
        700_00,
        ("320.01",),
    )
    assert busy.asked_for.pop() == ()
    read()  # nothing changed: nothing travels
    assert len(busy.asked_for) == 1 and rows() == folded
    app.config["AGING_CHANGED_ONLY"] = False
    assert read().is_current
    assert busy.asked_for[1:] == [()] and rows() == folded
    assert [found.id for found in queries.good_readings(Side.CUSTOMERS)] == [shown.id + 5, shown.id]


def fails(ledger: Ledger) -> None:
    """The ERP is away for one reading."""
    ledger.away = Reason.UNREACHABLE
    assert read().state == "FAILED"
    ledger.away = None


TROUBLES: dict[str, tuple[Callable[[Ledger], object], str]] = {
    "the control totals differ": (lambda ledger: setattr(ledger, "totals_out_micro", 10_000), "SUSPICIOUS"),
    "a balance is another": (lambda ledger: ledger.balances_out.update({"120.05": 5_00}), "SUSPICIOUS"),
    "a month is another": (lambda ledger: ledger.months_out.update({date(2025, 3, 1): 90_00}), "SUSPICIOUS"),
    "the ERP finds a line odd": (lambda ledger: ledger.odd.append(Finding(Oddity.ODD_SIGN, 1)), "SUSPICIOUS"),
    "a new account has two names": (lambda ledger: ledger.more_cards.append(Account("120.07", "BAŞKA")), "SUSPICIOUS"),
    "a line of the future came": (lambda ledger: ledger.add("120.07", date(2025, 6, 1), 1), "DONE"),
    "a tenth of the accounts changed": (lambda ledger: [ledger.add(f"120.{n:02}", date(2025, 5, 1), 1) for n in range(5)], "DONE"),
    "the reading before failed": (fails, "DONE"),
    "a new day has begun": (lambda _ledger: travel(2025, 5, 16), "DONE"),
}  # fmt: skip


def test_what_cannot_be_folded_in_is_read_whole(app: Flask, busy: Ledger) -> None:
    app.config["AGING_CHANGED_ONLY"] = True
    shown = rows()
    for name, (happens, state) in TROUBLES.items():
        busy.add("120.07", date(2025, 5, 3), 1_00)
        happens(busy)
        fetch = read()
        assert busy.asked_for[-1] == (), name
        assert (fetch.state, fetch.live, fetch.is_current) == (state, True, state == "DONE"), name
        assert (rows() == shown) == (state == "SUSPICIOUS"), name
        for wrong in (busy.odd, busy.more_cards, busy.balances_out, busy.months_out):
            wrong.clear()
        busy.totals_out_micro = 0
        app.config["AGING_CHANGED_ONLY"] = False
        assert read().is_current  # mended; the next trouble finds good data
        app.config["AGING_CHANGED_ONLY"] = True
        shown = rows()


def test_a_reader_given_up_for_dead_folds_nothing_in(busy: Ledger) -> None:
    busy.add("120.07", date(2025, 5, 3), 1_00)
    shown = rows()
    with atomic():
        asked = receivables.ask(Side.CUSTOMERS, date(2025, 5, 15), live=True, by=AYSE)
        late = receivables.claim(asked.id)
        base = receivables.base_of(late, source=busy.name, date_basis=busy.date_basis.value) if late else None
    assert late and base
    with atomic():
        fetch = queries.fetch(asked.id)
        fetch.fence += 1  # another reader took over
    with busy.reading(Side.CUSTOMERS, date(2025, 5, 15)) as reading:
        sums = [row for some in reading.fingerprints() for row in some]
        months = [row for some in reading.months(["120.07"]) for row in some]
        totals = reading.totals()
    said = receivables.Renewal(["120.07"], sums, [], months, totals, [], None, None, None)
    with pytest.raises(receivables.LostTheReading), atomic():
        receivables.fold_in(late, base, said)
    assert rows() == shown
