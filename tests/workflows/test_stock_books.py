"""The books' questions about the warehouse: silent when all is well, and each notices what it is there for."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import text

from portal.core.database import db
from portal.core.unit_of_work import atomic
from portal.health.books import ask_the_books
from portal.health.stock_books import STOCK_QUESTIONS
from portal.orders import queries as orders_queries
from portal.shipping.services import Piece
from portal.workflows import delivery
from tests import story
from tests.cast import Cast, actor
from tests.workflows.warehouse import keep
from tests.world import SandboxControl

PACKED = "state = 'PACKED'"
TAMPERED = {
    "stock that is not what its movements say": "UPDATE central_stock SET qty = qty + 1",
    "items of which more or less is set aside than their open promises say": "UPDATE central_stock SET reserved = 9",
    "paid order lines of which more or less is set aside than is still wanted": (
        "UPDATE reservation SET released = released + 1 WHERE state = 'OPEN'"
    ),
    "goods taken for one of our orders without a parcel": f"UPDATE shipment SET direction = 'RETURN' WHERE {PACKED}",
    "parcels for which other pieces left the shelves than are in them": (
        f"UPDATE shipment SET items = jsonb_set(items, '{{0,quantity}}', '2') WHERE {PACKED}"
    ),
    "parcels that were cancelled although their goods are still out": (
        f"UPDATE shipment SET state = 'CANCELLED' WHERE {PACKED}"
    ),
}


def test_every_question_about_the_stock_is_tampered_with_below() -> None:
    assert {question.asks for question in STOCK_QUESTIONS} == TAMPERED.keys()


def test_what_is_wrong_in_the_warehouse_is_noticed(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    """One order of four: one piece packed, one given to the packers, two waiting."""
    keep(tape=10)
    order = story.paid(app, cast, sandbox, (story.TAPE, 4))[0]
    line = orders_queries.lines_of(order.id)[0]
    for _ in range(2):
        with atomic():
            parcel = delivery.prepare_parcel(order.id, by=actor(cast.deniz), pieces=[Piece(line.id, 1)])
    with atomic():
        delivery.pack_parcel(parcel.id, by=actor(cast.cem))
    assert ask_the_books() == []
    for question, statement in TAMPERED.items():
        changed = db.session.execute(text(statement)).rowcount  # type: ignore[attr-defined]
        assert changed, statement
        assert question in [trouble.question for trouble in ask_the_books()], question
        db.session.rollback()


@pytest.mark.parametrize("state", ["CANCELLED", "REFUNDED"])
def test_an_ended_order_must_not_keep_anything(app: Flask, cast: Cast, sandbox: SandboxControl, state: str) -> None:
    keep(tape=10)
    order = story.paid(app, cast, sandbox, (story.TAPE, 4))[0]
    db.session.execute(text("UPDATE network_order SET state = :s WHERE id = :i"), {"s": state, "i": order.id})
    asked = [trouble.question for trouble in ask_the_books()]
    assert "paid order lines of which more or less is set aside than is still wanted" in asked
    db.session.rollback()
