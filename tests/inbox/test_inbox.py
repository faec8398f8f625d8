"""Messages: late, repeated, early, unknown, dead, replayed. Nothing is lost."""

from __future__ import annotations

import itertools

import pytest
from flask import Flask
from sqlalchemy import select, update

from portal.core.database import DB_NOW, db
from portal.core.errors import BadInput
from portal.core.unit_of_work import atomic
from portal.escrow import queries as escrow_queries
from portal.inbox import queries as inbox_queries
from portal.inbox import services as inbox
from portal.inbox.models import InboxMessage
from portal.orders import queries as orders_queries
from tests import story
from tests.cast import Cast, actor, sign_in
from tests.world import SandboxControl


def states() -> list[str]:
    """The states of all messages, oldest first."""
    db.session.rollback()
    return list(db.session.scalars(select(InboxMessage.state).order_by(InboxMessage.id)))


def hurry() -> None:
    """The wait is over."""
    with atomic() as session:
        session.execute(update(InboxMessage).values(next_attempt_at=DB_NOW))


def test_a_provider_that_is_silent_is_asked_again_later(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    token = story.open_page(cast, story.place(cast))
    sandbox.pay(token)
    sandbox.fault("checkout_retrieve", "timeout_before_effect", seconds=2)
    story.deliver_webhook(app, sandbox.webhooks()[0])
    story.drain("inbox")
    assert states() == ["WAITING"]
    hurry()
    story.drain("inbox")
    assert states() == ["APPLIED"]


def test_after_the_last_try_a_person_decides_and_can_replay(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    token = story.open_page(cast, story.place(cast))
    sandbox.pay(token)
    story.deliver_webhook(app, sandbox.webhooks()[0])
    sandbox.fault("checkout_retrieve", "error_500", times=50)
    for _ in range(len(inbox.PATIENCE_SECONDS) + 1):
        story.drain("inbox")
        hurry()
    assert states() == ["DEAD"]
    assert story.drain("inbox") == 0
    before = inbox_queries.message(1).dedupe_key
    sandbox.calm()
    with atomic():
        inbox.replay(inbox_queries.message_for_update(1), by=actor(cast.gul), because="iyzico döndü")
    story.drain("inbox")
    assert states() == ["APPLIED"]
    assert inbox_queries.message(1).dedupe_key == before
    assert [a.outcome for a in inbox_queries.attempts(1)] == ["LATER"] * 6 + ["DEAD", "APPLIED"]


def test_nothing_is_set_aside_without_a_reason(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    token = story.open_page(cast, story.place(cast))
    sandbox.pay(token)
    story.deliver_webhook(app, sandbox.webhooks()[0])
    with pytest.raises(BadInput), atomic():
        inbox.set_aside_by_hand(inbox_queries.message_for_update(1), by=actor(cast.gul), because="  ")
    assert states() == ["RECEIVED"]


def test_a_payment_of_another_amount_is_set_aside_and_not_booked(
    app: Flask, cast: Cast, sandbox: SandboxControl
) -> None:
    checkout = story.place(cast)
    token = story.open_page(cast, checkout)
    with atomic() as session:
        payment = escrow_queries.payment_by_token(token)
        assert payment
        session.execute(
            update(type(payment)).where(type(payment).id == payment.id).values(amount_kurus=payment.amount_kurus + 1)
        )
    sandbox.pay(token)
    story.deliver_webhook(app, sandbox.webhooks()[0])
    story.drain("inbox")
    assert states() == ["SET_ASIDE"]
    assert "instead of" in inbox_queries.message(1).last_note
    assert orders_queries.checkout(checkout.id).orders[0].state == "PENDING_PAYMENT"


@pytest.mark.parametrize("order", list(itertools.permutations(["declined", "paid", "callback"])))
def test_in_any_order_the_payment_ends_as_it_is(
    app: Flask, cast: Cast, sandbox: SandboxControl, order: tuple[str, ...]
) -> None:
    """A first card is declined, a second goes through: whichever message comes first, paid is paid."""
    checkout = story.place(cast)
    token = story.open_page(cast, checkout)
    sandbox.pay(token, "failure")
    sandbox.pay(token, "success")
    declined, paid = sandbox.webhooks()
    for what in order:
        if what == "callback":
            assert app.test_client().post("/payments/iyzico/callback", data={"token": token}).status_code == 303
        else:
            assert story.deliver_webhook(app, paid if what == "paid" else declined) == 200
        story.drain("inbox")
    assert states() == ["APPLIED"] * 3
    assert [o.state for o in orders_queries.checkout(checkout.id).orders] == ["PAID"]
    assert [p.state for p in escrow_queries.payments_of(checkout.id)] == ["PAID"]


def test_words_we_do_not_know_are_kept_and_shown() -> None:
    from portal.core.errors import UnknownWords
    from portal.integrations.iyzico import wire

    with pytest.raises(UnknownWords, match="GALACTIC"):
        wire.payment_state({"paymentStatus": "GALACTIC", "fraudStatus": 1})
    assert wire.payment_state({"paymentStatus": "SUCCESS", "fraudStatus": 0}).truth == "WAITING"
    assert wire.payment_state({"paymentStatus": "SUCCESS", "fraudStatus": -1}).truth == "FAILED"


def test_who_comes_back_without_paying_leaves_no_work_for_operators(
    app: Flask, cast: Cast, sandbox: SandboxControl
) -> None:
    checkout = story.place(cast)
    token = story.open_page(cast, checkout)
    fatma = sign_in(app, cast.fatma)
    back = app.test_client().post("/payments/iyzico/callback", data={"token": token}).headers["Location"]
    assert 'hx-trigger="every 1s"' in fatma.get(back)[1]  # being asked about
    story.drain("inbox")
    assert states() == ["APPLIED"]
    assert inbox_queries.message(1).last_note == "not paid yet"
    page = fatma.get(back)[1]
    assert "every 1s" not in page
    assert 'id="pay"' in page
    sandbox.pay(token)
    story.deliver_webhook(app, sandbox.webhooks()[0])
    story.drain("inbox")
    assert orders_queries.checkout(checkout.id).orders[0].state == "PAID"


def test_a_payment_under_review_is_waited_for(app: Flask, cast: Cast) -> None:
    from portal.escrow.ports import PaymentState, PaymentTruth
    from portal.workflows import checkout as checkout_story

    story.open_page(cast, story.place(cast))
    key = escrow_queries.payments_of(1)[0].attempt_key
    with atomic():
        reviewed = PaymentState(PaymentTruth.WAITING, provider_payment_key="7", attempt_key=key)
        assert isinstance(checkout_story.learn(reviewed), checkout_story.Waiting)
