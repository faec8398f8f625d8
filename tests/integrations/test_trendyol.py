"""The door: who we are, how often we may knock, and who may knock at ours."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from loguru import logger

from portal.core.errors import BadInput
from portal.integrations.trendyol.adapter import TrendyolStorefront, TrendyolWebhooks
from portal.integrations.trendyol.limits import Limits
from portal.marketplace.ports import PackageHint, StockWish
from portal.sandbox.trendyol import API_KEY, API_SECRET, WEBHOOK_PASSWORD, WEBHOOK_USER
from portal.sandbox.trendyol.limits import most_within
from tests.integrations.trendyol import (
    DONE,
    NOT_SENT,
    REFUSED,
    UNKNOWN,
    Twin,
    a_twin,
    last_hour,
    no_limits,
    the_one,
    told,
)


@pytest.fixture
def twin() -> Twin:
    """A world of its own."""
    return a_twin()


@pytest.fixture
def said() -> Iterator[list[str]]:
    """What the log hears."""
    lines: list[str] = []
    sink = logger.add(lines.append, level="DEBUG")
    yield lines
    logger.remove(sink)


def all_answers(twin: Twin, stranger: TrendyolStorefront) -> list[Any]:
    """Every question and every wish."""
    package = the_one(twin.storefront().package(twin.order()[0]))
    line, now = package.lines[0].line_key, twin.world.now()
    return [
        stranger.changed_packages(now, now), stranger.package("1"), stranger.say_picking(package),
        stranger.say_invoiced(package, "1"), stranger.cannot_supply(package, {line: 1}),
        stranger.split(package, {line: [1, 1]}), stranger.submit_stock([StockWish("A1", 1)]), stranger.batch("1"),
        stranger.read_stock(["A1"]),
    ]  # fmt: skip


def test_a_wrong_key_is_refused_everywhere_and_never_logged(twin: Twin, said: list[str]) -> None:
    stranger = twin.storefront(twin.client(api_key="not-the-key", api_secret="not-the-secret"))
    answers = all_answers(twin, stranger)
    assert [answer.outcome for answer in answers] == [REFUSED] * 9
    assert {answer.code for answer in answers if hasattr(answer, "code")} == {"ClientApiAuthenticationException"}
    assert twin.effects("picking") == twin.effects("batch") == {}
    secrets = ("not-the-key", "not-the-secret", base64.b64encode(b"not-the-key:not-the-secret").decode())
    assert not any(secret in line for line in said for secret in secrets)


def test_without_our_name_they_do_not_answer(twin: Twin) -> None:
    answer = twin.app.test_client().get(
        "/trendyol/integration/order/sellers/1001/v2/orders", auth=(API_KEY, API_SECRET), headers={"User-Agent": ""}
    )
    assert answer.status_code == 403
    assert twin.storefront(twin.client(integrator="Emanet")).read_stock([]).outcome is DONE
    assert last_hour(twin, twin.storefront(twin.client(integrator="Emanet"))) == {}
    with pytest.raises(AssertionError):
        twin.client(integrator="not a name")


def test_somebody_elses_goods_are_not_ours(twin: Twin) -> None:
    stranger = twin.storefront(twin.client(seller_id="2002"))
    assert stranger.batch("1").outcome is REFUSED


def test_the_path_they_switched_off(twin: Twin) -> None:
    old = twin.storefront(twin.client(order_path_version=""), use_stream=False)
    page = old.changed_packages(twin.world.now(), twin.world.now())
    assert page.outcome is REFUSED and "v2/orders" in page.why


@pytest.mark.parametrize(
    "query",
    [
        "size=201", "startDate=1&endDate=1300000000", "page=50&size=200", "page=-1", "size=x",
        "shipmentPackageIds=" + ",".join(map(str, range(51))),
    ],
)  # fmt: skip
def test_the_list_has_its_limits(twin: Twin, query: str) -> None:
    path = f"/trendyol/integration/order/sellers/1001/v2/orders?{query}"
    answer = twin.app.test_client().get(path, auth=(API_KEY, API_SECRET), headers={"User-Agent": "1001 - Self"})
    assert answer.status_code == 400


def test_a_cursor_belongs_to_its_question(twin: Twin) -> None:
    twin.order(times=3)
    client = twin.client()
    first = client.ask("stream", {"size": 2})
    assert first.body["hasMore"]
    cursor = first.body["nextCursor"]
    assert len(client.ask("stream", {"size": 2, "nextCursor": cursor}).body["content"]) == 1
    changed = {"nextCursor": cursor, "packageItemStatuses": "Created"}
    assert client.ask("stream", changed).status == 400
    assert client.ask("stream", {"nextCursor": "nonsense"}).status == 400


def test_too_many_calls_are_refused_and_honoured(twin: Twin) -> None:
    twin.lever("rules", limits=True)
    store = twin.storefront()
    assert [store.batch("1").outcome for _call in range(50)] == [DONE] * 50
    assert store.batch("1").outcome is NOT_SENT
    sent = store.submit_stock([StockWish("A1", 1)])
    assert sent.outcome is DONE, "another endpoint counts for itself"
    calls = twin.look("calls")["batch"]
    assert (calls["count"], calls["refused"], calls["most_in_10_seconds"]) == (50, 1, 50)


def test_a_throttled_wish_says_when_to_come_back(twin: Twin) -> None:
    twin.lever("rules", limits=True)
    store = twin.storefront()
    answers = [store.submit_stock([StockWish("A1", pieces)]) for pieces in range(51)]
    assert (answers[-1].outcome, answers[-1].code) == (NOT_SENT, "429")
    assert 10 < answers[-1].retry_after_seconds <= 15
    exact = told(httpx.Response(429, headers={"Retry-After": "7"})).submit_stock([StockWish("A1", 1)])
    assert exact.retry_after_seconds == 7


def test_our_own_limits_keep_theirs_unbroken(twin: Twin) -> None:
    twin.lever("rules", limits=True)
    store = twin.storefront(twin.client(limits=Limits()))
    answers = [store.submit_stock([StockWish("A1", pieces)]) for pieces in range(60)]
    assert [answer.outcome for answer in answers] == [DONE] * 50 + [NOT_SENT] * 10
    assert 9 <= answers[-1].retry_after_seconds <= 11
    assert twin.look("calls")["stock"]["refused"] == 0


class Seconds:
    """A clock that a test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_windows_slide() -> None:
    clock = Seconds()
    limits = Limits(per_minute={"order pull": 4}, per_ten_seconds=2, stream_gap_seconds=0, monotonic=clock)
    made = []
    for _second in range(300):
        clock.now += 1
        if limits.wait_seconds("orders") == 0:
            made.append(clock.now)
    assert most_within(made, 10.0) <= 2 and most_within(made, 60.0) <= 4
    assert len(made) >= 16, "and no slower than they allow"


def test_families_share_and_the_stream_rests() -> None:
    clock = Seconds()
    limits = Limits(per_minute={"order pull": 2}, monotonic=clock)
    assert limits.wait_seconds("stream") == 0
    assert limits.wait_seconds("stream") == 5
    assert limits.wait_seconds("orders") == 0
    assert limits.wait_seconds("orders") == 61
    assert limits.wait_seconds("batch") == 0
    clock.now += 61
    assert limits.wait_seconds("stream") == 0


# Their messages to us.

PACKAGE = {"shipmentPackageId": 30000001, "status": "CREATED", "lastModifiedDate": 1_795_000_000_000}
HOOKS = TrendyolWebhooks(user="u", password="p", api_key="key")


def basic(user: str, password: str) -> dict[str, str]:
    """The header."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def opened(package: Any, hooks: TrendyolWebhooks = HOOKS) -> PackageHint | None:
    """A message with the right key."""
    return hooks.open({"X-API-KEY": "key"}, json.dumps(package).encode())


@pytest.mark.parametrize("headers", [basic("u", "p"), {"x-api-key": "key"}])
@pytest.mark.parametrize("body", [PACKAGE, {"content": [PACKAGE], "page": 0}])
def test_a_message_is_a_hint(headers: dict[str, str], body: Any) -> None:
    hint = HOOKS.open(headers, json.dumps(body).encode())
    assert hint and (hint.event_type, hint.package_key) == ("CREATED", "30000001")


@pytest.mark.parametrize(
    "headers", [{}, basic("u", "x"), basic("x", "p"), {"x-api-key": "KEY"}, {"x-api-key": ""}, {"Authorization": "ü"}]
)
def test_who_does_not_prove_himself_says_nothing(headers: dict[str, str]) -> None:
    assert HOOKS.open(headers, b"not even JSON") is None


def test_what_is_not_configured_lets_nobody_in() -> None:
    nobody = TrendyolWebhooks()
    assert nobody.open({"x-api-key": ""}, b"{}") is nobody.open(basic("", ""), b"{}") is None


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"7", b"{}", b'{"content":[]}', b'{"content":[1]}', b'{"id":1}', b"\xff", b"[" * 100_000]
)
def test_nonsense_from_the_right_sender_is_bad_input(body: bytes) -> None:
    with pytest.raises(BadInput):
        HOOKS.open({"x-api-key": "key"}, body)


def test_the_same_message_has_the_same_key_and_another_one_another() -> None:
    old_name = {"id": 30000001, "status": "Created", "lastModifiedDate": 1_795_000_000_000}
    first, same = opened(PACKAGE), opened({"content": [old_name]})
    assert first and same and first.dedupe_key == same.dedupe_key
    others: list[dict[str, Any]] = [{"status": "PICKING"}, {"lastModifiedDate": 1}, {"shipmentPackageId": 2}]
    keys = {hint.dedupe_key for change in others if (hint := opened({**PACKAGE, **change}))}
    assert len(keys | {first.dedupe_key}) == 4


@pytest.mark.parametrize("envelope", [True, False])
def test_the_twin_says_what_we_understand(twin: Twin, envelope: bool) -> None:
    twin.lever("rules", webhook_envelope=envelope)
    (key,) = twin.order()
    twin.lever(f"packages/{key}/status", status="Shipped")
    hooks = TrendyolWebhooks(user=WEBHOOK_USER, password=WEBHOOK_PASSWORD)
    raws = [row["raw"].encode() for row in twin.look("webhooks")]
    hints = [hooks.open(basic(WEBHOOK_USER, WEBHOOK_PASSWORD), raw) for raw in raws]
    assert [(hint.event_type, hint.package_key) for hint in hints if hint] == [("Created", key), ("Shipped", key)]


def test_levers_say_what_they_cannot_do(twin: Twin) -> None:
    browser = twin.app.test_client()
    wrong: list[tuple[str, Any]] = [
        ("orders", {}), ("orders", {"lines": [{"barcode": "A1", "quantity": 0}]}), ("rules", {"nothing": 1}),
        ("orders", {"lines": [{"barcode": "A1", "quantity": 1}], "status": "Şahane"}),
        ("packages/7/status", {"status": "Created"}), ("packages/7/cancel", {}), ("items", {}),
    ]  # fmt: skip
    for path, asked in wrong:
        assert browser.post(f"/_sandbox/trendyol/{path}", json=asked).status_code == 422
    assert browser.post("/_sandbox/trendyol/webhooks/1/send").status_code == 404
    assert twin.lever("rules", reject_every=5)["reject_every"] == 5


def test_a_slow_door_is_silence(twin: Twin) -> None:
    twin.fails("orders", "slow")
    now = twin.world.now()
    page = twin.storefront(twin.client(limits=no_limits())).changed_packages(now - timedelta(hours=1), now)
    assert page.outcome is UNKNOWN
