"""Payouts, corrections and disputes: never more than is outstanding, never twice, never one person alone."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

import pytest
from sqlalchemy.exc import DBAPIError

from portal.accounts import identity
from portal.commission import queries
from portal.commission.calendar import business_days_after, business_days_left, is_business_day
from portal.commission.models import CommissionCorrection, CommissionDispute, CommissionPayoutBatch
from portal.commission.services import corrections, disputes, hands, payouts
from portal.commission.states import Direction, Resolution
from portal.core import clock
from portal.core.database import db
from portal.core.errors import BadInput, NotFound
from portal.core.idempotency import KeyUsedForSomethingElse
from portal.core.state_machine import WrongMoment
from portal.core.unit_of_work import atomic
from tests.cast import actor
from tests.commission import Office, ask, tell

EARNED = 2_100_00  # İpek's part of 100.000,00


def test_what_was_earned_is_paid_once(office: Office) -> None:
    office.approved()
    batch = office.paid()
    assert (batch.total_minor, batch.items) == (2_700_00, 2)
    assert office.account(office.ipek) == (EARNED, EARNED, 0, 0, 0)
    with pytest.raises(WrongMoment), atomic():
        payouts.pay(batch.id, shown=batch.digest, by=office.checker)
    with pytest.raises(payouts.NothingToPay):
        office.prepared()
    bank = ask(
        "SELECT sum(amount_kurus) FROM posting p JOIN ledger_account c ON c.id = credit_account_id WHERE code = 'bank'"
    )
    assert bank == [(2_700_00,)]


def test_a_line_is_in_one_batch_at_a_time(office: Office) -> None:
    office.approved()
    first = office.prepared()
    with pytest.raises(payouts.NothingToPay):
        office.prepared()
    with atomic():
        payouts.cancel(queries.one(CommissionPayoutBatch, first.id), by=office.maker, because="yanlış gün")
    assert office.prepared().total_minor == first.total_minor


def test_nothing_is_paid_before_it_was_earned(office: Office) -> None:
    office.approved()
    with pytest.raises(payouts.NothingToPay):
        office.prepared(on=clock.today() - timedelta(days=1))


def test_the_same_key_prepares_one_batch(office: Office) -> None:
    office.approved()
    first = office.prepared(key="k")
    assert office.prepared(key="k").id == first.id
    with pytest.raises(KeyUsedForSomethingElse):
        office.prepared(key="k", on=clock.today() + timedelta(days=1))


def test_the_preparer_and_the_payees_do_not_pay(office: Office) -> None:
    office.approved()
    batch = office.prepared()
    for person, why in ((office.cast.ayse, hands.SamePerson), (office.ipek, hands.EarnsFromIt)):
        with pytest.raises(why), atomic():
            payouts.pay(batch.id, shown=batch.digest, by=actor(person))
    with pytest.raises(hands.ChangedMeanwhile), atomic():
        payouts.pay(batch.id, shown="x", by=office.checker)
    assert ask("SELECT state FROM commission_payout_batch") == [("PREPARED",)]


def test_taken_back_between_preparing_and_paying_is_not_paid(office: Office) -> None:
    snapshot_id = office.approved()
    batch = office.prepared()
    office.reverse(snapshot_id, 1_00)
    with pytest.raises(payouts.MoreThanOutstanding), atomic():
        payouts.pay(batch.id, shown=batch.digest, by=office.checker)
    assert office.account(office.ipek)[1] == 0


def test_more_than_is_outstanding_is_refused_by_the_database_itself(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot_id = office.approved()
    batch = office.prepared()
    office.reverse(snapshot_id, 1_00)
    monkeypatch.setattr(payouts, "_is_owed", lambda items: None)
    with pytest.raises(DBAPIError, match="never more is paid than is outstanding"), atomic():
        payouts.pay(batch.id, shown=batch.digest, by=office.checker)


def test_a_reversal_in_part_is_shared_and_one_in_whole_ends_the_snapshot(office: Office) -> None:
    snapshot_id = office.approved()
    office.reverse(snapshot_id, 900_00)
    assert office.account(office.ipek) == (EARNED, 0, 700_00, 0, 0)
    assert office.account(office.leyla) == (600_00, 0, 200_00, 0, 0)
    office.reverse(snapshot_id)
    assert ask("SELECT state FROM commission_snapshot") == [("REVERSED",)]
    assert office.account(office.ipek) == (EARNED, 0, EARNED, 0, 0)
    with pytest.raises(corrections.NothingLeft):
        office.reversal(snapshot_id)


def test_paid_commission_that_is_taken_back_is_kept_from_what_comes_next(office: Office) -> None:
    first = office.approved()
    office.paid()
    office.reverse(first)
    office.approved(200_000_00)
    assert office.account(office.ipek) == (EARNED + 2 * EARNED, EARNED, EARNED, 0, 0)
    batch = office.paid()
    assert {row[0].person_id: row[0].amount_minor for row in queries.batch_items(batch.id)} == {
        office.ipek.id: EARNED,
        office.leyla.id: 600_00,
    }


def test_an_adjustment_up_and_down(office: Office) -> None:
    line = office.line(office.approved(), office.ipek)
    for direction, amount in ((Direction.CREDIT, 50_00), (Direction.DEBIT, 20_00)):
        with atomic():
            asked = corrections.propose_adjustment(
                line,
                direction=direction,
                amount_minor=amount,
                key=f"{direction}",
                dated_on=clock.today(),
                because="eksik hesaplandı",
                by=office.maker,
            )
        with atomic():
            corrections.do(asked.id, shown=asked.digest, by=office.checker)
    assert office.account(office.ipek) == (EARNED, 0, 0, 30_00, 0)
    with pytest.raises(corrections.NothingLeft), atomic():
        corrections.propose_adjustment(
            line, direction=Direction.DEBIT, amount_minor=EARNED + 30_01, key="x", dated_on=clock.today(),
            because="x", by=office.maker,
        )  # fmt: skip


def test_the_proposer_does_not_do_it_and_needs_a_reason(office: Office) -> None:
    snapshot_id = office.approved()
    asked = office.reversal(snapshot_id)
    with pytest.raises(hands.SamePerson), atomic():
        corrections.do(asked.id, shown=asked.digest, by=office.maker)
    with pytest.raises(BadInput), atomic():
        corrections.reject(queries.one(CommissionCorrection, asked.id), by=office.checker, because=" ")
    with atomic():
        corrections.reject(queries.one(CommissionCorrection, asked.id), by=office.checker, because="gerek yok")
    with pytest.raises(WrongMoment), atomic():
        corrections.do(asked.id, shown=asked.digest, by=office.checker)


def test_what_people_with_psql_might_try(office: Office) -> None:
    snapshot_id = office.approved()
    batch = office.prepared()
    asked = office.reversal(snapshot_id)
    with atomic():
        line = office.line(snapshot_id, office.ipek)
    with atomic():
        disputes.open_dispute(line, amount_minor=1_00, claim="eksik", by=actor(office.ipek))
    ayse, burak, ipek = office.cast.ayse.id, office.cast.burak.id, office.ipek.id
    checked = "checked_at = now(), checked_digest = digest, checker = 'x'"
    tries = {
        "paid by the preparer": f"UPDATE commission_payout_batch SET state = 'PAID', checker_person_id = {ayse}, {checked}",
        "paid by a payee": f"UPDATE commission_payout_batch SET state = 'PAID', checker_person_id = {ipek}, {checked}",
        "paid by nobody": "UPDATE commission_payout_batch SET state = 'PAID'",
        "a bigger batch": "UPDATE commission_payout_batch SET total_minor = total_minor + 1",
        "a bigger item": "UPDATE commission_payout_item SET amount_minor = amount_minor + 1",
        "a batch goes": "DELETE FROM commission_payout_batch",
        "done by the proposer": f"UPDATE commission_correction SET state = 'DONE', checker_person_id = {ayse}, {checked}",
        "a bigger correction": "UPDATE commission_correction SET total_minor = 1",
        "a posting without its batch paid": f"""INSERT INTO commission_ledger_entry (idempotency_key, type, direction,
            person_id, line_id, amount_minor, effective_on, journal_entry_id, because, payout_item_id) SELECT 'x',
            'PAYOUT', 'DEBIT', i.person_id, i.line_id, i.amount_minor, current_date, 1, 'x', i.id
            FROM commission_payout_item i WHERE i.batch_id = {batch.id} LIMIT 1""",
        "a reversal nobody agreed to": f"""INSERT INTO commission_ledger_entry (idempotency_key, type, direction,
            person_id, line_id, amount_minor, effective_on, journal_entry_id, because, correction_item_id) SELECT 'x',
            'REVERSAL', 'DEBIT', i.person_id, i.line_id, i.amount_minor, current_date, 1, 'x', i.id
            FROM commission_correction_item i WHERE i.correction_id = {asked.id} LIMIT 1""",
        "resolved by the one concerned": f"""UPDATE commission_dispute SET state = 'RESOLVED', resolution = 'KEEP',
            because = 'x', resolver_person_id = {ipek}, resolved_at = now()""",
        "a smaller dispute": "UPDATE commission_dispute SET amount_minor = 0",
        "a dispute goes": "DELETE FROM commission_dispute",
        "a dispute of somebody else's line": f"""INSERT INTO commission_dispute (line_id, person_id, amount_minor, claim,
            opened_at, answer_by_on) VALUES ({office.line(snapshot_id, office.leyla)}, {burak}, 0, 'x', now(),
            current_date)""",
        "blocked more than there is": f"""INSERT INTO commission_dispute (line_id, person_id, amount_minor, claim,
            opened_at, answer_by_on) VALUES ({office.line(snapshot_id, office.leyla)}, {office.leyla.id}, 999999999, 'x',
            now(), current_date)""",
    }
    let_through, misspelt = [], []
    for what, sql in tries.items():
        try:
            tell(sql)
            let_through.append(what)
        except DBAPIError as no:
            if getattr(no.orig, "sqlstate", "")[:2] != "23":
                misspelt.append((what, str(no.orig)))
    assert let_through == []
    assert misspelt == []


# Disputes ----------------------------------------------------------------------------------------------------


class Paper(NamedTuple):
    """A picture as the views hand it in."""

    jpeg: bytes = b"jpeg"
    sha256: str = "0" * 64
    width: int = 1
    height: int = 1


def objected(office: Office, amount: int = 500_00) -> CommissionDispute:
    """İpek objects to her line of a fresh snapshot."""
    line = office.line(office.approved(), office.ipek)
    with atomic():
        return disputes.open_dispute(line, amount_minor=amount, claim="oran %4 olmalıydı", by=actor(office.ipek))


def test_a_dispute_blocks_exactly_its_amount(office: Office) -> None:
    dispute = objected(office)
    batch = office.paid()
    items = {row[0].person_id: row[0].amount_minor for row in queries.batch_items(batch.id)}
    assert items == {office.ipek.id: EARNED - 500_00, office.leyla.id: 600_00}
    with pytest.raises(payouts.NothingToPay):
        office.prepared()
    resolved(office, dispute, Resolution.KEEP)
    assert office.paid().total_minor == 500_00


@pytest.mark.parametrize(
    ("resolution", "amount", "account"),
    [
        (Resolution.KEEP, None, (EARNED, 0, 0, 0, 0)),
        (Resolution.RAISE, 700_00, (EARNED, 0, 0, 700_00, 0)),
        (Resolution.LOWER, 100_00, (EARNED, 0, 0, -100_00, 0)),
        (Resolution.TAKE_BACK, None, (EARNED, 0, 500_00, 0, 0)),
    ],
)
def test_each_resolution_posts_its_entry(
    office: Office, resolution: Resolution, amount: int | None, account: tuple[int, ...]
) -> None:
    dispute = objected(office)
    resolved(office, dispute, resolution, amount)
    assert office.account(office.ipek) == account
    with pytest.raises(WrongMoment):
        resolved(office, dispute, Resolution.KEEP)


def resolved(office: Office, dispute: CommissionDispute, how: Resolution, amount: int | None = None) -> None:
    """Ayşe decides."""
    with atomic():
        disputes.resolve(dispute.id, how, by=office.maker, because="bakıldı", amount_minor=amount)


def test_who_may_object_and_who_may_decide(office: Office) -> None:
    dispute = objected(office)
    with pytest.raises(NotFound), atomic():
        disputes.open_dispute(dispute.line_id, amount_minor=1, claim="x", by=actor(office.kaan))
    with pytest.raises(disputes.AlreadyDisputed), atomic():
        disputes.open_dispute(dispute.line_id, amount_minor=1, claim="x", by=actor(office.ipek))
    with pytest.raises(hands.EarnsFromIt), atomic():
        disputes.resolve(dispute.id, Resolution.RAISE, by=actor(office.ipek), because="x", amount_minor=1)
    with atomic():
        identity.same_human(office.kaan.id, office.ipek.id, by=office.maker)
    with pytest.raises(hands.EarnsFromIt), atomic():
        disputes.resolve(dispute.id, Resolution.RAISE, by=actor(office.kaan), because="x", amount_minor=1)


def test_more_than_is_outstanding_cannot_be_held_back(office: Office) -> None:
    line = office.line(office.approved(), office.ipek)
    with pytest.raises(disputes.NotOutstanding), atomic():
        disputes.open_dispute(line, amount_minor=EARNED + 1, claim="x", by=actor(office.ipek))
    pending = office.line(office.snapshot(), office.ipek)
    with pytest.raises(disputes.NotOutstanding), atomic():
        disputes.open_dispute(pending, amount_minor=0, claim="x", by=actor(office.ipek))


def test_what_was_paid_can_still_be_argued_about(office: Office) -> None:
    line = office.line(office.approved(), office.ipek)
    office.paid()
    with atomic():
        dispute = disputes.open_dispute(line, amount_minor=0, claim="eksik", by=actor(office.ipek))
    resolved(office, dispute, Resolution.RAISE, 40_00)
    assert office.paid().total_minor == 40_00


def test_the_conversation_and_its_papers(office: Office) -> None:
    dispute = objected(office)
    with atomic():
        disputes.say(dispute, "sözleşme ekte", by=actor(office.ipek))
        disputes.attach(dispute, Paper(), by=actor(office.ipek))
        disputes.attach(dispute, Paper(), by=actor(office.ipek))
    assert ask("SELECT count(*) FROM commission_dispute_attachment") == [(1,)]
    with pytest.raises(BadInput), atomic():
        disputes.say(dispute, "  ", by=office.maker)
    with pytest.raises(DBAPIError):
        tell("DELETE FROM commission_dispute_message")


def test_an_escalated_dispute_is_dated_and_can_be_resolved(office: Office) -> None:
    dispute = objected(office)
    with atomic():
        disputes.escalate(queries.one(CommissionDispute, dispute.id))
    with pytest.raises(WrongMoment), atomic():
        disputes.escalate(queries.one(CommissionDispute, dispute.id))
    resolved(office, dispute, Resolution.KEEP)
    db.session.rollback()


@pytest.mark.parametrize(
    ("day", "count", "until"),
    [
        (date(2026, 11, 20), 1, date(2026, 11, 23)),  # Friday → Monday
        (date(2026, 10, 27), 2, date(2026, 10, 30)),  # 29 October is Republic Day
        (date(2026, 12, 31), 1, date(2027, 1, 4)),  # New Year, then a weekend
        (date(2026, 3, 18), 3, date(2026, 3, 24)),  # Ramazan Bayramı 20–22 March, and a weekend
        (date(2026, 5, 25), 2, date(2026, 6, 1)),  # Kurban Bayramı 27–30 May
        (date(2026, 11, 18), 0, date(2026, 11, 18)),
    ],
)
def test_business_days_know_turkish_holidays(day: date, count: int, until: date) -> None:
    assert business_days_after(day, count) == until
    assert business_days_left(day, until) == count


def test_a_holiday_is_no_business_day_and_the_eve_is_one() -> None:
    assert not is_business_day(date(2026, 10, 29))
    assert is_business_day(date(2026, 10, 28))
    assert business_days_left(date(2026, 10, 30), date(2026, 10, 27)) == -2
