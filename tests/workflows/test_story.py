"""The main story, without a browser: paid, shipped, confirmed, released."""

from __future__ import annotations

from flask import Flask

from portal.core.unit_of_work import atomic
from portal.ledger import accounts
from portal.ledger import queries as ledger
from portal.orders import queries as orders_queries
from portal.workflows import delivery, payouts
from tests import story
from tests.cast import Cast, actor
from tests.world import SandboxControl


def test_the_money_goes_from_the_buyer_to_the_seller(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    order = story.paid(app, cast, sandbox, (story.TAPE, 4))[0]
    assert (order.state, order.payout_status, order.paid_at is not None) == ("PAID", "NONE", True)
    assert ledger.balance(accounts.ESCROW).kurus == order.total_kurus == 4 * 21475

    story.confirmed(order, cast)
    assert orders_queries.any_order(order.id).payout_status == "INITIATED"
    assert ledger.seller_balance(order.seller_organisation_id).kurus == 0

    story.drain("provider_calls")
    done = orders_queries.any_order(order.id)
    assert (done.state, done.payout_status) == ("COMPLETED", "RELEASED")
    commission = 7302  # 8.5 % of 85,900 kuruş, half a kuruş up
    assert ledger.balance(accounts.COMMISSION).kurus == commission
    assert ledger.seller_balance(order.seller_organisation_id).kurus == order.total_kurus - commission
    assert ledger.balance(accounts.ESCROW).kurus == 0
    assert list(sandbox.effects("approve").values()) == [1] * 4  # every piece is an item of its own


def test_two_sellers_are_two_orders_and_one_payment(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    first, second = story.paid(app, cast, sandbox, (story.TAPE, 1), (story.PAPER, 2))
    assert {first.seller_organisation_id, second.seller_organisation_id} == {
        cast.deniz.organisation_id,
        cast.ece.organisation_id,
    }
    assert len(sandbox.effects("payment")) == 1
    story.confirmed(first, cast)
    story.drain("provider_calls")
    assert orders_queries.any_order(second.id).payout_status == "NONE"
    assert ledger.balance(accounts.ESCROW).kurus == second.total_kurus


def test_confirming_twice_releases_once(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    order = story.paid(app, cast, sandbox)[0]
    story.confirmed(order, cast)
    with atomic():
        delivery.confirm_delivery(order.id, None, by=actor(cast.fatma), because="again")
    story.drain("provider_calls")
    assert list(sandbox.effects("approve").values()) == [1]


def test_silence_is_consent_on_the_fourth_day_and_not_before(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    order = story.paid(app, cast, sandbox)[0]
    story.delivered(order, cast)
    story.days_pass(3, sandbox)
    with app.app_context():
        assert delivery.accept_undisputed() == 0
    story.days_pass(1, sandbox)
    with app.app_context():
        assert delivery.accept_undisputed() == 1
    assert orders_queries.any_order(order.id).state == "COMPLETED"


def test_finance_sees_the_payout_reach_the_bank_once(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    order = story.completed(app, cast, sandbox)
    share = ledger.seller_balance(order.seller_organisation_id)
    story.days_pass(1, sandbox)
    with app.app_context():
        assert payouts.reconcile(by=actor(cast.ayse))["paid_out"] == 2  # the seller's share, and the platform's
        assert "paid_out" not in {k for k, v in payouts.reconcile(by=actor(cast.ayse)).items() if v}
        assert ledger.seller_balance(order.seller_organisation_id).kurus == 0
        assert ledger.balance(accounts.provider("iyzico")).kurus == 0
    assert share.kurus > 0
