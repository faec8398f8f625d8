"""Money of a completed sale goes back to its buyer: the agent's commission follows, and everybody can see why."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from portal.commission import periods as looks
from portal.commission import queries
from portal.commission.models import CommissionCorrection, CommissionSnapshot
from portal.commission.rules import Share
from portal.commission.services import corrections, deals, periods, snapshots
from portal.commission.services.hands import ChangedMeanwhile
from portal.commission.services.policies import Wording
from portal.commission.states import Method
from portal.commission.why import why
from portal.core import clock
from portal.core.database import db
from portal.core.idempotency import digest_of
from portal.core.money import Money
from portal.core.state_machine import WrongMoment
from portal.core.unit_of_work import atomic
from portal.escrow import queries as escrow_queries
from portal.health.books import ask_the_books
from portal.orders import queries as orders_queries
from portal.orders.models import Order
from portal.workflows import returns, sales
from tests import story
from tests.cast import Cast, actor, sign_in
from tests.commission import AGENT, Office, ask, tell
from tests.world import SandboxControl

PRICE = 214_75  # kuruş: what one piece of the story costs
WROTE_HERE = "SELECT count(*) FROM commission_audit_event WHERE xmin = pg_current_xact_id()::xid"
EARNED = 4_51  # 3 % of it are 6,44 ₺ of pool, 70 % of those are İpek's


@pytest.fixture
def office(app: Flask, cast: Cast) -> Office:
    """İpek looks after Fatma's market."""
    found = Office(cast)
    with atomic():
        deals.look_after(cast.fatma.organisation_id, found.ipek.id, from_on=clock.today(), by=found.maker)
    return found


def give_back(cast: Cast, order: Order, kurus: int) -> None:
    """Ayşe gives money back, and the provider does it."""
    with atomic():
        hold = escrow_queries.holds_of([order.id])[0]
        returns.refund(hold.id, Money(kurus), by=actor(cast.ayse), because="ezik koli")
    story.drain("provider_calls")


def approved(app: Flask, cast: Cast, sandbox: SandboxControl, office: Office) -> tuple[Order, int]:
    """A completed order whose commission Burak has approved, and the snapshot's id."""
    order = story.completed(app, cast, sandbox)
    snapshot_id = the_snapshot()
    office.approve(snapshot_id)
    assert office.account(office.ipek)[0] == EARNED
    return order, snapshot_id


def the_snapshot() -> int:
    """The one that counts."""
    return int(str(ask("SELECT id FROM commission_snapshot WHERE state IN ('PENDING_APPROVAL', 'APPROVED')")[0][0]))


def asked_back() -> list[int]:
    """The corrections that wait for their second person, in kuruş."""
    rows = ask("SELECT total_minor, maker, type FROM commission_correction WHERE state = 'PROPOSED' ORDER BY id")
    assert {row[1:] for row in rows} <= {("Emanet", "REVERSAL")}
    return [int(str(row[0])) for row in rows]


def agree(office: Office) -> None:
    """Burak agrees to every correction he is shown."""
    for (correction_id,) in ask("SELECT id FROM commission_correction WHERE state = 'PROPOSED' ORDER BY id"):
        with atomic():
            shown = queries.one(CommissionCorrection, int(str(correction_id))).digest
            corrections.do(int(str(correction_id)), shown=shown, by=office.checker)


def test_a_price_reduction_before_the_end_is_no_part_of_the_sale(
    app: Flask, cast: Cast, sandbox: SandboxControl, office: Office
) -> None:
    order = story.paid(app, cast, sandbox)[0]
    give_back(cast, order, 14_75)
    story.confirmed(order, cast)
    story.drain("provider_calls")
    assert ask("SELECT sale_price FROM deal") == [(PRICE - 14_75,)]
    office.approve(the_snapshot())
    steps = why(queries.line_rows(the_snapshot())[0]).steps
    assert "Alıcıya iade edilen" in sign_in(app, cast.burak).get(f"/admin/commission/snapshots/{the_snapshot()}")[1]
    assert [step.minor for step in steps[:3]] == [PRICE, -14_75, PRICE - 14_75]


def test_what_waits_for_approval_is_made_anew(app: Flask, cast: Cast, sandbox: SandboxControl, office: Office) -> None:
    order = story.completed(app, cast, sandbox)
    old = the_snapshot()
    give_back(cast, order, 14_75)
    with pytest.raises(ChangedMeanwhile):
        office.approve(old)
    assert ask("SELECT state, base_amount_minor FROM commission_snapshot ORDER BY id") == [
        ("REJECTED", PRICE),
        ("PENDING_APPROVAL", PRICE - 14_75),
    ]
    office.approve(the_snapshot())
    assert asked_back() == []


def test_of_what_was_approved_the_share_is_asked_back_and_a_second_person_agrees(
    app: Flask, cast: Cast, sandbox: SandboxControl, office: Office
) -> None:
    order, snapshot_id = approved(app, cast, sandbox, office)
    give_back(cast, order, 100_00)
    assert asked_back() == [2_10]  # of 114,75 ₺ İpek would have had 2,41 ₺
    burak = sign_in(app, cast.burak)
    for page in ("corrections", f"snapshots/{snapshot_id}"):
        text_of_page = burak.get(f"/admin/commission/{page}")[1]
        assert f"satışın parası alıcıya iade edildi: {order.number}" in text_of_page
        assert "Emanet" in text_of_page
    agree(office)
    assert office.account(office.ipek)[:3] == (EARNED, 0, 2_10)
    give_back(cast, order, PRICE - 100_00)
    assert asked_back() == [2_41]
    agree(office)
    assert office.account(office.ipek)[:3] == (EARNED, 0, EARNED)
    assert queries.one(CommissionSnapshot, snapshot_id).state == "REVERSED"
    assert ask("SELECT sale_price FROM deal") == [(0,)]
    assert sales.make_missing_ready() == 0  # nothing was sold: nothing is to be made of it
    words = ask("SELECT DISTINCT because FROM commission_ledger_entry WHERE type = 'REVERSAL'")
    assert words == [(f"{sales.MONEY_WENT_BACK}: {order.number}",)]


def test_it_is_asked_back_also_after_it_was_paid_and_only_what_is_left(
    app: Flask, cast: Cast, sandbox: SandboxControl, office: Office
) -> None:
    order, snapshot_id = approved(app, cast, sandbox, office)
    office.paid()
    office.reverse(snapshot_id, EARNED - 1)
    give_back(cast, order, PRICE)
    assert asked_back() == [1]
    agree(office)
    assert office.account(office.ipek)[:3] == (EARNED, EARNED, EARNED)


def test_what_people_took_back_is_not_made_anew(
    app: Flask, cast: Cast, sandbox: SandboxControl, office: Office
) -> None:
    order, snapshot_id = approved(app, cast, sandbox, office)
    office.reverse(snapshot_id)
    give_back(cast, order, 100_00)
    assert sales.make_missing_ready() == 0
    assert ask("SELECT state FROM commission_snapshot") == [("REVERSED",)]
    assert asked_back() == []


def test_said_twice_it_is_asked_once(app: Flask, cast: Cast, sandbox: SandboxControl, office: Office) -> None:
    order, _snapshot = approved(app, cast, sandbox, office)
    give_back(cast, order, 100_00)
    for _ in range(2):
        with atomic():
            sales.price_follows(orders_queries.hold_still(order.id))
    assert sales.make_missing_ready() == 0
    assert asked_back() == [2_10]
    assert ask("SELECT count(*) FROM commission_audit_event WHERE action = 'repriced'") == [(1,)]


def test_of_a_fixed_amount_nothing_goes_back_before_everything_does(
    app: Flask, cast: Cast, sandbox: SandboxControl
) -> None:
    office = Office(cast)
    with atomic():
        deals.look_after(cast.fatma.organisation_id, office.ipek.id, from_on=clock.today(), by=office.maker)
    fixed: Wording = office.wording(
        method=Method.FIXED, fixed_minor=500, percent=None, rounding=None, valid_from=clock.today(),
        shares=[Share(1, 10_000, role=AGENT)],
    )  # fmt: skip
    office.put_in_force(**fixed._asdict())
    order = story.completed(app, cast, sandbox)
    office.approve(the_snapshot())
    give_back(cast, order, 100_00)
    assert asked_back() == []
    give_back(cast, order, PRICE - 100_00)
    assert asked_back() == [500]


def test_in_a_locked_month_the_buyer_has_the_money_and_the_commission_follows_when_it_is_open(
    app: Flask, cast: Cast, sandbox: SandboxControl, office: Office
) -> None:
    order, _snapshot = approved(app, cast, sandbox, office)
    month = looks.month_of(clock.today())
    with atomic():
        lock = periods.lock(month, shown=digest_of(looks.what_if(month)), because="x", by=office.maker)
    give_back(cast, order, 100_00)
    assert escrow_queries.holds_of([order.id])[0].refunded_kurus == 100_00
    assert asked_back() == []
    assert [trouble.question for trouble in ask_the_books()] == [
        "deals whose price is not what the buyer of the order kept"
    ]
    db.session.rollback()
    with atomic():
        asked = periods.ask_release(looks.lock_by_id(lock.id), because="erken", by=office.maker)
    with atomic():
        periods.release(looks.lock_by_id(lock.id), asked, shown=asked.digest, by=office.checker)
    sales.make_missing_ready()
    assert asked_back() == [2_10]


def test_without_a_policy_it_is_made_anew_when_there_is_one_and_what_a_person_rejected_is_left_to_people(
    app: Flask, cast: Cast, sandbox: SandboxControl, office: Office
) -> None:
    order = story.completed(app, cast, sandbox)
    tell("UPDATE deal SET policy_code = 'gone'")
    give_back(cast, order, 100_00)
    assert ask("SELECT state FROM commission_snapshot") == [("REJECTED",)]
    assert sales.make_missing_ready() == 0
    office.put_in_force(code="gone", name="Yeni")
    assert sales.make_missing_ready() == 1
    with atomic():
        snapshots.reject(queries.one(CommissionSnapshot, the_snapshot()), by=office.checker, because="yanlış")
    assert sales.make_missing_ready() == 0


@pytest.mark.parametrize("first", ["approval", "refund"])
def test_at_the_same_time_as_the_approval(
    app: Flask, cast: Cast, sandbox: SandboxControl, office: Office, first: str
) -> None:
    """Whoever comes first, nobody earns from money that went back without being asked for it."""
    order = story.completed(app, cast, sandbox)
    snapshot_id = the_snapshot()
    with atomic():
        hold = escrow_queries.holds_of([order.id])[0]
        returns.refund(hold.id, Money(100_00), by=actor(cast.ayse), because="ezik koli")
    refused: list[Exception] = []

    def approve() -> None:
        try:
            office.approve(snapshot_id)
        except (WrongMoment, ChangedMeanwhile) as no:
            refused.append(no)

    def refund() -> None:
        story.drain("provider_calls")

    one, other = (approve, refund) if first == "approval" else (refund, approve)
    reached, go_on = threading.Event(), threading.Event()

    def stay_before_the_end(session: Session) -> None:
        if session.scalar(text(WROTE_HERE)):
            reached.set()
            go_on.wait(20)

    def ahead() -> None:
        event.listen(db.session(), "before_commit", stay_before_the_end)
        one()

    people = [in_a_thread(app, ahead)]
    assert reached.wait(20)
    people.append(in_a_thread(app, other))
    people[1].join(1)
    assert people[1].is_alive()  # it waits for the one ahead
    go_on.set()
    for person in people:
        person.join()
    story.drain("provider_calls")
    assert (asked_back(), len(refused)) == (([2_10], 0) if first == "approval" else ([], 1))


def in_a_thread(app: Flask, act: Callable[[], object]) -> threading.Thread:
    """Somebody else, at his own desk."""

    def sit_down() -> None:
        with app.app_context():
            act()

    person = threading.Thread(target=contextvars.Context().run, args=(sit_down,))
    person.start()
    return person
