"""A packer confirms while the customer cancels: one of them was first, and the goods are where the books say."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import text

from portal.core.database import db
from portal.core.unit_of_work import atomic
from portal.marketplace.services import NotToBePacked
from tests.marketplace import Street, returns
from tests.marketplace.test_reading import at_once
from tests.stock import GLUE, TAPE, Warehouse, number, on_hand

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("faults")]


def test_packed_and_cancelled_at_once_it_is_one_after_the_other(
    app: Flask, street: Street, warehouse: Warehouse
) -> None:
    keys = street.order((TAPE, 2), times=6)
    street.pull()
    refused: list[str] = []

    def cem_packs() -> None:
        for key in keys:
            try:
                street.pack(key, warehouse.tape, warehouse.a1, 2)
            except NotToBePacked:
                db.session.rollback()
                refused.append(key)

    def they_cancel() -> None:
        for key in reversed(keys):
            street.cancels(key)
            street.pull()

    assert at_once(app, cem_packs, they_cancel) == []
    packed = set(keys) - set(refused)
    assert set(street.states().values()) == {"CANCELLED"}
    assert on_hand(warehouse.tape) == (50 - 2 * len(packed), 0)
    assert {row[0] for row in returns()} == {f"trendyol:{key}" for key in packed}
    assert all(row[1:] == (2, 0, "EXPECTED") for row in returns())


def test_packers_and_readers_of_the_same_two_items_never_wait_in_a_circle(
    app: Flask, street: Street, warehouse: Warehouse
) -> None:
    warehouse.receive(50, item=warehouse.glue)
    keys = [street.order((TAPE, 1), (GLUE, 1))[0] for _n in range(4)]
    keys += [street.order((GLUE, 1), (TAPE, 1))[0] for _n in range(4)]
    street.pull()

    def packs(mine: list[str]) -> None:
        for key in mine:
            street.pack_all(key, {warehouse.tape: 1, warehouse.glue: 1}, warehouse.a1)

    def reads() -> None:
        for key in keys[:3]:
            street.order((GLUE, 1), (TAPE, 1))
            street.becomes(key, "Picking")
            street.pull()

    assert at_once(app, lambda: packs(keys[::2]), lambda: packs(keys[1::2]), reads, reads) == []
    assert number("SELECT count(*) FROM storefront_package WHERE packed_at IS NOT NULL") == 8
    assert (on_hand(warehouse.tape)[0], on_hand(warehouse.glue)[0]) == (42, 42)


def test_after_the_clock_was_set_back_reading_goes_on(street: Street, warehouse: Warehouse) -> None:
    street.pull()
    with atomic():
        db.session.execute(text("UPDATE storefront_sync SET read_until_at = now() + interval '7 days'"))
    street.order((TAPE, 3))
    street.pull()
    assert on_hand(warehouse.tape) == (50, 3)
