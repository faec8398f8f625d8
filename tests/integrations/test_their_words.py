"""What iyzico may answer, word for word: nothing strange is taken for a yes, and nothing strange stops a worker."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest

from portal.core.errors import BadInput, UnknownWords
from portal.core.money import Money
from portal.core.ports import Outcome
from portal.escrow.ports import CheckoutItem, CheckoutRequest, PaymentTruth, Seller
from portal.integrations.iyzico import signing, wire
from portal.integrations.iyzico.adapter import IyzicoGateway, IyzicoWebhooks
from portal.integrations.iyzico.client import IyzicoClient

SECRET, DAY = "sandbox-testSecret", date(2026, 11, 21)
SELLER = Seller("X1", "Ltd.", "Şişli", "3130557669", "TR330006100519786457841326", "a@b.tr", "+905320000000", "Adres")
ITEM = CheckoutItem("i-1", "Koli bandı", Money(1000), "sub-1", Money(915))
BASKET = CheckoutRequest(
    "a" * 32, Money(1000), [ITEM], "b-1", "Fatma Yılmaz", "f@x.tr", "+905321112233", "1", "Adres", "İzmir", "::1", "u"
)
PAID = {
    "status": "success", "paymentStatus": "SUCCESS", "fraudStatus": 1, "paymentId": "22416035", "basketId": "B67832",
    "price": 10, "paidPrice": 10, "iyziCommissionFee": 0.25, "iyziCommissionRateAmount": 0.24,
    "itemTransactions": [{"itemId": "i-1", "paymentTransactionId": 27206433, "transactionStatus": 1, "price": 10.0,
                          "subMerchantPrice": 9.15}],
}  # fmt: skip


def hearing(content: bytes | Callable[[httpx.Request], httpx.Response], status: int = 200) -> IyzicoGateway:
    """The adapter, hearing this and nothing else."""
    speak = content if callable(content) else lambda _request: httpx.Response(status, content=content)
    client = IyzicoClient(
        base_url="http://x", api_key="k", secret_key=SECRET, timeout_seconds=Decimal(1),
        transport=httpx.MockTransport(speak),
    )  # fmt: skip
    return IyzicoGateway(client)


def telling(**changes: Any) -> IyzicoGateway:
    """A paid payment, but for these fields."""
    return hearing(json.dumps({**PAID, **changes}).encode())


@pytest.mark.parametrize(
    ("content", "status", "outcome"),
    [
        (b"", 200, Outcome.UNKNOWN),
        (b"<html>bakim</html>", 200, Outcome.UNKNOWN),
        (b"<html>not here</html>", 404, Outcome.UNKNOWN),
        (b"[]", 200, Outcome.UNKNOWN),
        (b'{"status": "perhaps"}', 200, Outcome.UNKNOWN),
        (b'{"status": true}', 200, Outcome.UNKNOWN),
        (b"\xff\xfe{}", 200, Outcome.UNKNOWN),
        (b"[" * 200_000, 200, Outcome.UNKNOWN),
        (b'{"status": "success"}', 503, Outcome.UNKNOWN),
        (b"", 302, Outcome.UNKNOWN),
        (b"slow down", 429, Outcome.NOT_SENT),
        (b'{"status": "failure", "errorCode": 50000}', 200, Outcome.NOT_SENT),
        (b'{"status": "failure", "errorCode": "50000"}', 400, Outcome.NOT_SENT),
        (b'{"status": "failure", "errorCode": 10051}', 400, Outcome.REFUSED),
        (b'{"status": "failure"}', 200, Outcome.REFUSED),
        (b'{"status": "success"}', 200, Outcome.DONE),
    ],
)
def test_an_approval_is_done_only_when_the_envelope_says_so(content: bytes, status: int, outcome: Outcome) -> None:
    assert hearing(content, status).approve("1", key="k").outcome is outcome


@pytest.mark.parametrize(
    ("trouble", "outcome"),
    [
        (httpx.ConnectError, Outcome.NOT_SENT), (httpx.ConnectTimeout, Outcome.NOT_SENT),
        (httpx.PoolTimeout, Outcome.NOT_SENT), (httpx.ReadTimeout, Outcome.UNKNOWN), (httpx.ReadError, Outcome.UNKNOWN),
        (httpx.WriteError, Outcome.UNKNOWN), (httpx.WriteTimeout, Outcome.UNKNOWN),
        (httpx.RemoteProtocolError, Outcome.UNKNOWN),
    ],
)  # fmt: skip
def test_only_what_never_left_was_not_sent(trouble: type[httpx.HTTPError], outcome: Outcome) -> None:
    def fails(_request: httpx.Request) -> httpx.Response:
        raise trouble("so")

    assert hearing(fails).refund("1", Money(1), key="k", because="x").outcome is outcome


def test_who_answers_a_byte_at_a_time_is_silent() -> None:
    def dripping() -> Iterator[bytes]:
        while True:
            time.sleep(0.1)
            yield b" "

    began = time.monotonic()
    answer = hearing(lambda _request: httpx.Response(200, content=dripping())).approve("1", key="k")
    assert answer.outcome is Outcome.UNKNOWN
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    ("payment", "fraud", "truth"),
    [
        ("SUCCESS", 1, PaymentTruth.PAID), ("SUCCESS", 0, PaymentTruth.WAITING), ("SUCCESS", -1, PaymentTruth.FAILED),
        ("FAILURE", 1, PaymentTruth.FAILED), ("FAILURE", None, PaymentTruth.FAILED),
        ("INIT_THREEDS", None, PaymentTruth.WAITING), ("CALLBACK_THREEDS", 1, PaymentTruth.WAITING),
    ],
)  # fmt: skip
def test_only_a_success_without_suspicion_is_paid(payment: str, fraud: int | None, truth: PaymentTruth) -> None:
    state = telling(paymentStatus=payment, fraudStatus=fraud).payment_by_token("t").state
    assert state
    assert state.truth is truth


def test_a_paid_payment_is_read_to_the_kurus() -> None:
    state = telling().payment_by_key("22416035").state
    assert state
    assert (state.provider_payment_key, state.attempt_key) == ("22416035", "B67832")
    assert (state.paid, state.provider_fee) == (Money(1000), Money(49))
    item = state.items[0]
    assert (item.provider_item_key, item.amount, item.seller_share) == ("27206433", Money(1000), Money(915))
    assert not item.approved


def test_a_declined_card_in_a_failure_envelope_is_still_the_truth() -> None:
    told = telling(
        status="failure", paymentStatus="FAILURE", errorCode="10051", errorMessage="limit", itemTransactions=[]
    )
    state = told.payment_by_token("t").state
    assert state
    assert (state.truth, state.why) == (PaymentTruth.FAILED, "limit")
    unknown_token = hearing(b'{"status": "failure", "errorCode": "5500"}').payment_by_token("t")
    assert (unknown_token.outcome, unknown_token.state) == (Outcome.REFUSED, None)


@pytest.mark.parametrize(
    "changes",
    [
        {"paymentStatus": "MAYBE"}, {"fraudStatus": 7}, {"fraudStatus": "1"}, {"paymentId": ""}, {"itemTransactions": []},
        {"itemTransactions": "none"}, {"itemTransactions": [{}]}, {"itemTransactions": [7]}, {"paidPrice": "ten"},
        {"paidPrice": 10.005}, {"paidPrice": []}, {"paidPrice": float("nan")}, {"paidPrice": float("inf")},
        {"itemTransactions": [{**PAID["itemTransactions"][0], "transactionStatus": 9}]},  # type: ignore[index]
        {"itemTransactions": [{**PAID["itemTransactions"][0], "price": None, "itemId": None, "x": 1, "subMerchantPrice": {}}]},  # type: ignore[index]
    ],
)  # fmt: skip
def test_what_we_cannot_read_is_kept_for_a_person(changes: dict[str, Any]) -> None:
    with pytest.raises(UnknownWords):
        telling(**changes).payment_by_key("22416035")


def test_reports_we_cannot_read_are_kept_for_a_person() -> None:
    with pytest.raises(UnknownWords):
        telling(payments=[{"itemTransactions": [{"refunds": [{}]}]}]).refunds_of("1")
    with pytest.raises(UnknownWords):
        telling(payoutCompletedTransactions=[{"payoutAmount": 1}]).payouts_of(DAY)


def test_a_payment_page_without_its_address_is_not_opened() -> None:
    for broken in (
        {"token": "t"},
        {"paymentPageUrl": "u"},
        {"token": "t", "paymentPageUrl": "u", "tokenExpireTime": "x"},
    ):
        page = telling(**broken).open_checkout(BASKET)
        assert (page.outcome, page.url) == (Outcome.UNKNOWN, "")


def test_a_seller_without_a_key_is_not_registered() -> None:
    assert telling().register_seller(SELLER, key="k").outcome is Outcome.UNKNOWN
    assert telling(subMerchantKey="s-1").register_seller(SELLER, key="k").reference == "s-1"


def test_a_refund_with_a_wrong_signature_may_have_been_done() -> None:
    said = {
        "paymentId": "7",
        "price": 1.5,
        "currency": "TRY",
        "conversationId": "refund:1",
        "paymentTransactionId": "9",
    }
    right = signing.answer_signature(SECRET, ["7", Decimal("1.50"), "TRY", "refund:1"])
    for signature, outcome in ((right, Outcome.DONE), ("0" * 64, Outcome.UNKNOWN), (None, Outcome.UNKNOWN)):
        answer = telling(**said, signature=signature).refund("9", Money(150), key="refund:1", because="x")
        assert answer.outcome is outcome


def test_the_basket_is_written_in_decimal_text() -> None:
    asked = wire.checkout_form(BASKET)
    item = asked["basketItems"][0]
    assert (asked["price"], item["price"], item["subMerchantPrice"]) == ("10.00", "10.00", "9.15")
    assert (asked["buyer"]["name"], asked["buyer"]["surname"]) == ("Fatma", "Yılmaz")
    assert wire.refund("9", Money(5), "k", "ş" * 500)["price"] == "0.05"
    assert wire.midnight(DAY) == "2026-11-21 00:00:00"


def test_the_very_bytes_that_are_sent_are_signed() -> None:
    sent: list[httpx.Request] = []

    def keep(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, content=b'{"status": "success"}')

    gateway = hearing(keep)
    gateway.cancel("22416035", key="iptal:ş", because="yanlış")
    gateway.refunds_of("22416035")
    for request in sent:
        random_key = request.headers["x-iyzi-rnd"]
        signed = signing.authorization("k", SECRET, random_key, request.url.path, request.content)
        assert request.headers["Authorization"] == signed
    assert sent[1].url.query == b"paymentId=22416035"


def test_no_secret_and_no_person_reaches_the_log() -> None:
    from loguru import logger

    lines: list[str] = []
    sink = logger.add(lambda line: lines.append(str(line)), level=0)
    telling(token="tok-9", paymentPageUrl="u").open_checkout(BASKET)
    logger.remove(sink)
    log = "".join(lines)
    assert "initialize" in log
    for private in (SECRET, "Fatma", "f@x.tr", "905321112233", "IYZWSv2", "tok-9"):
        assert private not in log


HOSTILE: list[Any] = [
    "", "\x00", "\ud800", "İ", "A" * 300, "\u202e", 10**40, -1, 1.5, True, None, [], {}, [[]], "\r\n", float("nan"), "|", "0" * 64,
]  # fmt: skip
FIELDS = [*wire.WEBHOOK_FIELDS, "merchantId", "iyziReferenceCode", "\ud800"]


def hostile_body(rng: random.Random) -> bytes:
    """A webhook as nobody should write it."""
    kind = rng.randrange(8)
    if kind == 0:
        return rng.randbytes(rng.randrange(300))
    if kind == 1:
        return b'{"a":' * 50_000
    if kind == 2:
        return b'{"token":' + b"9" * 5_000 + b"}"
    if kind == 3:
        return json.dumps(rng.choice(HOSTILE)).encode()
    raw = json.dumps({field: rng.choice(HOSTILE) for field in rng.sample(FIELDS, rng.randrange(len(FIELDS)))}).encode()
    if kind == 4:
        return raw[:-1] + b', "status": 1, "status": "\\ud83d"}'
    if kind == 5:
        return b"\xef\xbb\xbf" + raw
    if kind == 6:
        return raw.decode().encode("utf-16")
    return raw


def test_a_hostile_webhook_is_refused_or_unsigned_and_nothing_else() -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    rng, door, refused = random.Random(seed), IyzicoWebhooks(SECRET), 0
    for _ in range(2_000):
        headers = {
            rng.choice(["X-IYZ-SIGNATURE-V3", "x-iyz-signature-v3", "X"]): rng.choice(["", "\ud800", "ç", "0" * 64])
        }
        try:
            assert door.open(headers, hostile_body(rng)) is None
        except BadInput:
            refused += 1
    assert 0 < refused < 2_000


def test_what_is_not_signed_does_not_make_another_event() -> None:
    door, page = IyzicoWebhooks(SECRET), ("CHECKOUT_FORM_AUTH", "22416035", "tok-1", "c-1", "SUCCESS")
    names = ("iyziEventType", "iyziPaymentId", "token", "paymentConversationId", "status")
    headers = {"X-IYZ-SIGNATURE-V3": signing.webhook_signature(SECRET, *page)}
    hints = []
    for other in ("1", "2"):
        unsigned = {"iyziReferenceCode": other, "iyziEventTime": other, "merchantId": other, "paymentId": other}
        hints.append(door.open(headers, json.dumps({**dict(zip(names, page, strict=True)), **unsigned}).encode()))
    assert hints[0]
    assert hints[0] == hints[1]
    assert hints[0].aggregate_key == "token:tok-1"
    failed = ("CHECKOUT_FORM_AUTH", "22416035", "tok-1", "c-1", "FAILURE")
    headers = {"X-IYZ-SIGNATURE-V3": signing.webhook_signature(SECRET, *failed)}
    later = door.open(headers, json.dumps(dict(zip(names, failed, strict=True))).encode())
    assert later
    assert later.dedupe_key != hints[0].dedupe_key
