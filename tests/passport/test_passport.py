"""One click from any amount to its whole chain, for those whose amount it is."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import select

from portal.core.database import db
from portal.core.money import Money
from portal.core.unit_of_work import atomic
from portal.escrow import queries as escrow_queries
from portal.ledger.models import JournalEntry, Posting
from portal.orders import queries as orders_queries
from portal.passport import queries as passport
from portal.workflows import payouts, returns
from tests import story
from tests.cast import Cast, actor, sign_in
from tests.world import SandboxControl


@pytest.fixture
def order_id(app: Flask, cast: Cast, sandbox: SandboxControl) -> int:
    """An order that lived through everything: paid, partly refunded, released, refunded again, paid out."""
    order = story.paid(app, cast, sandbox, (story.TAPE, 4))[0]
    hold = escrow_queries.holds_of([order.id])[0]
    with atomic():
        returns.refund(hold.id, Money(1234), by=actor(cast.ayse), because="bir bant eksik")
    story.drain("provider_calls")
    story.confirmed(order, cast)
    story.drain("provider_calls")
    with atomic():
        returns.refund(hold.id, Money(777), by=actor(cast.ayse), because="bir bant ezik")
    story.drain("provider_calls")
    story.days_pass(1, sandbox)
    payouts.reconcile(by=actor(cast.ayse))
    return order.id


def test_every_link_leads_to_the_same_chain_and_back(app: Flask, cast: Cast, order_id: int) -> None:
    chain = passport.passport_of(orders_queries.any_order(order_id), with_split=True)
    kinds = {step.kind for step in chain.steps}
    assert kinds == {"order", "line", "payment", "hold", "shipment", "refund", "intent", "posting", "payout"}
    for step in chain.steps:
        if step.kind != "intent":
            assert passport.order_of(step.kind, step.subject_id) == order_id, step
    for entry in db.session.scalars(select(JournalEntry.id)):
        assert passport.order_of("entry", entry) == order_id
    assert chain.sums == (85900, 0, 85900 - 1234 - 777, 1234 + 777)
    assert chain.sums.agrees
    shown = {step.subject_id for step in chain.steps if step.kind == "posting"}
    written = set(db.session.scalars(select(Posting.id).where(Posting.order_id == order_id)))
    assert shown == written


def test_the_buyer_sees_the_way_of_his_money_but_not_what_the_seller_pays(
    app: Flask, cast: Cast, order_id: int
) -> None:
    buyers = sign_in(app, cast.fatma).get(f"/passport/order/{order_id}")[1]
    sellers = sign_in(app, cast.deniz).get(f"/passport/order/{order_id}")[1]
    assert "komisyon" not in buyers.lower()
    assert "komisyon" in sellers.lower()
    assert "859,00" in buyers
    assert re.search(r"%8,5", sellers)


def test_ece_learns_nothing_whatever_she_tries(app: Flask, cast: Cast, order_id: int) -> None:
    ece = sign_in(app, cast.ece)
    for kind in passport.KINDS:
        assert ece.get(f"/passport/{kind}/1")[0] == 404
    for nonsense in ("order/0", "order/99999999999999999999", "soul/1", "entry/4000"):
        assert ece.get(f"/passport/{nonsense}")[0] == 404


def test_a_chain_costs_few_queries(app: Flask, cast: Cast, order_id: int) -> None:
    from sqlalchemy import event

    asked: list[str] = []
    order = orders_queries.any_order(order_id)
    event.listen(db.engine, "before_cursor_execute", lambda *a: asked.append(a[2]))
    passport.passport_of(order, with_split=True)
    assert 0 < len(asked) <= 9, asked
