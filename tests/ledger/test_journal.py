"""The books: balanced by construction, added to only, and never below zero where they must not be."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from portal.core.actor import SYSTEM
from portal.core.database import db
from portal.core.money import Money
from portal.core.unit_of_work import atomic
from portal.ledger import accounts, services
from portal.ledger import queries as ledger
from portal.ledger.services import Pair
from tests.cast import Cast

TODAY = date(2026, 11, 21)
BANK, ESCROW, COMMISSION = accounts.BANK, accounts.ESCROW, accounts.COMMISSION


def post(key: str, *pairs: Pair, on: date = TODAY, kind: str = "TEST") -> int:
    """Write an entry in a unit of its own."""
    with atomic():
        return services.post(kind, pairs, key=key, subject=("test", key), by=SYSTEM, because="a test", effective_on=on)


def test_the_same_key_is_the_same_entry(app: Flask) -> None:
    first = post("a", Pair(BANK, ESCROW, Money(100)))
    assert post("a", Pair(BANK, ESCROW, Money(100))) == first
    assert ledger.balance(ESCROW) == Money(100)


def test_the_same_key_for_something_else_is_our_own_mistake(app: Flask) -> None:
    post("a", Pair(BANK, ESCROW, Money(100)))
    with pytest.raises(services.SameKeyOtherEntry):
        post("a", Pair(BANK, ESCROW, Money(101)))
    assert ledger.balance(ESCROW) == Money(100)


def test_a_reversal_takes_everything_back_once(app: Flask) -> None:
    entry = post("a", Pair(BANK, ESCROW, Money(100)), Pair(BANK, COMMISSION, Money(7)))
    with atomic():
        services.reverse(entry, key="b", by=SYSTEM, because="wrong", effective_on=TODAY)
    assert (ledger.balance(ESCROW), ledger.balance(COMMISSION), ledger.balance(BANK)) == (Money(0),) * 3
    with pytest.raises(services.AlreadyReversed), atomic():
        services.reverse(entry, key="c", by=SYSTEM, because="wrong", effective_on=TODAY)


def test_a_balance_can_be_asked_as_of_any_day(app: Flask) -> None:
    for day in (1, 5, 9):
        post(f"d{day}", Pair(BANK, ESCROW, Money(10)), on=date(2026, 11, day))
    assert [ledger.balance(ESCROW, as_of=date(2026, 11, d)).kurus for d in (0 + 1, 4, 5, 30)] == [10, 10, 20, 30]
    assert {r.code: r.balance_kurus for r in ledger.balances(as_of=date(2026, 11, 5))}[ESCROW] == 20


def test_a_seller_is_never_owed_less_than_nothing(app: Flask, cast: Cast) -> None:
    seller = accounts.seller(cast.deniz.organisation_id)
    post("a", Pair(ESCROW, seller, Money(100)))
    with pytest.raises(DBAPIError, match="never_below_zero"):
        post("b", Pair(seller, BANK, Money(101)))
    assert ledger.seller_balance(cast.deniz.organisation_id) == Money(100)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE posting SET amount_kurus = 1", "DELETE FROM posting", "TRUNCATE posting",
        "UPDATE journal_entry SET because = 'x'", "DELETE FROM journal_entry", "TRUNCATE journal_entry CASCADE",
        "INSERT INTO posting (entry_id, debit_account_id, credit_account_id, amount_kurus) VALUES (1, 1, 1, 5)",
        "INSERT INTO posting (entry_id, debit_account_id, credit_account_id, amount_kurus) VALUES (1, 1, 2, -5)",
        "INSERT INTO posting (entry_id, debit_account_id, credit_account_id, amount_kurus) VALUES (1, 1, 2, 0)",
        "UPDATE ledger_account SET balance_kurus = -1 WHERE limited", "TRUNCATE transition", "UPDATE audit_event SET actor = 'x'",
        "INSERT INTO journal_entry (idempotency_key, kind, subject_kind, subject_id, effective_on, actor, because, details)"
        " VALUES ('a', 'X', 'x', '1', now(), 'x', 'x', '{}')",
    ],
)  # fmt: skip
def test_the_database_itself_refuses(app: Flask, cast: Cast, statement: str) -> None:
    post("a", Pair(ESCROW, accounts.seller(cast.deniz.organisation_id), Money(100)))
    with atomic():
        from portal.core import audit

        audit.write_down("test", by=SYSTEM, about=("test", 1))
    with pytest.raises(DBAPIError):
        db.session.execute(text(statement))
    db.session.rollback()


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.sampled_from([ESCROW, COMMISSION, BANK]), st.integers(1, 10**12)), max_size=8))
def test_whatever_happens_all_balances_together_are_zero(app: Flask, steps: list[tuple[str, int]]) -> None:
    others = {ESCROW: BANK, COMMISSION: ESCROW, BANK: COMMISSION}
    for code, kurus in steps:
        key = f"{code}-{kurus}-{db.session.scalar(text('SELECT gen_random_uuid()'))}"
        post(key, Pair(code, others[code], Money(kurus)))
    rows = ledger.balances()
    growing = sum(r.balance_kurus for r in rows if r.kind in ("ESCROW", "SELLER", "COMMISSION"))
    assert growing == sum(r.balance_kurus for r in rows if r.kind in ("PROVIDER", "BANK", "FEE"))
