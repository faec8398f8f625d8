"""The role fits more than one storefront: the same sentences about each of them."""

from __future__ import annotations

import json

import pytest

from portal.core.ports import Outcome, known
from portal.core.unit_of_work import atomic
from portal.marketplace.ports import BatchState, PackageState, StockWish, Storefront, Storefronts
from portal.workflows import marketplace_orders, provider_calls
from tests.marketplace import Street
from tests.marketplace.test_reading import a_minute
from tests.stock import CEM, GLUE, TAPE, Warehouse, number, on_hand


@pytest.fixture(params=["trendyol", "n11"])
def street(request: pytest.FixtureRequest, street: Street) -> Street:
    """Each storefront in turn."""
    street.storefront = request.param
    return street


@pytest.fixture
def store(street: Street) -> Storefront:
    """Its adapter, with as little patience as the other tests have."""
    return known(Storefronts).by_code[street.storefront]


def test_an_order_comes_is_packed_and_said(street: Street, warehouse: Warehouse) -> None:
    (key,) = street.order((TAPE, 8))
    street.pull()
    ours = street.ours(key)
    assert (ours.state, ours.customer_name != "", ours.city != "") == ("CREATED", True, True)
    street.pack(key, warehouse.tape, warehouse.a1, 8)
    while provider_calls.dispatch_next():
        pass
    assert street.status(key) == "Picking"
    assert on_hand(warehouse.tape) == (42, 0)


def test_every_page_of_many_is_kept_once(street: Street) -> None:
    street.order((TAPE, 1), times=17)
    street.lever("rules", most_rows=4)
    street.pull()
    street.pull()
    assert set(street.states()) == street.keys()
    assert number("SELECT count(*) FROM reservation") == 17
    assert street.compare() == "WELL"


def test_a_full_and_a_partial_cancellation_free_what_they_should(street: Street, warehouse: Warehouse) -> None:
    whole, partly = street.order((TAPE, 5))[0], street.order((TAPE, 4), (GLUE, 2))[0]
    street.pull()
    street.cancels(whole)
    street.cancels(partly, (TAPE, 3))
    street.pull()
    assert (on_hand(warehouse.tape)[1], on_hand(warehouse.glue)[1]) == (1, 2)


@pytest.mark.parametrize("mode", ["error_500_after_effect", "error_500"])
def test_silence_after_picking_is_asked_about_and_it_is_said_once(
    street: Street, warehouse: Warehouse, mode: str
) -> None:
    (key,) = street.order((TAPE, 1))
    street.pull()
    street.pack(key, warehouse.tape, warehouse.a1, 1)
    street.sandbox.fault("update", mode, provider=street.storefront)
    for _round in range(2):
        while provider_calls.dispatch_next():
            pass
    assert street.status(key) == "Picking"
    rows = street.sandbox.http.get("/_sandbox/x/effects").json()["effects"]
    assert [row["count"] for row in rows if row["operation"] == f"{street.storefront}.picking"] == [1]


@pytest.mark.parametrize("mode", ["error_500", "malformed"])
def test_a_page_that_fails_is_no_page(street: Street, store: Storefront, mode: str) -> None:
    street.order()
    street.sandbox.fault("orders", mode, provider=street.storefront)
    page = store.changed_packages(*a_minute())
    assert (page.outcome, page.packages, page.cursor) == (Outcome.UNKNOWN, (), "")


def test_a_package_nobody_has_is_none(store: Storefront) -> None:
    page = store.package("42")
    assert (page.outcome, page.packages) == (Outcome.DONE, ())


def test_an_invoice_is_never_in_the_way(street: Street, warehouse: Warehouse) -> None:
    (key,) = street.order((TAPE, 1))
    street.pull()
    street.pack(key, warehouse.tape, warehouse.a1, 1)
    while provider_calls.dispatch_next():
        pass
    with atomic():
        marketplace_orders.invoiced(street.ours_inside(key).id, "ABC2026000000001", by=CEM)
    while provider_calls.dispatch_next():
        pass
    assert (
        number("SELECT count(*) FROM provider_intent WHERE operation LIKE 'storefront%' AND state <> 'SUCCEEDED'") == 0
    )


def test_quantities_are_sent_and_read_back_and_a_stranger_is_named(street: Street, store: Storefront) -> None:
    street.lever("items", barcode=TAPE, quantity=1)
    sent = store.submit_stock([StockWish(TAPE, 42), StockWish("NOBODY", 1)])
    assert (sent.outcome, sent.batch_key != "") == (Outcome.DONE, True)
    result = store.batch(sent.batch_key)
    while result.state is BatchState.RUNNING:
        result = store.batch(sent.batch_key)
    assert {item.barcode: item.accepted for item in result.items} == {TAPE: True, "NOBODY": False}
    assert store.read_stock([TAPE, "NOBODY"]).quantities == {TAPE: 42}


def test_a_word_nobody_knows_is_kept(street: Street, store: Storefront) -> None:
    (key,) = street.order()
    street.becomes(key, "Teleported")
    (package,) = store.package(key).packages
    assert (package.state, package.words) == (PackageState.UNKNOWN, "Teleported")


def test_at_n11_the_parts_of_a_split_follow_the_whole(street: Street, warehouse: Warehouse) -> None:
    if street.storefront != "n11":
        pytest.skip("Trendyol's splits have tests of their own")
    (key,) = street.order((TAPE, 5))
    street.pull()
    street.lever(f"packages/{key}/split", parts=[[2], [3]])
    street.pull()
    assert sorted(street.states().values()) == ["CANCELLED", "CREATED", "CREATED"]
    assert on_hand(warehouse.tape) == (50, 5)
    assert json.dumps(sorted(street.ours(part).origin_keys for part in street.keys() - {key})) == json.dumps(
        [[key]] * 2
    )
