"""Money goes back, mirroring the split to the kuruş; and it can't go back twice."""

from __future__ import annotations

import contextvars
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask

from portal.core.errors import Refusal
from portal.core.money import Money
from portal.core.unit_of_work import atomic
from portal.escrow import queries as escrow_queries
from portal.escrow import services as escrow
from portal.ledger import accounts
from portal.ledger import queries as ledger
from portal.orders import queries as orders_queries
from portal.outbox import queries as outbox_queries
from portal.workflows import payouts, provider_calls, returns
from tests import story
from tests.cast import Cast, actor
from tests.world import SandboxControl


def refund(cast: Cast, hold_id: int, kurus: int) -> None:
    """Ayşe gives money back, and the provider does it."""
    with atomic():
        returns.refund(hold_id, Money(kurus), by=actor(cast.ayse), because="ezik koli")
    story.drain("provider_calls")


def test_a_part_goes_back_from_trust_and_the_rest_is_released(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    order = story.paid(app, cast, sandbox)[0]
    hold = escrow_queries.holds_of([order.id])[0]
    refund(cast, hold.id, 333)
    refund(cast, hold.id, 334)
    now = escrow_queries.hold(hold.id)
    assert (now.held_kurus, now.refunded_kurus) == (21475 - 667, 667)
    story.confirmed(order, cast)
    story.drain("provider_calls")
    seller_back = now.seller_share_kurus * 667 // 21475
    assert ledger.seller_balance(order.seller_organisation_id).kurus == now.seller_share_kurus - seller_back
    assert ledger.balance(accounts.ESCROW).kurus == 0
    story.days_pass(1, sandbox)
    payouts.reconcile(by=actor(cast.ayse))
    # The provider's own books came to the same figures.
    assert ledger.balance(accounts.provider("iyzico")).kurus == 0
    assert ledger.seller_balance(order.seller_organisation_id).kurus == 0


def test_after_the_release_the_seller_and_the_platform_give_back_their_parts(
    app: Flask, cast: Cast, sandbox: SandboxControl
) -> None:
    order = story.completed(app, cast, sandbox)
    hold = escrow_queries.holds_of([order.id])[0]
    refund(cast, hold.id, hold.amount_kurus)
    assert escrow_queries.hold(hold.id).state == "REFUNDED"
    assert ledger.seller_balance(order.seller_organisation_id).kurus == 0
    assert ledger.balance(accounts.COMMISSION).kurus == 0
    assert orders_queries.any_order(order.id).state == "REFUNDED"


def test_what_the_seller_was_already_paid_cannot_be_taken_back(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    order = story.completed(app, cast, sandbox)
    story.days_pass(1, sandbox)
    payouts.reconcile(by=actor(cast.ayse))
    hold = escrow_queries.holds_of([order.id])[0]
    with pytest.raises(escrow.SellerAlreadyPaid):
        refund(cast, hold.id, 100)
    assert sandbox.effects("refund") == {}


def test_a_refused_refund_leaves_everything_as_it_was(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    order = story.completed(app, cast, sandbox)
    before = {row.code: row.balance_kurus for row in ledger.balances()}
    sandbox.fault("refund", "refuse")
    refund(cast, escrow_queries.holds_of([order.id])[0].id, 100)
    assert {row.code: row.balance_kurus for row in ledger.balances()} == before
    assert escrow_queries.refunds_of([1])[0].state == "REFUSED"


def test_more_than_is_left_is_refused(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    order = story.paid(app, cast, sandbox)[0]
    hold = escrow_queries.holds_of([order.id])[0]
    refund(cast, hold.id, 21_000)
    with pytest.raises(escrow.MoreThanIsLeft):
        refund(cast, hold.id, 476)


def test_sixty_four_refunds_at_once_never_pay_more_than_there_is(
    app: Flask, cast: Cast, sandbox: SandboxControl
) -> None:
    order = story.paid(app, cast, sandbox)[0]
    hold = escrow_queries.holds_of([order.id])[0]
    asked = 60 * hold.amount_kurus // 100

    def ask(_number: int) -> bool:
        with app.app_context():
            try:
                with atomic():
                    returns.refund(hold.id, Money(asked), by=actor(cast.ayse), because="ezik")
            except Refusal:
                return False
            return True

    with ThreadPoolExecutor(16) as crowd:
        won = list(crowd.map(lambda n: contextvars.Context().run(ask, n), range(64)))
    assert sum(won) == 1
    story.drain("provider_calls")
    assert list(sandbox.effects("refund").values()) == [1]


def test_cancelling_before_shipping_returns_every_kurus(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    first, second = story.paid(app, cast, sandbox, (story.TAPE, 1), (story.PAPER, 1))
    with atomic():
        returns.cancel_order(first.id, by=actor(cast.fatma), because="vazgeçtim")
    story.drain("provider_calls")
    assert orders_queries.any_order(first.id).state == "REFUNDED"
    assert orders_queries.any_order(second.id).state == "PAID"
    assert ledger.balance(accounts.ESCROW).kurus == second.total_kurus


def test_too_late_to_cancel_once_a_parcel_is_prepared(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    order = story.paid(app, cast, sandbox)[0]
    story.shipped(order, cast)
    with pytest.raises(returns.AlreadyOnItsWay), atomic():
        returns.cancel_order(order.id, by=actor(cast.fatma), because="vazgeçtim")


def test_paid_after_cancelling_goes_straight_back(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    checkout = story.place(cast)
    token = story.open_page(cast, checkout)
    with atomic():
        returns.cancel_order(checkout.orders[0].id, by=actor(cast.fatma), because="vazgeçtim")
    sandbox.pay(token)
    story.deliver_webhook(app, sandbox.webhooks()[0])
    story.drain("inbox")
    story.drain("provider_calls")
    assert [p.state for p in escrow_queries.payments_of(checkout.id)] == ["RETURNED"]
    assert list(sandbox.effects("cancel").values()) == [1]
    assert ledger.balance(accounts.ESCROW).kurus == 0
    assert ledger.balance(accounts.provider("iyzico")).kurus == 0


def test_a_person_may_say_that_a_silent_refund_was_done(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    order = story.paid(app, cast, sandbox)[0]
    hold = escrow_queries.holds_of([order.id])[0]
    sandbox.fault("refund", "timeout_after_effect", seconds=2)
    sandbox.fault("report_details", "error_500", times=1)
    refund(cast, hold.id, 100)
    intent = outbox_queries.intents_about("refund", ["1"])[0]
    assert intent.state == "UNKNOWN"
    with pytest.raises(Refusal), atomic():
        provider_calls.settle_by_hand(intent.id, done=True, by=actor(cast.ayse), because="listede var")
    assert escrow_queries.hold(hold.id).refunded_kurus == 0
