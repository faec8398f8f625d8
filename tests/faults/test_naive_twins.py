"""The careless ways of doing what the portal does: each is seen to fail, so the tests beside it are not blind.

Every twin looks first and acts afterwards, as code does that trusts nobody else is in the room.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.accounts import queries as accounts_queries
from portal.core.actor import SYSTEM
from portal.core.database import db
from portal.core.money import Money
from portal.core.ports import port
from portal.core.unit_of_work import atomic
from portal.escrow import queries as escrow_queries
from portal.escrow.ports import PaymentGateway
from portal.orders import services as orders
from portal.orders.models import Checkout
from tests import story
from tests.cast import Cast
from tests.world import SandboxControl

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("faults")]

CROWD = 12


def at_the_same_time(app: Flask, look: Callable[[], bool], act: Callable[[], object]) -> None:
    """Everybody looks; then everybody who saw that it was not done yet does it."""
    meet = threading.Barrier(CROWD)

    def one() -> None:
        with app.app_context():
            not_done_yet = look()
            db.session.rollback()
            meet.wait()
            if not_done_yet:
                act()

    crowd = [threading.Thread(target=one) for _ in range(CROWD)]
    for person in crowd:
        person.start()
    for person in crowd:
        person.join()


def test_confirming_without_a_lock_approves_more_than_once(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    order = story.paid(app, cast, sandbox)[0]
    hold = escrow_queries.holds_of([order.id])[0]
    hold_id, item = hold.id, hold.provider_item_key
    at_the_same_time(
        app,
        lambda: escrow_queries.hold(hold_id).state == "HELD",
        lambda: port(PaymentGateway).approve(item, key="naive"),
    )
    assert sandbox.effects("approve")[item] > 1


def test_looking_for_the_key_before_ordering_orders_more_than_once(app: Flask, cast: Cast) -> None:
    buyer_id = cast.fatma.id

    def no_basket_yet() -> bool:
        return db.session.scalar(select(func.count(Checkout.id))) == 0

    def order() -> None:
        with atomic():
            buyer = accounts_queries.active_person(buyer_id)
            assert buyer
            orders.place([orders.WantedLine(story.TAPE, 1)], buyer=buyer, by=SYSTEM)

    at_the_same_time(app, no_basket_yet, order)
    db.session.rollback()
    assert (db.session.scalar(select(func.count(Checkout.id))) or 0) > 1


def test_refunding_after_a_look_refunds_more_than_once(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    order = story.paid(app, cast, sandbox)[0]
    hold = escrow_queries.holds_of([order.id])[0]
    hold_id, item = hold.id, hold.provider_item_key
    at_the_same_time(
        app,
        lambda: escrow_queries.hold(hold_id).refunded_kurus == 0,
        lambda: port(PaymentGateway).refund(item, Money(1000), key="naive", because="ezik"),
    )
    assert sandbox.effects("refund")["naive"] > 1


def test_a_scheduler_that_only_looks_runs_the_slot_more_than_once(app: Flask) -> None:
    from portal.schedules.models import ScheduleTick

    ran: list[int] = []
    at_the_same_time(
        app, lambda: db.session.scalar(select(func.count()).select_from(ScheduleTick)) == 0, lambda: ran.append(1)
    )
    assert len(ran) > 1
