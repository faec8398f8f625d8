"""From a won deal to an approved snapshot, and everybody who may not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.exc import DBAPIError

from portal.accounts import identity
from portal.accounts.roles import Role
from portal.commission import queries, rules
from portal.commission.models import CommissionSnapshot, Deal, Lead, Listing
from portal.commission.services import deals, hands, snapshots
from portal.commission.services.snapshots import Wish
from portal.core import clock
from portal.core.errors import BadInput
from portal.core.idempotency import KeyUsedForSomethingElse
from portal.core.state_machine import WrongMoment
from portal.core.unit_of_work import atomic
from tests.cast import actor
from tests.commission import AGENT, Office, ask, tell


def test_a_won_deal_becomes_a_snapshot_and_its_approval_is_earned(office: Office) -> None:
    snapshot_id = office.snapshot(100_000_00)
    assert ask("SELECT count(*) FROM commission_ledger_entry") == [(0,)]
    office.approve(snapshot_id)
    entries = ask("SELECT person_id, type, direction, amount_minor FROM commission_ledger_entry ORDER BY person_id")
    assert entries == [
        (office.ipek.id, "EARN", "CREDIT", 2_100_00),
        (office.leyla.id, "EARN", "CREDIT", 600_00),
    ]
    lines = ask("SELECT kind, share_bps, amount_minor FROM commission_snapshot_line ORDER BY line_no")
    assert lines == [("PERSON", 7000, 2_100_00), ("PERSON", 2000, 600_00), ("SYSTEM", 1000, 300_00)]
    journal = ask(
        """SELECT d.code, c.code, p.amount_kurus FROM posting p JOIN ledger_account d ON d.id = p.debit_account_id
           JOIN ledger_account c ON c.id = p.credit_account_id ORDER BY p.amount_kurus DESC"""
    )
    assert journal == [
        ("agent_cost", f"agent:{office.ipek.id}", 2_100_00),
        ("agent_cost", f"agent:{office.leyla.id}", 600_00),
    ]


@pytest.mark.parametrize(
    ("answer", "price", "sale", "base", "source"),
    [
        (500_00, 400_00, 300_00, 500_00, "closeSummary.commissionBaseAmount"),
        ("50000", 400_00, 300_00, 500_00, "closeSummary.commissionBaseAmount"),
        (None, 400_00, 300_00, 400_00, "listing.price"),
        (None, None, 300_00, 300_00, "deal.sale_price"),
        (0, 400_00, 300_00, 0, "closeSummary.commissionBaseAmount"),
        (None, 0, 300_00, 0, "listing.price"),
    ],
)
def test_the_base_amount_is_the_first_that_exists(
    answer: object, price: int | None, sale: int | None, base: int, source: str
) -> None:
    found = rules.base_amount({"closeSummary": {"commissionBaseAmount": answer}}, price, sale)
    assert found == (base, source)


def test_the_snapshot_says_what_it_was_reckoned_from(office: Office) -> None:
    deal = a_deal(office, None, 400_00, 300_00)
    with atomic():
        made = snapshots.create([Wish(deal.id, "k")], effective_on=clock.today(), by=office.maker)[0]
    found = queries.one(CommissionSnapshot, made)
    assert (found.base_amount_minor, found.base_source) == (400_00, "listing.price")


def test_without_any_base_amount_it_is_refused(office: Office) -> None:
    deal = a_deal(office, None, None, None)
    with pytest.raises(snapshots.BaseAmountMissing) as no, atomic():
        snapshots.create([Wish(deal.id, "k")], effective_on=clock.today(), by=office.maker)
    assert "Base Amount Missing" in str(no.value.message)


@pytest.mark.parametrize("answer", [12.5, "12,50", "-3", True, 2**53, "bin lira", ""])
def test_an_answer_that_is_no_amount_is_not_guessed_at(answer: object) -> None:
    with pytest.raises(rules.UnreadableBase):
        rules.base_amount({"closeSummary": {"commissionBaseAmount": answer}}, 1, 1)


def test_and_says_which_field_is_wrong(office: Office) -> None:
    deal = a_deal(office, "bin lira", 1, 1)
    with pytest.raises(BadInput) as no, atomic():
        snapshots.create([Wish(deal.id, "k")], effective_on=clock.today(), by=office.maker)
    assert "closeSummary.commissionBaseAmount" in no.value.fields


def a_deal(office: Office, answer: object, price: int | None, sale: int | None) -> Deal:
    """A won deal about whose price so much is known."""
    with atomic():
        lead = Lead(answers={"closeSummary": {"commissionBaseAmount": answer}})
        deal = deals.open_deal(
            "Satış",
            by=office.maker,
            cast={AGENT: [office.ipek.id]},
            sale_price=sale,
            listing=Listing(title="İlan", price=price),
            lead=lead,
        )
        deals.win(deal, on=clock.today(), by=office.maker)
    return deal


def test_an_open_deal_earns_nothing_yet(office: Office) -> None:
    with atomic():
        deal = deals.open_deal("Satış", by=office.maker, cast={AGENT: [office.ipek.id]}, sale_price=1)
    with pytest.raises(snapshots.NotWon), atomic():
        snapshots.create([Wish(deal.id, "k")], effective_on=clock.today(), by=office.maker)


def test_a_day_without_a_policy(office: Office) -> None:
    deal = office.won()
    with pytest.raises(snapshots.NoPolicy), atomic():
        snapshots.create([Wish(deal.id, "k")], effective_on=clock.today().replace(year=2019), by=office.maker)


def test_the_same_key_is_the_same_snapshot_and_another_deal_is_refused(office: Office) -> None:
    deal, other = office.won(), office.won()
    made = []
    for _ in range(2):
        with atomic():
            made += snapshots.create([Wish(deal.id, "k")], effective_on=clock.today(), by=office.maker)
    assert made[0] == made[1]
    assert ask("SELECT count(*) FROM commission_snapshot") == [(1,)]
    with pytest.raises(KeyUsedForSomethingElse), atomic():
        snapshots.create([Wish(other.id, "k")], effective_on=clock.today(), by=office.maker)
    with pytest.raises(snapshots.HasSnapshot), atomic():
        snapshots.create([Wish(deal.id, "k2")], effective_on=clock.today(), by=office.maker)


def test_the_maker_does_not_check(office: Office) -> None:
    snapshot_id = office.snapshot()
    with pytest.raises(hands.SamePerson):
        approve_as(office, snapshot_id, office.cast.ayse)


def test_nor_with_a_second_account(office: Office) -> None:
    second = office.newcomer("ayse2@demo.tr", "Ayşe D.", Role.FINANCE)
    with atomic():
        identity.same_human(second.id, office.cast.ayse.id, by=actor(office.cast.gul))
    snapshot_id = office.snapshot()
    with pytest.raises(hands.SamePerson):
        approve_as(office, snapshot_id, second)


def test_nor_through_somebody_who_stands_in(office: Office) -> None:
    today = clock.today()
    with atomic():
        identity.stands_in(
            office.cast.burak.id,
            for_person_id=office.cast.ayse.id,
            from_on=today,
            until_on=None,
            by=actor(office.cast.gul),
        )
    snapshot_id = office.snapshot()
    with pytest.raises(hands.SamePerson):
        approve_as(office, snapshot_id, office.cast.burak)
    approve_as(office, snapshot_id, office.cast.gul)


def test_a_stand_in_of_long_ago_may_check(office: Office) -> None:
    today = clock.today()
    with atomic():
        identity.stands_in(
            office.cast.burak.id,
            for_person_id=office.cast.ayse.id,
            from_on=today - timedelta(days=9),
            until_on=today,
            by=actor(office.cast.gul),
        )
    office.approved()


def test_who_earns_from_it_does_not_check(office: Office) -> None:
    snapshot_id = office.snapshot()
    with pytest.raises(hands.EarnsFromIt):
        approve_as(office, snapshot_id, office.leyla)
    with pytest.raises(hands.EarnsFromIt):
        approve_as(office, snapshot_id, office.leyla, override="acil")


def test_an_override_needs_a_reason_and_is_written_down(office: Office) -> None:
    snapshot_id = office.snapshot()
    approve_as(office, snapshot_id, office.cast.ayse, override="Burak hasta")
    rows = ask("SELECT action, because, actor FROM commission_audit_event ORDER BY id DESC LIMIT 1")
    assert rows == [("approved by override", "Burak hasta", office.cast.ayse.full_name)]


def test_another_fingerprint_is_refused(office: Office) -> None:
    snapshot_id = office.snapshot()
    with pytest.raises(hands.ChangedMeanwhile), atomic():
        snapshots.approve({snapshot_id: "0" * 64}, by=office.checker)


def test_a_deal_that_changed_meanwhile_is_not_approved(office: Office) -> None:
    snapshot_id = office.snapshot()
    tell("UPDATE deal SET sale_price = sale_price + 1")
    with pytest.raises(hands.ChangedMeanwhile):
        office.approve(snapshot_id)
    with atomic():
        snapshots.reject(queries.one(CommissionSnapshot, snapshot_id), by=office.checker, because="fiyat değişti")
    with atomic():
        deal_id = queries.one(CommissionSnapshot, snapshot_id).deal_id
        again = snapshots.create([Wish(deal_id, "again")], effective_on=clock.today(), by=office.maker)[0]
    office.approve(again)


def test_approved_once(office: Office) -> None:
    snapshot_id = office.approved()
    with pytest.raises(WrongMoment):
        office.approve(snapshot_id)
    assert ask("SELECT count(*) FROM commission_ledger_entry") == [(2,)]


def test_many_are_approved_at_once_or_none(office: Office) -> None:
    ids = [office.snapshot() for _ in range(3)]
    office.approve(ids[0])
    with pytest.raises(WrongMoment):
        office.approve(*ids)
    office.approve(*ids[1:])
    assert ask("SELECT DISTINCT state FROM commission_snapshot") == [("APPROVED",)]


def test_a_part_played_by_two_is_shared_and_one_nobody_plays_stays(office: Office) -> None:
    with atomic():
        cast = {AGENT: [office.ipek.id, office.kaan.id]}
        deal = deals.open_deal("Satış", by=office.maker, cast=cast, sale_price=1_00)
        deals.win(deal, on=clock.today(), by=office.maker)
        snapshots.create([Wish(deal.id, "k")], effective_on=clock.today(), by=office.maker)
    lines = ask("SELECT kind, share_bps, amount_minor FROM commission_snapshot_line ORDER BY line_no")
    assert lines == [("PERSON", 7000, 1), ("PERSON", 7000, 1), ("SYSTEM", 3000, 1)]


def approve_as(office: Office, snapshot_id: int, person, override: str = "") -> None:  # type: ignore[no-untyped-def]
    """Somebody approves what he was shown."""
    with atomic():
        shown = queries.one(CommissionSnapshot, snapshot_id).digest
        snapshots.approve({snapshot_id: shown}, by=actor(person), override_because=override)


# With psql ---------------------------------------------------------------------------------------------------

REFUSED = {
    "a fact of a snapshot": "UPDATE commission_snapshot SET pool_amount_minor = 1",
    "its policy": "UPDATE commission_snapshot SET effective_on = effective_on + 1",
    "a snapshot goes": "DELETE FROM commission_snapshot",
    "all snapshots go": "TRUNCATE commission_snapshot CASCADE",
    "a line": "UPDATE commission_snapshot_line SET amount_minor = 1",
    "a line goes": "DELETE FROM commission_snapshot_line",
    "another line": """INSERT INTO commission_snapshot_line (snapshot_id, line_no, kind, share_bps, share_position,
        amount_minor) SELECT id, 9, 'SYSTEM', 0, 9, 0 FROM commission_snapshot LIMIT 1""",
    "an entry": "UPDATE commission_ledger_entry SET amount_minor = 1",
    "an entry goes": "DELETE FROM commission_ledger_entry",
    "an entry twice": """INSERT INTO commission_ledger_entry (idempotency_key, type, direction, person_id, line_id,
        amount_minor, effective_on, journal_entry_id, because) SELECT 'x', type, direction, person_id, line_id,
        amount_minor, effective_on, journal_entry_id, 'x' FROM commission_ledger_entry LIMIT 1""",
    "an earning of nothing": """INSERT INTO commission_ledger_entry (idempotency_key, type, direction, person_id,
        line_id, amount_minor, effective_on, journal_entry_id, because) SELECT 'x', 'EARN', 'CREDIT', l.person_id, l.id,
        l.amount_minor, current_date, (SELECT max(id) FROM journal_entry), 'x' FROM commission_snapshot_line l
        JOIN commission_snapshot s ON s.id = l.snapshot_id WHERE s.state = 'PENDING_APPROVAL' AND kind = 'PERSON'""",
    "the other direction": """INSERT INTO commission_ledger_entry (idempotency_key, type, direction, person_id, line_id,
        amount_minor, effective_on, journal_entry_id, because) SELECT 'x', 'EARN', 'DEBIT', person_id, line_id, 1,
        effective_on, journal_entry_id, 'x' FROM commission_ledger_entry LIMIT 1""",
    "a payout of nothing": """INSERT INTO commission_ledger_entry (idempotency_key, type, direction, person_id, line_id,
        amount_minor, effective_on, journal_entry_id, because) SELECT 'x', 'PAYOUT', 'DEBIT', person_id, line_id, 1,
        effective_on, journal_entry_id, 'x' FROM commission_ledger_entry LIMIT 1""",
    "a check is moved": "UPDATE commission_snapshot SET checker = 'x' WHERE state = 'APPROVED'",
    "a reversed one comes back": "UPDATE commission_snapshot SET state = 'PENDING_APPROVAL' WHERE state = 'APPROVED'",
    "approved by nobody": "UPDATE commission_snapshot SET state = 'APPROVED' WHERE state = 'PENDING_APPROVAL'",
    "approved by the maker": """UPDATE commission_snapshot SET state = 'APPROVED', dated_on = effective_on,
        checker = maker, checker_person_id = maker_person_id, checked_at = now(), checked_digest = digest
        WHERE state = 'PENDING_APPROVAL'""",
    "approved without having looked": """UPDATE commission_snapshot SET state = 'APPROVED', dated_on = effective_on,
        checker = 'x', checker_person_id = {burak}, checked_at = now(), checked_digest = 'x'
        WHERE state = 'PENDING_APPROVAL'""",
    "approved by the one who earns": """UPDATE commission_snapshot SET state = 'APPROVED', dated_on = effective_on,
        checker = 'x', checker_person_id = {ipek}, checked_at = now(), checked_digest = digest
        WHERE state = 'PENDING_APPROVAL'""",
    "approved by a second account": """INSERT INTO second_account VALUES ({burak}, {ayse}); UPDATE commission_snapshot
        SET state = 'APPROVED', dated_on = effective_on, checker = 'x', checker_person_id = {burak},
        checked_at = now(), checked_digest = digest WHERE state = 'PENDING_APPROVAL'""",
    "approved by a stand-in": """INSERT INTO stand_in (person_id, for_person_id, from_on)
        VALUES ({burak}, {ayse}, current_date - 1); UPDATE commission_snapshot
        SET state = 'APPROVED', dated_on = effective_on, checker = 'x', checker_person_id = {burak},
        checked_at = now(), checked_digest = digest WHERE state = 'PENDING_APPROVAL'""",
    "a used policy": "UPDATE commission_policy SET percent = 5",
    "its wording": "UPDATE commission_policy SET wording = 'x'",
    "it goes": "DELETE FROM commission_policy",
    "its shares": "UPDATE commission_policy_share SET share_bps = 1",
    "one more share": """INSERT INTO commission_policy_share (policy_id, position, role, share_bps)
        SELECT id, 9, 'SOURCE', 1 FROM commission_policy LIMIT 1""",
    "the diary": "DELETE FROM commission_audit_event",
}


def test_the_database_refuses_what_people_with_psql_might_try(office: Office) -> None:
    office.approved()
    office.snapshot(50_000_00)
    ids = {"burak": office.cast.burak.id, "ayse": office.cast.ayse.id, "ipek": office.ipek.id}
    let_through, misspelt = [], []
    for what, sql in REFUSED.items():
        try:
            tell(sql.format(**ids))
            let_through.append(what)
        except DBAPIError as no:
            if getattr(no.orig, "sqlstate", "")[:2] != "23":  # anything but a broken rule is a mistake in the attempt
                misspelt.append((what, str(no.orig)))
    assert let_through == []
    assert misspelt == []


def test_what_is_refused_above_would_work_for_somebody_else(office: Office) -> None:
    """The check can fail: the same UPDATE with an honest checker is let through."""
    office.snapshot()
    done = ask(
        f"""UPDATE commission_snapshot SET state = 'APPROVED', dated_on = effective_on, checker = 'x',
        checker_person_id = {office.cast.burak.id}, checked_at = now(), checked_digest = digest RETURNING state"""
    )  # and rolled back: an approval without its earnings is something the books would ask about
    assert done == [("APPROVED",)]


def test_a_snapshot_whose_lines_do_not_add_up_is_refused(office: Office) -> None:
    deal = office.won()
    with pytest.raises(DBAPIError, match="add up"):
        tell(
            f"""INSERT INTO commission_snapshot (idempotency_key, deal_id, policy_id, effective_on, base_amount_minor,
            base_source, pool_amount_minor, facts, maker, made_at, digest) VALUES ('x', {deal.id}, {office.policy.id},
            current_date, 1, 'listing.price', 1, '{{}}', 'x', now(), 'x')"""
        )
