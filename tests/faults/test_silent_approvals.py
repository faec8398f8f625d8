"""The provider does the work and then says nothing, in 30 of 100 approvals."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import func, select

from jobs.drain import drain
from portal.core.database import db
from portal.core.ports import Outcome, port
from portal.escrow import queries as escrow_queries
from portal.escrow.ports import PaymentGateway
from portal.ledger import accounts
from portal.ledger import queries as ledger
from portal.orders import queries as orders_queries
from portal.orders.models import Order
from portal.outbox import queries as outbox_queries
from portal.outbox.models import ProviderAttempt, ProviderIntent
from tests import story
from tests.cast import Cast
from tests.faults.conftest import eventually
from tests.world import SandboxControl

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("faults")]

APPROVALS, SILENT = 100, 30


def confirmed_orders(app: Flask, cast: Cast, sandbox: SandboxControl, how_many: int) -> list[Order]:
    """Paid, delivered, confirmed; the releases wait to be asked for."""
    orders = [story.paid(app, cast, sandbox, (story.TAPE, 1))[0] for _ in range(how_many)]
    for order in orders:
        story.confirmed(order, cast)
    return orders


def test_every_item_is_approved_exactly_once_and_none_is_forgotten(
    app: Flask, cast: Cast, sandbox: SandboxControl
) -> None:
    orders = confirmed_orders(app, cast, sandbox, APPROVALS)
    # The portal waits one second, the provider says nothing for two; and some of the others answer with rubbish.
    sandbox.fault("approve", "timeout_after_effect", times=SILENT, every=3, seconds=2)
    sandbox.fault("approve", "error_500_after_effect", times=5, every=4)
    sandbox.fault("approve", "malformed", times=5, every=5)

    def everything_released() -> bool:
        drain("provider_calls")
        wanted = select(func.count()).where(
            ProviderIntent.operation == "approve_item", ProviderIntent.state == "SUCCEEDED"
        )
        return db.session.scalar(wanted) == APPROVALS

    eventually("every approval is settled", everything_released, 120)
    effects = sandbox.effects("approve")
    assert unanswered() >= SILENT
    assert len(effects) == APPROVALS
    assert set(effects.values()) == {1}
    for order in orders:
        fresh = orders_queries.any_order(order.id)
        assert (fresh.state, fresh.payout_status) == ("COMPLETED", "RELEASED")
    assert ledger.balance(accounts.ESCROW).kurus == 0


def unanswered() -> int:
    """How many calls ended in silence."""
    wanted = select(func.count()).where(ProviderAttempt.kind == "CALL", ProviderAttempt.outcome == "UNKNOWN")
    return db.session.scalar(wanted) or 0


def test_a_naive_caller_would_have_approved_twice(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    """The twin of the test above: without 'unknown' and asking, the same silence shows doubles. So the test can see."""
    orders = confirmed_orders(app, cast, sandbox, 12)
    items = [hold.provider_item_key for order in orders for hold in escrow_queries.holds_of([order.id])]
    sandbox.fault("approve", "timeout_after_effect", times=4, every=3, seconds=2)
    gateway = port(PaymentGateway)

    def call_until_it_says_something(item: str) -> None:
        while gateway.approve(item, key="naive").outcome is Outcome.UNKNOWN:
            pass

    with ThreadPoolExecutor(4) as callers:
        list(callers.map(call_until_it_says_something, items))
    assert max(sandbox.effects("approve").values()) > 1


def test_a_refund_without_an_answer_is_never_sent_again_by_a_machine(
    app: Flask, cast: Cast, sandbox: SandboxControl
) -> None:
    from portal.core.money import Money
    from portal.core.unit_of_work import atomic
    from portal.workflows import provider_calls, returns
    from tests.cast import actor

    order = story.paid(app, cast, sandbox)[0]
    hold = escrow_queries.holds_of([order.id])[0]
    with atomic():
        returns.refund(hold.id, Money(5000), by=actor(cast.ayse), because="iki bant eksik")
    sandbox.fault("refund", "timeout_before_effect", seconds=2)
    for _ in range(5):
        story.drain("provider_calls")
    assert sandbox.effects("refund") == {}
    intent = outbox_queries.intents_about("refund", ["1"])[0]
    assert (intent.state, intent.needs_person, intent.attempts) == ("UNKNOWN", True, 1)
    with atomic():
        found = outbox_queries.intent_for_update(intent.id)
        from portal.outbox import services as outbox

        outbox.send_again_by_hand(found, by=actor(cast.ayse), because="sağlayıcının listesinde yok")
    story.drain("provider_calls")
    assert list(sandbox.effects("refund").values()) == [1]
    assert escrow_queries.hold(hold.id).refunded_kurus == 5000
    assert provider_calls.OPERATIONS["refund_item"].may_be_sent_again is False
