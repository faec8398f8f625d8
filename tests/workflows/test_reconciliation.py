"""Asking the provider what is true: lost messages and lost answers are found, and nothing happens twice."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from jobs.drain import STEPS, drain
from portal.core import clock
from portal.core.actor import SYSTEM
from portal.core.database import DB_NOW, db
from portal.core.i18n import told
from portal.core.money import Money
from portal.core.unit_of_work import atomic
from portal.escrow import queries as escrow_queries
from portal.escrow import services as escrow
from portal.escrow.models import EscrowHold, NetworkPayment
from portal.escrow.states import HOLD, Hold
from portal.ledger import accounts
from portal.ledger import services as ledger
from portal.ledger.models import JournalEntry
from portal.ledger.services import Pair
from portal.orders import queries as orders_queries
from portal.outbox import queries as outbox_queries
from portal.outbox.models import ProviderIntent
from portal.workflows import delivery, payouts, provider_calls, returns
from tests import story
from tests.cast import Cast, actor
from tests.world import SandboxControl


def reconcile(cast: Cast) -> dict[str, int]:
    """Ayşe asks now."""
    db.session.rollback()
    return payouts.reconcile(by=actor(cast.ayse))


def minutes_pass(minutes: int) -> None:
    """Payments have been open for a while."""
    with atomic() as session:
        session.execute(update(NetworkPayment).values(recorded_at=DB_NOW - timedelta(minutes=minutes)))


def releases() -> int:
    """How often money was released."""
    return db.session.scalar(select(func.count()).where(JournalEntry.kind == "RELEASE")) or 0


def test_a_payment_nobody_announced_is_found(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    sandbox.fault("webhook", "lost_webhook")
    checkout = story.place(cast)
    sandbox.pay(story.open_page(cast, checkout))
    assert reconcile(cast).get("payments_found", 0) == 0  # too fresh: the webhook may still come
    minutes_pass(3)
    assert reconcile(cast)["payments_found"] == 1
    assert orders_queries.checkout(checkout.id).orders[0].state == "PAID"
    assert "payments_found" not in reconcile(cast)


def test_a_page_nobody_paid_on_is_closed_and_not_asked_about_for_ever(
    app: Flask, cast: Cast, sandbox: SandboxControl
) -> None:
    checkout = story.place(cast)
    story.open_page(cast, checkout)
    minutes_pass(3)
    story.days_pass(1, sandbox)
    assert reconcile(cast)["payments_asked"] == 1
    assert [p.state for p in escrow_queries.payments_of(checkout.id)] == ["EXPIRED"]
    assert "payments_asked" not in reconcile(cast)
    # And Fatma can pay it after all, on a new page.
    sandbox.pay(story.open_page(cast, checkout))
    story.deliver_webhook(app, sandbox.webhooks()[-1])
    story.drain("inbox")
    assert orders_queries.checkout(checkout.id).orders[0].state == "PAID"


def test_an_approval_whose_answer_was_lost_is_found_and_posted_once(
    app: Flask, cast: Cast, sandbox: SandboxControl
) -> None:
    order = story.paid(app, cast, sandbox)[0]
    story.confirmed(order, cast)
    sandbox.fault("approve", "timeout_after_effect", seconds=2)
    app.config["OUTBOX_QUIET_SECONDS"] = 3600  # the dispatcher would ask only in an hour
    story.drain("provider_calls")
    assert orders_queries.any_order(order.id).payout_status == "INITIATED"
    assert reconcile(cast)["releases_found"] == 1
    assert orders_queries.any_order(order.id).payout_status == "RELEASED"
    app.config["OUTBOX_QUIET_SECONDS"] = 0
    with atomic() as session:
        session.execute(update(ProviderIntent).values(next_attempt_at=DB_NOW))
    story.drain("provider_calls")
    reconcile(cast)
    assert releases() == 1
    assert list(sandbox.effects("approve").values()) == [1]
    assert {i.state for i in outbox_queries.intents_about("hold", ["1"])} == {"SUCCEEDED"}


def test_an_old_approval_heard_of_after_the_refund_changes_nothing(
    app: Flask, cast: Cast, sandbox: SandboxControl
) -> None:
    order = story.paid(app, cast, sandbox)[0]
    story.confirmed(order, cast)
    sandbox.fault("approve", "timeout_after_effect", seconds=2)
    app.config["OUTBOX_QUIET_SECONDS"] = 3600
    story.drain("provider_calls")
    assert reconcile(cast)["releases_found"] == 1
    with atomic():
        returns.refund(1, Money(order.total_kurus), by=actor(cast.ayse), because="sent back")
    story.drain("provider_calls")
    assert story.hold_states(order) == ["REFUNDED"]
    with atomic() as session:
        session.execute(update(ProviderIntent).values(next_attempt_at=DB_NOW))
    story.drain("provider_calls")
    assert {i.state for i in outbox_queries.intents_about("hold", ["1"])} == {"SUCCEEDED"}
    assert story.hold_states(order) == ["REFUNDED"]
    assert releases() == 1


def test_an_answer_the_books_cannot_take_waits_for_a_person_and_holds_nobody_up(
    app: Flask, cast: Cast, sandbox: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A seeded fault: the first release claims what the state machine forbids."""
    odd, fine = story.paid(app, cast, sandbox)[0], story.paid(app, cast, sandbox)[0]
    for order in (odd, fine):
        story.confirmed(order, cast)
    honest = escrow.released

    def stubborn(hold: EscrowHold, seller: int) -> bool:
        if hold.order_id == odd.id:
            HOLD.move(hold, Hold.HELD, actor=SYSTEM, reason="seeded")
        return honest(hold, seller)

    monkeypatch.setattr(escrow, "released", stubborn)
    story.drain("provider_calls")
    waiting = outbox_queries.intents_about("hold", [str(h.id) for h in escrow_queries.holds_of([odd.id])])[0]
    assert (waiting.state, waiting.needs_person) == ("UNKNOWN", True)
    assert "the books do not take the answer" in waiting.last_note
    assert (story.hold_states(odd), story.hold_states(fine)) == (["RELEASING"], ["RELEASED"])
    assert told(waiting.last_note).startswith("defterler yanıtı kabul etmiyor: ")
    # Ayşe has looked; the fault is mended.
    monkeypatch.undo()
    with atomic():
        provider_calls.settle_by_hand(waiting.id, done=True, by=actor(cast.ayse), because="seen in their list")
    assert story.hold_states(odd) == ["RELEASED"]


def test_a_row_that_breaks_the_code_leaves_the_others_alone(
    app: Flask, cast: Cast, sandbox: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd, fine = story.paid(app, cast, sandbox)[0], story.paid(app, cast, sandbox)[0]
    for order in (odd, fine):
        story.confirmed(order, cast)
    honest = escrow.released

    def broken(hold: EscrowHold, seller: int) -> bool:
        assert hold.order_id != odd.id, "seeded"
        return honest(hold, seller)

    monkeypatch.setattr(escrow, "released", broken)
    drain("provider_calls")
    assert (story.hold_states(odd), story.hold_states(fine)) == (["RELEASING"], ["RELEASED"])
    monkeypatch.undo()
    with atomic() as session:  # its lease has run out
        session.execute(update(ProviderIntent).values(next_attempt_at=DB_NOW))
    drain("provider_calls")
    with atomic() as session:
        session.execute(update(ProviderIntent).values(next_attempt_at=DB_NOW))
    drain("provider_calls")
    assert story.hold_states(odd) == ["RELEASED"]
    assert releases() == 2


def test_where_every_row_breaks_the_work_stops_with_the_reason(
    app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> bool:
        raise RuntimeError("no database")

    monkeypatch.setitem(STEPS, "provider_calls", broken)
    with pytest.raises(RuntimeError, match="no database"):
        drain("provider_calls")


def test_a_refused_release_is_tried_again_as_a_new_wish(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    order = story.paid(app, cast, sandbox)[0]
    story.confirmed(order, cast)
    sandbox.fault("approve", "refuse")
    story.drain("provider_calls")
    assert orders_queries.any_order(order.id).payout_status == "FAILED"
    assert story.hold_states(order) == ["HELD"]
    assert reconcile(cast)["releases_asked_again"] == 1
    story.drain("provider_calls")
    assert orders_queries.any_order(order.id).payout_status == "RELEASED"
    keys = [i.idempotency_key for i in outbox_queries.intents_about("hold", ["1"])]
    assert keys == ["approve:1:1", "approve:1:2"]
    assert releases() == 1


def test_a_sender_that_died_is_asked_about_and_not_repeated(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    """SIGKILL between the call and the note: the lease runs out, and asking finds the work done."""
    from portal.core.ports import port
    from portal.escrow.ports import PaymentGateway
    from portal.outbox import services as outbox

    order = story.paid(app, cast, sandbox)[0]
    story.delivered(order, cast)
    story.drain("provider_calls")
    with atomic():
        delivery.confirm_delivery(order.id, None, by=actor(cast.fatma), because="teslim aldım")
    with atomic():
        claimed = outbox.claim()
    assert claimed
    assert claimed.step is outbox.Step.SEND
    port(PaymentGateway).approve(claimed.intent.request["item_key"], key=claimed.intent.idempotency_key)
    # … and here it dies.
    with atomic() as session:
        session.execute(update(ProviderIntent).values(next_attempt_at=DB_NOW))
    story.drain("provider_calls")
    assert orders_queries.any_order(order.id).payout_status == "RELEASED"
    assert list(sandbox.effects("approve").values()) == [1]
    kinds = [a.kind for a in outbox_queries.attempts(claimed.intent.id)]
    assert kinds == ["LOST", "ASK"]


def test_a_silent_provider_leaves_everything_for_later(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    order = story.paid(app, cast, sandbox)[0]
    story.confirmed(order, cast)
    sandbox.fault("*", "error_500", times=1000)
    found = reconcile(cast)
    assert found["unanswered"] > 0
    assert orders_queries.any_order(order.id).payout_status == "INITIATED"


def test_a_payout_the_books_cannot_take_is_told_and_does_not_stop_the_others(
    app: Flask, cast: Cast, sandbox: SandboxControl
) -> None:
    orders = [story.completed(app, cast, sandbox) for _ in range(2)]
    share = escrow_queries.holds_of([orders[0].id])[0].seller_share_kurus
    with atomic():
        ledger.post(
            "TEST",
            [Pair(accounts.seller(cast.deniz.organisation_id), accounts.BANK, Money(share))],
            key="gone", subject=("test", 1), by=actor(cast.ayse), because="paid by hand", effective_on=clock.today(),
        )  # fmt: skip
    story.days_pass(1, sandbox)
    found = reconcile(cast)
    assert (found["odd"], found["paid_out"]) == (
        1,
        3,
    )  # one seller's share did not fit; the other and both platform's did
