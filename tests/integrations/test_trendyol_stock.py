"""Stock: queued, told later, forgotten after four hours; and what they really believe."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from portal.core.ports import Outcome
from portal.integrations.trendyol.adapter import TrendyolStorefront
from portal.marketplace.ports import BatchState, ItemResult, StockRead, StockWish
from tests.integrations.trendyol import DONE, MISHAPS, NOT_SENT, REFUSED, UNKNOWN, Twin, a_twin, told

HOUR = 3600


@pytest.fixture
def twin() -> Twin:
    """A world that knows three barcodes."""
    twin = a_twin()
    twin.lever("items", items=[{"barcode": code, "quantity": 1} for code in ("A1", "B2", "C3")])
    return twin


@pytest.fixture
def store(twin: Twin) -> TrendyolStorefront:
    """The adapter."""
    return twin.storefront()


def wishes(**quantities: int) -> list[StockWish]:
    """So many pieces of each."""
    return [StockWish(barcode, quantity) for barcode, quantity in quantities.items()]


def test_a_batch_is_queued_and_told_later(twin: Twin, store: TrendyolStorefront) -> None:
    sent = store.submit_stock(wishes(A1=42, B2=0))
    assert (sent.outcome, sent.why) == (DONE, "")
    assert store.batch(sent.batch_key).state is BatchState.RUNNING
    result = store.batch(sent.batch_key)
    assert (result.outcome, result.state) == (DONE, BatchState.DONE)
    assert result.items == (ItemResult("A1", True), ItemResult("B2", True))
    assert twin.look("stock") == {"A1": 42, "B2": 0, "C3": 1}
    assert twin.effects("stock") == {"A1": 1, "B2": 1}
    assert twin.effects("batch") == {sent.batch_key: 1}


def test_rejected_items_say_why(twin: Twin, store: TrendyolStorefront) -> None:
    twin.lever("rules", batch_questions=0, reject_every=3)
    result = store.batch(store.submit_stock(wishes(A1=5, NOBODY=6, C3=7)).batch_key)
    assert result.state is BatchState.DONE
    accepted, unknown, locked = result.items
    assert (accepted.accepted, unknown.accepted, locked.accepted) == (True, False, False)
    assert "bulunamadı" in unknown.why and "kilitli" in locked.why
    assert twin.look("stock") == {"A1": 5, "B2": 1, "C3": 1}


def test_barcodes_come_back_without_spaces(twin: Twin, store: TrendyolStorefront) -> None:
    twin.lever("rules", batch_questions=0)
    sent = store.submit_stock([StockWish("A 1", 3), StockWish("A1", 4)])
    assert store.batch(sent.batch_key).items == (ItemResult("A1", True),)
    assert store.read_stock(["A 1", "A1", " B2"]) == StockRead(DONE, {"A 1": 4, "A1": 4, " B2": 1})


def test_more_than_they_take_is_cut_and_said(twin: Twin, store: TrendyolStorefront) -> None:
    sent = store.submit_stock(wishes(A1=20_001, B2=-1, C3=20_000))
    assert (sent.outcome, sent.why) == (DONE, "cut to what they take: A1: 20000, B2: 0")
    assert twin.look("stock") == {"A1": 20_000, "B2": 0, "C3": 20_000}


def test_uncut_they_refuse_the_item(twin: Twin) -> None:
    twin.lever("rules", batch_questions=0)
    client = twin.client()
    heard = client.tell("POST", "stock", {"items": [{"barcode": "A1", "quantity": 20_001}]})
    (item,) = twin.storefront().batch(heard.body["batchRequestId"]).items
    assert not item.accepted and "20000" in item.why


def test_the_same_body_is_refused_for_fifteen_minutes(twin: Twin, store: TrendyolStorefront) -> None:
    assert store.submit_stock(wishes(A1=2)).outcome is DONE
    again = store.submit_stock(wishes(A1=2))
    assert (again.outcome, again.code, again.retry_after_seconds) == (REFUSED, "same_body", 900)
    assert store.submit_stock(wishes(A1=2, B2=1)).outcome is DONE
    twin.world.move_clock(15 * 60)
    assert store.submit_stock(wishes(A1=2)).outcome is DONE


def test_too_many_items_are_our_own_mistake(twin: Twin, store: TrendyolStorefront) -> None:
    many = [StockWish(f"X{no}", 1) for no in range(1001)]
    with pytest.raises(AssertionError):
        store.submit_stock(many)
    assert store.submit_stock(many[:1000]).outcome is DONE
    items = [{"barcode": wish.barcode, "quantity": 1} for wish in many]
    assert twin.client().tell("POST", "stock", {"items": items}).status == 400


@pytest.mark.parametrize(("mode", "outcome", "done"), MISHAPS)
def test_silence_is_cleared_up_by_reading(
    twin: Twin, store: TrendyolStorefront, mode: str, outcome: Outcome, done: bool
) -> None:
    twin.fails("stock", mode)
    sent = store.submit_stock(wishes(A1=9))
    assert (sent.outcome, sent.batch_key) == (outcome, "")
    assert store.read_stock(["A1"]).quantities == {"A1": 9 if done else 1}
    again = store.submit_stock(wishes(A1=9))
    assert (again.outcome, again.code) == ((REFUSED, "same_body") if done else (DONE, ""))
    assert twin.effects("stock") == {"A1": 1}


def test_a_refusal_in_other_words(twin: Twin, store: TrendyolStorefront) -> None:
    twin.fails("stock", "refuse")
    sent = store.submit_stock(wishes(A1=9))
    assert (sent.outcome, sent.code, sent.why) == (REFUSED, "bad.request", "Sandbox böyle istedi")


def test_results_are_forgotten_after_four_hours(twin: Twin, store: TrendyolStorefront) -> None:
    sent = store.submit_stock(wishes(A1=2))
    twin.world.move_clock(4 * HOUR - 60)
    assert store.batch(sent.batch_key).state is BatchState.RUNNING
    twin.world.move_clock(4 * HOUR)
    gone = store.batch(sent.batch_key)
    assert (gone.outcome, gone.state, gone.items) == (DONE, BatchState.GONE, ())


def test_results_can_be_lost(twin: Twin, store: TrendyolStorefront) -> None:
    sent = store.submit_stock(wishes(A1=2))
    twin.lever("rules", lose_batch_results=True)
    assert store.batch(sent.batch_key).state is BatchState.GONE
    assert store.read_stock(["A1"]).quantities == {"A1": 2}


@pytest.mark.parametrize("mode", ["slow", "error_500", "malformed", "timeout_before_effect"])
def test_a_silent_result_is_asked_again(twin: Twin, store: TrendyolStorefront, mode: str) -> None:
    twin.lever("rules", batch_questions=0)
    sent = store.submit_stock(wishes(A1=2))
    twin.fails("batch", mode)
    assert store.batch(sent.batch_key).outcome is UNKNOWN
    assert store.batch(sent.batch_key).state is BatchState.DONE


def test_many_barcodes_are_read_fifty_at_a_time_and_page_by_page(twin: Twin, store: TrendyolStorefront) -> None:
    codes = [f"K{no:03}" for no in range(120)]
    twin.lever("items", items=[{"barcode": code, "quantity": no} for no, code in enumerate(codes)])
    twin.lever("rules", read_size=20)
    read = store.read_stock([*codes, "NOBODY"])
    assert read == StockRead(DONE, {code: no for no, code in enumerate(codes)})
    assert twin.look("calls")["read"]["count"] == 3 + 3 + 1  # 50, 50 and 20 known barcodes, 20 a page


def test_stock_is_read_whole_or_not_at_all(twin: Twin, store: TrendyolStorefront) -> None:
    codes = [f"K{no:03}" for no in range(60)]
    twin.fails("read", "error_500", every=2)
    assert store.read_stock(codes) == StockRead(UNKNOWN, {}, "HTTP 500")
    assert store.read_stock([]) == StockRead(DONE, {})


# What the twin does not do, but they might.


def batch_of(**more: Any) -> BatchState:
    """What we make of a batch result."""
    item = {"requestItem": {"barcode": "A 1"}, "status": "SUCCESS"}
    return told(httpx.Response(200, json={"items": [item], **more})).batch("b").state


def test_the_end_of_a_batch_is_read_from_its_items() -> None:
    assert batch_of(itemCount=1) is batch_of() is batch_of(itemCount=2, status="COMPLETED") is BatchState.DONE
    assert batch_of(itemCount=2) is batch_of(status="IN_PROGRESS") is batch_of(items=[]) is BatchState.RUNNING
    assert batch_of(items=[{"requestItem": {"barcode": "A"}, "status": "PROCESSING"}]) is BatchState.RUNNING


@pytest.mark.parametrize("body", [[], "ok", {"items": [{}]}, {"items": [{"status": "SUCCESS"}]}])
def test_a_result_that_does_not_read_is_silence(body: Any) -> None:
    assert told(httpx.Response(200, json=body)).batch("b").outcome is UNKNOWN


def test_a_page_from_in_between_does_not_make_a_batch_gone() -> None:
    assert told(httpx.Response(404, text="<html>not here</html>")).batch("b").outcome is UNKNOWN


@pytest.mark.parametrize("body", [{}, [], {"batchRequestId": ""}])
def test_an_answer_without_a_batch_is_silence(body: Any) -> None:
    assert told(httpx.Response(200, json=body)).submit_stock(wishes(A1=1)).outcome is UNKNOWN


def test_rows_without_variants_and_pages_that_never_end() -> None:
    row = {"barcode": "A1", "quantity": 4}
    assert told(httpx.Response(200, json={"content": [row]})).read_stock(["A1"]).quantities == {"A1": 4}
    endless = told(httpx.Response(200, json={"content": [row], "nextPageToken": "x"}))
    assert endless.read_stock(["A1"]).outcome is UNKNOWN
    assert told(httpx.Response(200, json={"content": [{}]})).read_stock(["A1"]).outcome is UNKNOWN


def test_a_door_that_is_shut_was_certainly_not_passed() -> None:
    assert told(httpx.ConnectError("…")).submit_stock(wishes(A1=1)).outcome is NOT_SENT
