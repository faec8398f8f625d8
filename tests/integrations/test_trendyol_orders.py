"""Packages: nothing is lost between pages, nothing is doubled, and every word of theirs has one of ours."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from portal.core.ports import Outcome
from portal.integrations.trendyol.adapter import TrendyolStorefront
from portal.marketplace.ports import PackageState, StorefrontPackage
from portal.sandbox.trendyol.books import STATUSES
from tests.integrations.trendyol import (
    DONE,
    MISHAPS,
    NOT_SENT,
    REFUSED,
    UNKNOWN,
    Twin,
    a_twin,
    last_hour,
    the_one,
    told,
    whole_span,
)

BOTH_WAYS = pytest.mark.parametrize("use_stream", [True, False])
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def twin() -> Twin:
    """A world of its own."""
    return a_twin()


@pytest.fixture
def store(twin: Twin) -> TrendyolStorefront:
    """The adapter."""
    return twin.storefront()


@pytest.fixture
def package(twin: Twin, store: TrendyolStorefront) -> StorefrontPackage:
    """A new order of two lines."""
    return the_one(store.package(twin.order(("A1", 2), ("B2", 3))[0]))


@BOTH_WAYS
@pytest.mark.parametrize("old_names", [False, True])
def test_a_package_in_our_words_under_new_and_old_field_names(twin: Twin, use_stream: bool, old_names: bool) -> None:
    twin.lever("rules", old_names=old_names)
    (key,) = twin.order(("A 1", 2))
    (found,) = last_hour(twin, twin.storefront(use_stream=use_stream)).values()
    assert (found.package_key, found.state, found.words) == (key, PackageState.CREATED, "Created")
    assert (found.customer_name, found.city) == ("Ayşe Yılmaz", "İzmir")
    assert found.ship_by and found.ship_by - found.ordered_at == timedelta(days=2)
    (line,) = found.lines
    assert (line.barcode, line.quantity, line.unit_price_kurus) == ("A1", 2, 12990)
    assert line.line_key.isdigit() and line.state is PackageState.CREATED


def test_a_number_wider_than_64_bits_survives(twin: Twin, package: StorefrontPackage) -> None:
    tracking = twin.look("packages")[0]["cargoTrackingNumber"]
    assert tracking > 2**63
    assert package.cargo_tracking_number == str(tracking) == "73300000000000000001"


@pytest.mark.parametrize("word", STATUSES)
def test_every_word_of_theirs_has_one_of_ours(twin: Twin, store: TrendyolStorefront, word: str) -> None:
    found = the_one(store.package(twin.order(status=word)[0]))
    assert found.words == word
    assert (found.state is PackageState.UNKNOWN) is (word == "Repack")
    assert word == "Verified" or found.state in (PackageState.UNKNOWN, PackageState(_ours(word)))


def _ours(word: str) -> str:
    return {"AtCollectionPoint": "AT_COLLECTION_POINT", "Repack": "UNKNOWN"}.get(word, word.upper())


def test_an_unknown_word_is_kept(twin: Twin, store: TrendyolStorefront) -> None:
    (key,) = twin.order()
    twin.lever(f"packages/{key}/status", status="Işınlandı")
    found = the_one(store.package(key))
    assert (found.state, found.words) == (PackageState.UNKNOWN, "Işınlandı")


@BOTH_WAYS
def test_pages_that_repeat_lose_and_double_nothing(twin: Twin, use_stream: bool) -> None:
    twin.lever("rules", repeat_pages=7)
    twin.order(times=450)
    found = last_hour(twin, twin.storefront(use_stream=use_stream))
    assert found.keys() == twin.keys()


@BOTH_WAYS
def test_pages_that_fail_are_asked_again(twin: Twin, use_stream: bool) -> None:
    twin.order(times=450)
    for mode in ("malformed", "timeout_after_effect", "error_500", "refuse"):
        twin.fails("orders", mode, every=2)
    found = last_hour(twin, twin.storefront(use_stream=use_stream))
    assert found.keys() == twin.keys()


@BOTH_WAYS
def test_packages_that_move_between_pages_are_found_now_or_in_the_next_span(twin: Twin, use_stream: bool) -> None:
    store = twin.storefront(use_stream=use_stream)
    for ago in range(450):
        twin.order(ago_seconds=10 + ago)
    twin.lever("rules", move_packages=20)
    first = twin.world.now()
    found = whole_span(store, first - timedelta(hours=1), first)
    assert twin.look("packages")
    second = whole_span(store, first - timedelta(seconds=5), twin.world.now() + timedelta(seconds=1))
    assert second, "some moved"
    assert {**found, **second}.keys() == twin.keys()
    if not use_stream:  # the list is read from change to change: what did not move is all there at once
        assert twin.keys() - found.keys() <= second.keys()


@BOTH_WAYS
def test_cancellations_in_the_middle_of_reading_are_found_in_the_next_span(twin: Twin, use_stream: bool) -> None:
    store = twin.storefront(use_stream=use_stream)
    keys = twin.order(("A1", 3), times=450, ago_seconds=5)
    victims = iter([keys[449], keys[0], keys[220], keys[100], keys[300]])

    def somebody_cancels() -> None:
        twin.lever(f"packages/{next(victims)}/cancel", lines=[{"barcode": "A1", "quantity": 1}])

    until = twin.world.now()
    found = whole_span(store, until - timedelta(hours=1), until, somebody_cancels)
    second = whole_span(store, until - timedelta(minutes=1), twin.world.now() + timedelta(seconds=1))
    final = {**found, **second}
    assert final.keys() == twin.keys()
    ended = [row for row in final.values() if row.state is PackageState.CANCELLED]
    heirs = [row for row in final.values() if row.origin_keys]
    assert sorted(row.package_key for row in ended) == sorted(key for heir in heirs for key in heir.origin_keys)
    assert sum(line.quantity for row in heirs for line in row.lines) == 2 * len(heirs)


@pytest.mark.parametrize("by_change", [True, False])
def test_a_window_with_more_than_can_be_reached_is_cut(twin: Twin, by_change: bool) -> None:
    for ago in range(0, 900, 2):
        twin.order(ago_seconds=ago)
    twin.lever("rules", page_cap=200)
    store = twin.storefront(use_stream=False, most_in_a_window=200, list_filters_by_change=by_change)
    assert last_hour(twin, store).keys() == twin.keys()


def test_uncut_the_same_window_could_not_be_read(twin: Twin) -> None:
    twin.order(times=450)
    twin.lever("rules", page_cap=200)
    store = twin.storefront(use_stream=False, list_filters_by_change=False)
    now = twin.world.now()
    page = store.changed_packages(now - timedelta(hours=1), now)
    assert page.total == 450
    refused = store.changed_packages(now - timedelta(hours=1), now, page.cursor)
    assert (refused.outcome, refused.cursor) == (REFUSED, page.cursor)


@BOTH_WAYS
def test_a_long_span_is_asked_in_windows(twin: Twin, use_stream: bool) -> None:
    day = 86_400
    for days in (0, 5, 13, 14, 20, 29):
        twin.order(ago_seconds=days * day)
    store = twin.storefront(use_stream=use_stream)
    assert last_hour(twin, store, hours=30 * 24).keys() == twin.keys()
    assert twin.look("calls")["stream" if use_stream else "orders"]["count"] == 3


def test_a_package_is_found_however_old(twin: Twin, store: TrendyolStorefront) -> None:
    for days in (1, 10, 25):
        (key,) = twin.order(ago_seconds=days * 86_400)
        assert the_one(store.package(key)).package_key == key
    nobody = store.package("42")
    assert (nobody.outcome, nobody.packages, nobody.cursor) == (DONE, (), "")


def test_picking_and_invoiced_are_said_once(twin: Twin, store: TrendyolStorefront, package: StorefrontPackage) -> None:
    key = package.package_key
    assert store.say_invoiced(package, "EMN2026000000001").outcome is REFUSED
    assert store.say_picking(package).outcome is store.say_picking(package).outcome is DONE
    assert store.say_invoiced(package, "EMN2026000000001").outcome is DONE
    assert store.say_invoiced(package, "EMN2026000000001").outcome is store.say_picking(package).outcome is DONE
    assert twin.effects("picking") == twin.effects("invoiced") == {key: 1}
    assert the_one(store.package(key)).state is PackageState.INVOICED


@pytest.mark.parametrize(("mode", "outcome", "done"), [*MISHAPS, ("refuse", REFUSED, False)])
def test_a_word_gone_wrong_is_said_again(
    twin: Twin, store: TrendyolStorefront, package: StorefrontPackage, mode: str, outcome: Outcome, done: bool
) -> None:
    twin.fails("update", mode)
    assert store.say_picking(package).outcome is outcome
    state = the_one(store.package(package.package_key)).state
    assert state is (PackageState.PICKING if done else PackageState.CREATED)
    assert store.say_picking(package).outcome is DONE
    assert twin.effects("picking") == {package.package_key: 1}


def test_a_refusal_that_cannot_be_checked_is_silence(
    twin: Twin, store: TrendyolStorefront, package: StorefrontPackage
) -> None:
    store.say_picking(package)
    twin.fails("orders", "error_500")
    assert store.say_picking(package).outcome is UNKNOWN


def test_a_cancelled_package_is_not_picked(twin: Twin, store: TrendyolStorefront, package: StorefrontPackage) -> None:
    twin.lever(f"packages/{package.package_key}/cancel")
    answer = store.say_picking(package)
    assert (answer.outcome, answer.code) == (REFUSED, "bad.request")
    assert "Cancelled" in answer.why
    assert the_one(store.package(package.package_key)).state is PackageState.CANCELLED


def test_what_cannot_be_sent_leaves_a_package_of_the_rest(
    twin: Twin, store: TrendyolStorefront, package: StorefrontPackage
) -> None:
    first, second = package.lines
    assert store.cannot_supply(package, {first.line_key: 2, second.line_key: 1}).outcome is DONE
    old, new = sorted(last_hour(twin, store).values(), key=lambda row: row.package_key)
    assert (old.state, old.order_number) == (PackageState.UNPACKED, new.order_number)
    assert (new.state, new.origin_keys) == (PackageState.CREATED, (old.package_key,))
    assert [(line.barcode, line.quantity) for line in new.lines] == [("B2", 2)]
    again = store.cannot_supply(package, {first.line_key: 2})
    assert (again.outcome, again.code) == (REFUSED, "package_changed")
    assert twin.effects("unsupplied") == {package.package_key: 1}


def test_when_nothing_can_be_sent_it_is_cancelled(store: TrendyolStorefront, package: StorefrontPackage) -> None:
    everything = {line.line_key: line.quantity for line in package.lines}
    assert store.cannot_supply(package, everything).outcome is DONE
    ended = the_one(store.package(package.package_key))
    assert ended.state is PackageState.CANCELLED
    assert {line.state for line in ended.lines} == {PackageState.UNSUPPLIED}


def test_a_split_comes_with_a_later_pull(twin: Twin, store: TrendyolStorefront, package: StorefrontPackage) -> None:
    first, second = package.lines
    parts = {first.line_key: [1, 1], second.line_key: [0, 3]}
    assert store.split(package, parts).outcome is DONE
    assert store.split(package, parts).outcome is REFUSED
    last_hour(twin, store)  # the pull with which they come
    found = last_hour(twin, store)
    old = found.pop(package.package_key)
    assert old.state is PackageState.UNPACKED
    assert {row.origin_keys for row in found.values()} == {(package.package_key,)}
    pieces = [[(line.barcode, line.quantity) for line in row.lines] for row in found.values()]
    assert sorted(pieces) == [[("A1", 1)], [("A1", 1), ("B2", 3)]]
    assert store.split(package, parts).code == "package_changed"
    assert twin.effects("split") == {package.package_key: 1}


@pytest.mark.parametrize("parts", [[2], [1, 2], [3, -1]])
def test_a_split_that_does_not_add_up_is_refused(
    store: TrendyolStorefront, package: StorefrontPackage, parts: list[int]
) -> None:
    assert store.split(package, {package.lines[0].line_key: parts}).outcome is REFUSED


def test_a_line_of_somebody_else_is_refused(store: TrendyolStorefront, package: StorefrontPackage) -> None:
    strange = replace(package, lines=(replace(package.lines[0], line_key="x-1"),))
    assert store.say_picking(strange).outcome is REFUSED


# What the twin does not do, but they, or somebody between us, might.

ROW: dict[str, Any] = {
    "shipmentPackageId": 7, "orderNumber": "1", "orderDate": 1_795_000_000_000, "status": "Created", "lines": [],
}  # fmt: skip


def test_a_package_that_does_not_read_does_not_hold_up_the_others() -> None:
    rows = [ROW, {**ROW, "shipmentPackageId": 8, "lines": None}, {"orderNumber": "2"}, "nonsense"]
    page = told(httpx.Response(200, json={"hasMore": False, "content": rows})).changed_packages(NOON, NOON)
    assert [(row.package_key, row.state) for row in page.packages] == [
        ("7", PackageState.CREATED), ("8", PackageState.UNKNOWN),
    ]  # fmt: skip
    assert "unreadable" in page.packages[1].words
    assert page.why == "2 packages without a number were left out"


@pytest.mark.parametrize("body", [{}, [], "ok", None, {"content": None}, {"content": [], "hasMore": True}])
def test_an_answer_without_packages_is_silence(body: Any) -> None:
    assert told(httpx.Response(200, json=body)).changed_packages(NOON, NOON).outcome is UNKNOWN


def test_a_cursor_that_leads_back_to_itself_is_not_followed() -> None:
    store = told(httpx.Response(200, json={"hasMore": True, "nextCursor": "a", "content": [ROW]}))
    page = store.changed_packages(NOON, NOON)
    assert page.outcome is DONE
    assert store.changed_packages(NOON, NOON, page.cursor).outcome is UNKNOWN


@BOTH_WAYS
@pytest.mark.parametrize(
    ("silence", "outcome"),
    [
        (httpx.ReadTimeout("…"), UNKNOWN), (httpx.ConnectError("…"), NOT_SENT), (httpx.Response(503), UNKNOWN),
        (httpx.Response(429), NOT_SENT), (httpx.Response(404, text="<html>"), UNKNOWN),
        (httpx.Response(400, text="olmaz"), REFUSED), (httpx.Response(426), REFUSED),
    ],
)  # fmt: skip
def test_silence_and_refusals(use_stream: bool, silence: httpx.Response | Exception, outcome: Outcome) -> None:
    page = told(silence, use_stream=use_stream).changed_packages(NOON, NOON)
    assert (page.outcome, page.packages) == (outcome, ())
    assert (page.retry_after_seconds > 0) is (isinstance(silence, httpx.Response) and silence.status_code == 429)


def test_a_clock_of_theirs_that_is_ahead_can_be_set_right() -> None:
    answer = httpx.Response(200, json={"hasMore": False, "content": [ROW]})
    plain, ahead = (told(answer, hours_ahead=hours).changed_packages(NOON, NOON).packages[0] for hours in (0, 3))
    assert plain.ordered_at - ahead.ordered_at == timedelta(hours=3)
