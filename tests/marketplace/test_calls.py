"""Picking and Invoiced: said once, in order, and asked about after silence."""

from __future__ import annotations

import pytest

from portal.core.errors import BadInput
from portal.core.unit_of_work import atomic
from portal.marketplace.services import NotToBePacked, NotYetPacked
from portal.stock import services as stock
from portal.stock.services import Pick
from portal.workflows import marketplace_orders, provider_calls
from tests.marketplace import Street
from tests.stock import CEM, TAPE, Warehouse, number, on_hand


def dispatch() -> None:
    """Until nothing is due; what waits for its turn waits a few seconds."""
    while provider_calls.dispatch_next():
        pass


@pytest.fixture
def packed(street: Street, warehouse: Warehouse) -> str:
    """Eight pieces, packed by Cem."""
    (key,) = street.order((TAPE, 8))
    street.pull()
    street.pack(key, warehouse.tape, warehouse.a1, 8)
    return key


def said(street: Street, what: str) -> dict[str, int]:
    """How often they took it, by package."""
    rows = street.sandbox.http.get("/_sandbox/trendyol/effects").json()["effects"]
    return {row["key"]: row["count"] for row in rows if row["operation"] == f"trendyol.{what}"}


def test_packing_takes_the_goods_and_says_picking(street: Street, warehouse: Warehouse, packed: str) -> None:
    assert on_hand(warehouse.tape) == (42, 0)
    assert street.ours(packed).state == "PICKING"
    dispatch()
    assert street.status(packed) == "Picking"
    street.pull()
    assert street.ours(packed).state == "PICKING"
    assert on_hand(warehouse.tape) == (42, 0)


def test_confirmed_twice_it_is_said_once(street: Street, packed: str) -> None:
    with atomic():
        marketplace_orders.packing_confirmed(street.ours(packed).id, by=CEM)
    dispatch()
    assert said(street, "picking") == {packed: 1}


def test_what_was_packed_cannot_be_begun_again(street: Street, packed: str) -> None:
    with pytest.raises(NotToBePacked), atomic():
        marketplace_orders.hold_for_packing(street.ours(packed).id)


def test_what_was_cancelled_meanwhile_is_not_packed_and_nothing_leaves_its_shelf(
    street: Street, warehouse: Warehouse
) -> None:
    (key,) = street.order((TAPE, 8))
    street.pull()
    street.becomes(key, "Cancelled")
    street.pull()
    package_id = street.ours(key).id
    with pytest.raises(NotToBePacked), atomic():
        stock.take([Pick(warehouse.tape, warehouse.a1, 8)], source=street.source(key), key="pack", by=CEM)
        marketplace_orders.packing_confirmed(package_id, by=CEM)
    assert on_hand(warehouse.tape) == (50, 0)


@pytest.mark.parametrize("mode", ["timeout_after_effect", "error_500_after_effect", "error_500", "malformed"])
def test_after_silence_the_package_is_read_and_picking_is_said_once(street: Street, packed: str, mode: str) -> None:
    street.sandbox.fault("update", mode, provider="trendyol")
    dispatch()
    dispatch()
    assert said(street, "picking") == {packed: 1}
    assert number("SELECT count(*) FROM provider_intent WHERE state = 'SUCCEEDED' AND provider = 'trendyol'") == 1


def test_a_package_they_moved_on_themselves_counts_as_said(street: Street, packed: str) -> None:
    street.becomes(packed, "Shipped")
    dispatch()
    assert number("SELECT count(*) FROM provider_intent WHERE state = 'SUCCEEDED' AND provider = 'trendyol'") == 1
    assert said(street, "picking") == {}


def test_picking_they_refuse_is_shown_and_the_package_is_read_again(street: Street, packed: str) -> None:
    street.becomes(packed, "Cancelled")
    dispatch()
    assert street.ours(packed).trouble != ""
    street.work()
    assert street.ours(packed).state == "CANCELLED"
    assert number("SELECT count(*) FROM storefront_return") == 1


def test_an_invoice_is_said_after_picking_only(street: Street, packed: str) -> None:
    package_id = street.ours(packed).id
    with atomic():
        marketplace_orders.invoiced(package_id, "ABC2026000000001", by=CEM)
        marketplace_orders.invoiced(package_id, "ABC2026000000001", by=CEM)
    assert street.ours(packed).state == "INVOICED"
    number("SELECT 1")
    with atomic():
        due_now()
    dispatch()
    with atomic():
        due_now()
    dispatch()
    assert street.status(packed) == "Invoiced"
    assert (said(street, "picking"), said(street, "invoiced")) == ({packed: 1}, {packed: 1})


def due_now() -> None:
    """Whoever waits does not have to wait."""
    from sqlalchemy import text

    from portal.core.database import db

    db.session.execute(text("UPDATE provider_intent SET next_attempt_at = now() WHERE state = 'READY'"))


def test_an_invoice_for_what_is_not_packed_is_refused(street: Street) -> None:
    (key,) = street.order()
    street.pull()
    with pytest.raises(NotYetPacked), atomic():
        marketplace_orders.invoiced(street.ours(key).id, "ABC2026000000001", by=CEM)


@pytest.mark.parametrize("number_", ["   ", "x" * 51])
def test_what_is_no_invoice_number_is_refused(street: Street, packed: str, number_: str) -> None:
    with pytest.raises(BadInput), atomic():
        marketplace_orders.invoiced(street.ours(packed).id, number_, by=CEM)


def test_a_second_other_invoice_number_is_refused(street: Street, packed: str) -> None:
    package_id = street.ours(packed).id
    with atomic():
        marketplace_orders.invoiced(package_id, "ABC2026000000001", by=CEM)
    with pytest.raises(BadInput), atomic():
        marketplace_orders.invoiced(package_id, "ABC2026000000002", by=CEM)
