"""Each carrier's adapter against its twin: what is said, what is heard, and what silence means."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from flask import Flask

from portal.core.errors import BadInput
from portal.core.ports import Outcome
from portal.integrations.aras.adapter import ArasCarrier
from portal.integrations.aras.client import ArasClient
from portal.integrations.manual.adapter import ManualCarrier
from portal.integrations.mock_carrier.adapter import MockCarrier, MockWebhooks
from portal.integrations.mock_carrier.client import MockClient
from portal.integrations.yurtici.adapter import YurticiCarrier
from portal.integrations.yurtici.client import YurticiClient
from portal.sandbox import carriers as twins
from portal.sandbox.faults import Fault
from portal.sandbox.store import Store
from portal.sandbox.world import SandboxSettings, World
from portal.shipping.ports import Address, Carrier, Consignment, Tracked

KEY = "EM0000000001"
NAME = "Şükrü Işık & Oğulları <Çelik> \"A.Ş.\" 'ğüİı'"
SENDER = Address(
    "Deniz Ambalaj Ltd.", "Atatürk Cad. 5", "Şişli", "İstanbul", "34360", "+902122223344", "d@x.tr", "7870233582"
)
RECEIVER = Address(NAME, "Çınar Sk. No:3 & 5", "Kadıköy", "İstanbul", "34710", "+905321112233", "e@x.tr", "3130557669")
PARCEL = Consignment(KEY, "S-2026-1", SENDER, RECEIVER, "Koli bandı & köpük", 1250, 3)
REAL = ("yurtici", "aras", "mock")


class Outside:
    """A sandbox of its own with only the carriers, in this process."""

    def __init__(self) -> None:
        self.world = World(SandboxSettings("k", "s", "http://x", webhook_delay_seconds=0), Store(None))
        self.app = Flask("carriers")
        for blueprint in twins.blueprints(self.world):
            self.app.register_blueprint(blueprint)
        self.http = self.app.test_client()

    def carrier(self, code: str, **wrong: Any) -> Carrier:
        """The adapter, connected to its twin."""
        return made(code, httpx.WSGITransport(app=self.app), **wrong)

    def scan(self, code: str, event: str, at: str = "") -> None:
        """Something happens to the parcel."""
        answer = self.http.post(f"/_sandbox/carriers/{code}/{KEY}/scans", json={"event": event, "at": at})
        assert answer.status_code == 201, answer.text

    def effects(self) -> dict[str, int]:
        """What was done in the world, and how often."""
        return {row["operation"]: row["count"] for row in self.world.store.all("effect")}

    def parcel(self, code: str) -> dict[str, Any]:
        """What the carrier was told."""
        (row,) = self.http.get(f"/_sandbox/carriers/{code}").json or []
        return dict(row)

    def fault(self, code: str, operation: str, mode: str, seconds: float = 0.0) -> None:
        """Plan a mishap."""
        self.world.faults.add(Fault(code, operation, mode, seconds=seconds))


@pytest.fixture
def outside() -> Outside:
    """A new world."""
    return Outside()


def made(code: str, transport: httpx.BaseTransport | None, timeout: Decimal = Decimal(5), **wrong: Any) -> Carrier:
    """An adapter as wiring makes it; `wrong` replaces credentials."""
    url = wrong.pop("url", "http://carriers")
    how: dict[str, Any] = {"timeout_seconds": timeout, "transport": transport}
    if code == "yurtici":
        who = {"user": twins.YURTICI_USER, "password": twins.YURTICI_PASSWORD, **wrong}
        return YurticiCarrier(YurticiClient(base_url=f"{url}/yurtici", **who, **how))
    if code == "aras":
        who = {"user": twins.ARAS_USER, "password": twins.ARAS_PASSWORD, "customer_code": twins.ARAS_CUSTOMER_CODE}
        order, query = f"{url}/aras/arascargoservice.asmx", f"{url}/aras/ArasCargoIntegrationService.svc"
        return ArasCarrier(ArasClient(order_url=order, query_url=query, **{**who, **wrong}, **how))
    return MockCarrier(MockClient(base_url=f"{url}/mock", **{"token": twins.MOCK_TOKEN, **wrong}, **how))


def hearing(code: str, content: bytes | str | Exception, status: int = 200) -> Carrier:
    """The adapter, hearing this and nothing else."""

    def speak(_request: httpx.Request) -> httpx.Response:
        if isinstance(content, Exception):
            raise content
        return httpx.Response(status, content=content if isinstance(content, bytes) else content.encode())

    return made(code, httpx.MockTransport(speak))


def outcomes(carrier: Carrier) -> list[Outcome]:
    """What each operation makes of it."""
    return [carrier.create(PARCEL).outcome, carrier.cancel(KEY).outcome, carrier.track(KEY).outcome]


def envelope(inside: str) -> str:
    """What came, in an envelope."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">'
        f"<s:Body>{inside}</s:Body></s:Envelope>"
    )


def yurtici_says(operation: str, row: str, flag: str = "0") -> str:
    """One row about our parcel."""
    detail = {
        "create": "shippingOrderDetailVO",
        "cancel": "shippingCancelDetailVO",
        "query": "shippingDeliveryDetailVO",
    }
    return envelope(
        f'<n:{operation}ShipmentResponse xmlns:n="http://yurticikargo.com.tr/ShippingOrderDispatcherServices">'
        f"<VO><outFlag>{flag}</outFlag><outResult>w</outResult><{detail[operation]}><cargoKey>{KEY}</cargoKey>{row}"
        f"</{detail[operation]}></VO></n:{operation}ShipmentResponse>"
    )


def aras_says(parcel: dict[str, Any] | None) -> str:
    """The answer to the first question; to the second one it is no list of movements."""
    written = json.dumps({"QueryResult": None if parcel is None else {"Cargo": parcel}}).replace("&", "&amp;")
    return envelope(
        f'<GetQueryJSONResponse xmlns="http://tempuri.org/"><GetQueryJSONResult>{written}</GetQueryJSONResult>'
        "</GetQueryJSONResponse>"
    )


def aras_results(operation: str, code: str) -> str:
    """A result code."""
    return envelope(
        f'<{operation}Response xmlns="http://tempuri.org/"><{operation}Result><ResultCode>{code}</ResultCode>'
        f"<ResultMessage>w</ResultMessage></{operation}Result></{operation}Response>"
    )


# Announcing and taking back ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", REAL)
def test_a_parcel_is_announced_once(outside: Outside, code: str) -> None:
    carrier = outside.carrier(code)
    assert [carrier.create(PARCEL).outcome for _ in range(3)] == [Outcome.DONE] * 3
    assert outside.effects() == {f"{code}.create": 1, f"{code}.create_repeated": 2}


@pytest.mark.parametrize("code", REAL)
def test_a_parcel_is_taken_back_once_and_what_is_not_there_is_taken_back_already(outside: Outside, code: str) -> None:
    carrier = outside.carrier(code)
    assert carrier.cancel("NEVER").outcome is Outcome.DONE
    carrier.create(PARCEL)
    assert [carrier.cancel(KEY).outcome for _ in range(2)] == [Outcome.DONE] * 2
    assert outside.effects()[f"{code}.cancel"] == 1


@pytest.mark.parametrize("code", REAL)
def test_a_parcel_on_its_way_is_not_taken_back(outside: Outside, code: str) -> None:
    carrier = outside.carrier(code)
    carrier.create(PARCEL)
    outside.scan(code, "picked_up")
    answer = carrier.cancel(KEY)
    assert answer.outcome is Outcome.REFUSED
    assert answer.why


@pytest.mark.parametrize("code", REAL)
def test_turkish_letters_and_markup_survive_both_ways(outside: Outside, code: str) -> None:
    carrier = outside.carrier(code)
    assert carrier.create(PARCEL).outcome is Outcome.DONE
    asked = outside.parcel(code)["asked"]
    assert (asked.get("receiverCustName") or asked.get("ReceiverName") or asked["receiver"]["name"]) == NAME
    outside.scan(code, "picked_up")
    outside.scan(code, 'unknown:Z9:Köprü kapalı: <yol> & "iş" çğıİöşü')
    scan = carrier.track(KEY).scans[-1]
    assert scan.status is Tracked.UNKNOWN
    assert scan.words == 'Köprü kapalı: <yol> & "iş" çğıİöşü'
    assert scan.code in ("Z9", "")  # Aras's movements have words only


@pytest.mark.parametrize("code", REAL)
def test_letters_that_xml_cannot_say_do_not_stop_a_parcel(outside: Outside, code: str) -> None:
    strange = Address("Ece\x00\x0b\ud800 Ltd.", "Adres 12345", "Konak", "İzmir", "35000", "+905321112233", "", "")
    answer = outside.carrier(code).create(Consignment(KEY, "S-1", SENDER, strange, "\x01"))
    assert answer.outcome is Outcome.DONE


def test_yurtici_is_told_what_they_ask_for(outside: Outside) -> None:
    answer = outside.carrier("yurtici").create(PARCEL)
    asked = outside.parcel("yurtici")["asked"]
    assert asked["receiverPhone1"] == "5321112233"
    assert (asked["kg"], asked["desi"], asked["cargoCount"]) == ("1.25", "3", "1")
    assert (asked["cityName"], asked["townName"]) == ("İstanbul", "Kadıköy")
    assert answer.reference.isdigit()


def test_aras_is_told_what_they_ask_for(outside: Outside) -> None:
    outside.carrier("aras").create(PARCEL)
    asked = outside.parcel("aras")["asked"]
    assert (asked["Weight"], asked["PieceCount"], asked["PayorTypeCode"]) == ("1.25", "1", "1")
    assert len(asked["TradingWaybillNumber"]) <= 16


@pytest.mark.parametrize("code", REAL)
def test_what_they_cannot_use_is_refused_with_their_words(outside: Outside, code: str) -> None:
    nobody = Address("", "", "", "", "", "", "", "")
    answer = outside.carrier(code).create(Consignment(KEY, "S-1", SENDER, nobody, "x"))
    assert answer.outcome is Outcome.REFUSED
    assert answer.why
    assert outside.effects() == {}


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        ("yurtici", {"password": "x"}), ("yurtici", {"user": "x"}), ("aras", {"password": "x"}), ("aras", {"user": "x"}),
        ("mock", {"token": "x"}),
    ],
)  # fmt: skip
def test_wrong_credentials_are_refused(outside: Outside, code: str, wrong: dict[str, str]) -> None:
    assert outcomes(outside.carrier(code, **wrong)) == [Outcome.REFUSED] * 3


def test_a_wrong_customer_code_is_refused(outside: Outside) -> None:
    assert outside.carrier("aras", customer_code="9").track(KEY).outcome is Outcome.REFUSED


def test_a_parcel_nobody_announced_is_not_known(outside: Outside) -> None:
    assert outside.carrier("yurtici").track(KEY).outcome is Outcome.REFUSED
    assert outside.carrier("mock").track(KEY).outcome is Outcome.REFUSED
    # Aras's query service cannot tell "never ordered" from "not seen by a branch yet".
    assert outside.carrier("aras").track(KEY).scans == ()


# The road ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", REAL)
def test_their_number_appears_with_the_pick_up(outside: Outside, code: str) -> None:
    carrier = outside.carrier(code)
    carrier.create(PARCEL)
    before = carrier.track(KEY)
    assert (before.outcome, before.tracking_number, before.tracking_url, before.scans) == (Outcome.DONE, "", "", ())
    outside.scan(code, "picked_up", "2026-11-21T09:05:07+03:00")
    after = carrier.track(KEY)
    assert after.tracking_number.isdigit()
    assert after.tracking_url.startswith("https://")
    assert after.tracking_number in after.tracking_url
    assert after.scans[0].status is Tracked.PICKED_UP
    assert after.scans[0].occurred_at == datetime(2026, 11, 21, 6, 5, 7, tzinfo=UTC)
    assert after.scans[0].place == "Çıkış Şubesi"


@pytest.mark.parametrize("code", REAL)
@pytest.mark.parametrize(
    ("event", "status"),
    [
        ("in_transit", Tracked.IN_TRANSIT), ("out_for_delivery", Tracked.OUT_FOR_DELIVERY),
        ("delivered", Tracked.DELIVERED), ("returned", Tracked.RETURNED), ("lost", Tracked.LOST),
        ("attempt_failed", Tracked.ATTEMPT_FAILED),
    ],
)  # fmt: skip
def test_what_happens_is_what_is_heard(outside: Outside, code: str, event: str, status: Tracked) -> None:
    carrier = outside.carrier(code)
    carrier.create(PARCEL)
    outside.scan(code, "picked_up", "2026-11-21T09:00")
    outside.scan(code, event, "2026-11-22T17:30")
    scan = carrier.track(KEY).scans[-1]
    assert scan.status is status
    assert scan.words
    assert scan.occurred_at == datetime(2026, 11, 22, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize("code", REAL)
def test_a_whole_road_is_told_oldest_first(outside: Outside, code: str) -> None:
    carrier = outside.carrier(code)
    carrier.create(PARCEL)
    events = ["picked_up", "in_transit", "out_for_delivery", "attempt_failed", "out_for_delivery", "delivered"]
    for day, event in enumerate(events, start=1):
        outside.scan(code, event, f"2026-11-0{day}T10:00")
    scans = carrier.track(KEY).scans
    times = [scan.occurred_at for scan in scans if scan.occurred_at]
    assert times == sorted(times)
    assert (scans[0].status, scans[-1].status) == (Tracked.PICKED_UP, Tracked.DELIVERED)
    assert Tracked.ATTEMPT_FAILED in {scan.status for scan in scans}
    assert [scan.status for scan in scans].count(Tracked.DELIVERED) == 1


@pytest.mark.parametrize(
    ("row", "status"),
    [
        ("<operationStatus>IND</operationStatus>", Tracked.OUT_FOR_DELIVERY),
        ("<operationStatus>ISR</operationStatus>", Tracked.IN_TRANSIT),
        ("<operationStatus>CNL</operationStatus>", Tracked.CANCELLED),
        ("<operationStatus>ISC</operationStatus>", Tracked.CANCELLED),
        ("<operationStatus>BI</operationStatus>", Tracked.CANCELLED),
        ("<operationStatus>DLV</operationStatus>", Tracked.DELIVERED),
        ("<operationCode>5</operationCode>", Tracked.DELIVERED),
        ("<operationCode>1</operationCode>", Tracked.OUT_FOR_DELIVERY),
        ("<operationStatus>DLV</operationStatus><returnStatus>0</returnStatus>", Tracked.DELIVERED),
        ("<operationStatus>DLV</operationStatus><returnStatus>2</returnStatus>", Tracked.RETURNED),
        ("<operationStatus>DLV</operationStatus><returnStatus>3</returnStatus>", Tracked.RETURNED),
        ("<operationStatus>DLV</operationStatus><rejectStatus>9</rejectStatus>", Tracked.RETURNED),
        ("<operationStatus>DLV</operationStatus><returnStatus>7</returnStatus>", Tracked.UNKNOWN),
        ("<operationStatus>dlv</operationStatus>", Tracked.UNKNOWN),
        ("<operationStatus>DLVX</operationStatus>", Tracked.UNKNOWN),
        ("<operationCode>77</operationCode>", Tracked.UNKNOWN),
    ],
)
def test_every_word_of_yurtici(row: str, status: Tracked) -> None:
    answer = hearing("yurtici", yurtici_says("query", row)).track(KEY)
    assert [scan.status for scan in answer.scans] == [status]
    assert answer.scans[0].code


def test_yurtici_knows_it_but_has_not_seen_it() -> None:
    row = "<operationStatus>NOP</operationStatus><x><docId>0</docId></x>"
    answer = hearing("yurtici", yurtici_says("query", row)).track(KEY)
    assert (answer.outcome, answer.tracking_number, answer.scans) == (Outcome.DONE, "", ())


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"DURUM KODU": "1"}, Tracked.PICKED_UP), ({"DURUM_KODU": 2}, Tracked.IN_TRANSIT),
        ({"DURUM KODU": 3}, Tracked.IN_TRANSIT), ({"DURUM KODU": "4"}, Tracked.OUT_FOR_DELIVERY),
        ({"DURUM KODU": "5"}, Tracked.IN_TRANSIT), ({"DURUM KODU": "6"}, Tracked.DELIVERED),
        ({"DURUM KODU": "7"}, Tracked.IN_TRANSIT), ({"DURUM KODU": 6, "TİP KODU": 1}, Tracked.DELIVERED),
        ({"DURUM KODU": "6", "TİP KODU": "3"}, Tracked.RETURNED), ({"DURUM_KODU": 7, "TIP_KODU": 3}, Tracked.RETURNED),
        ({"DURUM KODU": "6", "TİP KODU": "8"}, Tracked.UNKNOWN), ({"DURUM KODU": "66"}, Tracked.UNKNOWN),
        ({"DURUM KODU": 6.5}, Tracked.UNKNOWN), ({"DURUM KODU": True}, Tracked.UNKNOWN), ({}, Tracked.UNKNOWN),
    ],
)  # fmt: skip
def test_every_word_of_aras(said: dict[str, Any], status: Tracked) -> None:
    answer = hearing("aras", aras_says({**said, "DURUMU": "söz", "KARGO TAKİP NO": 3513770000001})).track(KEY)
    assert [(scan.status, scan.words) for scan in answer.scans] == [(status, "söz")]
    assert answer.tracking_number == "3513770000001"


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("announced", Tracked.CREATED), ("labelled", Tracked.LABELLED), ("ready_for_pickup", Tracked.READY_FOR_PICKUP),
        ("cancelled", Tracked.CANCELLED), ("DELIVERED", Tracked.UNKNOWN), ("eaten", Tracked.UNKNOWN),
    ],
)  # fmt: skip
def test_the_other_words_of_the_example(word: str, status: Tracked) -> None:
    body = {"key": KEY, "tracking_number": None, "scans": [{"status": word, "words": "w", "at": "2026-11-21T10:00"}]}
    (scan,) = hearing("mock", json.dumps(body)).track(KEY).scans
    assert (scan.status, scan.code, scan.words) == (status, word, "w")
    assert scan.occurred_at == datetime(2026, 11, 21, 7, tzinfo=UTC)


# Yes and no -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "flag", "outcome"),
    [
        ("0", "0", Outcome.DONE), ("", "0", Outcome.DONE), ("60020", "1", Outcome.DONE), ("60020", "0", Outcome.DONE),
        ("82500", "1", Outcome.REFUSED), ("1625", "1", Outcome.REFUSED), ("1626", "1", Outcome.REFUSED),
        ("80265", "1", Outcome.REFUSED), ("82500", "0", Outcome.REFUSED), ("936", "1", Outcome.UNKNOWN),
        ("", "1", Outcome.REFUSED), ("", "2", Outcome.UNKNOWN), ("", "", Outcome.UNKNOWN),
    ],
)  # fmt: skip
def test_what_yurtici_says_to_an_announcement(code: str, flag: str, outcome: Outcome) -> None:
    answer = hearing("yurtici", yurtici_says("create", f"<errCode>{code}</errCode>", flag)).create(PARCEL)
    assert (answer.outcome, answer.code) == (outcome, code)


@pytest.mark.parametrize(
    ("row", "flag", "outcome"),
    [
        ("<errCode>82519</errCode>", "1", Outcome.DONE), ("<errCode>82520</errCode>", "1", Outcome.DONE),
        ("<errCode>80859</errCode>", "1", Outcome.DONE), ("<operationStatus>CNL</operationStatus>", "0", Outcome.DONE),
        ("<operationStatus>ISC</operationStatus>", "0", Outcome.DONE),
        ("<operationStatus>ISR</operationStatus>", "0", Outcome.REFUSED),
        ("<operationStatus>DLV</operationStatus>", "0", Outcome.REFUSED),
        ("<operationStatus>NOP</operationStatus>", "0", Outcome.UNKNOWN),
        ("<errCode>936</errCode>", "1", Outcome.UNKNOWN), ("<errCode>80265</errCode>", "1", Outcome.REFUSED),
    ],
)  # fmt: skip
def test_what_yurtici_says_to_a_cancellation(row: str, flag: str, outcome: Outcome) -> None:
    assert hearing("yurtici", yurtici_says("cancel", row, flag)).cancel(KEY).outcome is outcome


def test_an_answer_about_another_parcel_is_none() -> None:
    for row in ("<errCode>60020</errCode>", "<errCode>0</errCode>", "<operationStatus>DLV</operationStatus>"):
        for operation in ("create", "cancel", "query"):
            other = yurtici_says(operation, row).replace(KEY, "SOMEBODY-ELSE")
            carrier = hearing("yurtici", other)
            heard = {"create": carrier.create, "cancel": carrier.cancel, "query": carrier.track}[operation]
            answer = heard(PARCEL if operation == "create" else KEY)  # type: ignore[operator]
            assert answer.outcome is Outcome.UNKNOWN
    elses = json.dumps({"key": "SOMEBODY-ELSE", "scans": []})
    assert outcomes(hearing("mock", elses))[::2] == [Outcome.UNKNOWN] * 2


@pytest.mark.parametrize(
    ("operation", "code", "outcome"),
    [
        ("SetOrder", "0", Outcome.DONE), ("SetOrder", "60020", Outcome.DONE), ("SetOrder", "1000", Outcome.REFUSED),
        ("SetOrder", "935", Outcome.REFUSED), ("SetOrder", "942", Outcome.REFUSED),
        ("SetOrder", "70027", Outcome.REFUSED), ("SetOrder", "70035", Outcome.REFUSED), ("SetOrder", "", Outcome.UNKNOWN),
        ("CancelDispatch", "0", Outcome.DONE), ("CancelDispatch", "1", Outcome.DONE),
        ("CancelDispatch", "-1", Outcome.DONE), ("CancelDispatch", "999", Outcome.REFUSED),
        ("CancelDispatch", "-2", Outcome.REFUSED), ("CancelDispatch", "", Outcome.UNKNOWN),
    ],
)  # fmt: skip
def test_what_aras_says(operation: str, code: str, outcome: Outcome) -> None:
    carrier = hearing("aras", aras_results(operation, code))
    answer = carrier.create(PARCEL) if operation == "SetOrder" else carrier.cancel(KEY)
    assert (answer.outcome, answer.code) == (outcome, code)


# Silence and nonsense ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", REAL)
@pytest.mark.parametrize(
    ("mode", "outcome", "done"),
    [
        ("slow", Outcome.DONE, True), ("timeout_before_effect", Outcome.UNKNOWN, False),
        ("timeout_after_effect", Outcome.DONE, True), ("error_500", Outcome.UNKNOWN, False),
        ("error_500_after_effect", Outcome.UNKNOWN, True), ("malformed", Outcome.UNKNOWN, True),
        ("refuse", Outcome.REFUSED, False),
    ],
)  # fmt: skip
def test_every_mishap_has_its_outcome(outside: Outside, code: str, mode: str, outcome: Outcome, done: bool) -> None:
    carrier = outside.carrier(code)
    outside.fault(code, "create", mode)
    assert carrier.create(PARCEL).outcome is outcome
    assert bool(outside.effects()) is done
    assert carrier.create(PARCEL).outcome is Outcome.DONE  # asking again is safe
    assert outside.effects()[f"{code}.create"] == 1
    outside.fault(code, "track", mode)
    assert carrier.track(KEY).outcome is outcome
    outside.fault(code, "cancel", mode)
    assert carrier.cancel(KEY).outcome is outcome
    assert carrier.cancel(KEY).outcome is Outcome.DONE
    assert outside.effects()[f"{code}.cancel"] == 1


@pytest.mark.parametrize("code", REAL)
def test_who_takes_too_long_is_silent(outside: Outside, code: str) -> None:
    outside.fault(code, "create", "timeout_after_effect", seconds=0.2)
    carrier = made(code, httpx.WSGITransport(app=outside.app), timeout=Decimal("0.05"))
    assert carrier.create(PARCEL).outcome is Outcome.UNKNOWN
    assert outside.effects() == {f"{code}.create": 1}


@pytest.mark.parametrize("code", REAL)
@pytest.mark.parametrize(
    ("trouble", "outcome"),
    [
        (httpx.ConnectError("x"), Outcome.NOT_SENT), (httpx.ConnectTimeout("x"), Outcome.NOT_SENT),
        (httpx.PoolTimeout("x"), Outcome.NOT_SENT), (httpx.ReadTimeout("x"), Outcome.UNKNOWN),
        (httpx.WriteTimeout("x"), Outcome.UNKNOWN), (httpx.ReadError("x"), Outcome.UNKNOWN),
        (httpx.RemoteProtocolError("x"), Outcome.UNKNOWN),
    ],
)  # fmt: skip
def test_silence_is_told_from_a_closed_door(code: str, trouble: Exception, outcome: Outcome) -> None:
    assert outcomes(hearing(code, trouble)) == [outcome] * 3


@pytest.mark.parametrize("code", REAL)
def test_a_door_that_is_shut_was_certainly_not_passed(code: str) -> None:
    assert outcomes(made(code, None, url="http://127.0.0.1:9")) == [Outcome.NOT_SENT] * 3


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "0">'
    + "".join(f'<!ENTITY {new} "{("&" + old + ";") * 10}">' for old, new in pairwise("abcdefgh"))
    + "]>"
)
SMALL = '<?xml version="1.0"?><!DOCTYPE b [<!ENTITY h "0">]>'
FILE = '<?xml version="1.0"?><!DOCTYPE b [<!ENTITY h SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize("code", REAL)
@pytest.mark.parametrize(
    "content",
    [
        "", "oops", "<a", "<a/>", "[]", "null", "12", "{}", '"x"', "\x00", "<html>bakım</html>",
        envelope(""), envelope("<other/>"), envelope("<s:Fault><faultstring>no</faultstring></s:Fault>"),
        BOMB + envelope("<x>&h;</x>").partition("?>")[2], FILE + envelope("<x>&h;</x>").partition("?>")[2],
        BOMB + yurtici_says("create", "<errCode>&h;</errCode>").partition("?>")[2],
        SMALL + yurtici_says("create", "<errCode>&h;</errCode>").partition("?>")[2],
        SMALL + aras_results("CancelDispatch", "&h;").partition("?>")[2],
        FILE + yurtici_says("query", "<operationStatus>&h;</operationStatus>").partition("?>")[2],
        FILE + aras_results("SetOrder", "&h;").partition("?>")[2],
        '<?xml version="1.0"?><!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd">' + yurtici_says("query", "").partition("?>")[2],
        "[" * 200_000, "<a>" * 50_000, '<?xml version="1.0" encoding="nonsense"?><a/>',
    ],
)  # fmt: skip
def test_nonsense_is_silence(code: str, content: str) -> None:
    assert set(outcomes(hearing(code, content))) == {Outcome.UNKNOWN}


@pytest.mark.parametrize("code", REAL)
@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (301, Outcome.UNKNOWN), (401, Outcome.REFUSED), (403, Outcome.REFUSED), (429, Outcome.NOT_SENT),
        (500, Outcome.UNKNOWN), (503, Outcome.UNKNOWN),
    ],
)  # fmt: skip
def test_what_the_status_alone_says(code: str, status: int, outcome: Outcome) -> None:
    assert outcomes(hearing(code, "<html/>", status)) == [outcome] * 3


@pytest.mark.parametrize("status", [404, 409, 410])
@pytest.mark.parametrize("content", ["<html>proxy</html>", "{}", '{"key": "SOMEBODY-ELSE"}'])
def test_a_page_of_somebody_between_us_is_no_answer(status: int, content: str) -> None:
    carrier = hearing("mock", content, status)
    assert Outcome.DONE not in outcomes(carrier)
    assert hearing("yurtici", content, status).cancel(KEY).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    "written",
    [
        "x", "null", "[]", '{"QueryResult": 3}', '{"QueryResult": {"Cargo": "x"}}', '{"QueryResult": {"Cargo": [3]}}', "{}",
        '{"QueryResult": []}',
    ],
)  # fmt: skip
def test_nonsense_where_aras_should_write_json(written: str) -> None:
    inside = f"<GetQueryJSONResponse><GetQueryJSONResult>{written}</GetQueryJSONResult></GetQueryJSONResponse>"
    assert hearing("aras", envelope(inside)).track(KEY).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    "body",
    [{}, {"scans": None}, {"scans": [3]}, {"scans": "abc"}, {"scans": [{}]}, {"scans": {"a": 1}}],
)
def test_nonsense_where_scans_should_be(body: dict[str, Any]) -> None:
    assert hearing("mock", json.dumps({"key": KEY, **body})).track(KEY).outcome is Outcome.UNKNOWN


def test_nothing_they_write_can_hurt_us() -> None:
    scans = [{"status": "x" * 999, "words": "a\x00b\ud800\n<script>", "at": "0001-01-01T00:00", "place": ["x"]}]
    answer = hearing("mock", json.dumps({"key": KEY, "tracking_number": "javascript:1", "scans": scans})).track(KEY)
    (scan,) = answer.scans
    assert (scan.words, scan.occurred_at, scan.place) == ("ab <script>", None, "")
    assert len(scan.code) <= 300
    assert (answer.tracking_number, answer.tracking_url) == ("", "")
    item = "<i><docId>1&amp;x=2</docId><deliveryDate>00010101</deliveryDate><trackingUrl>javascript:1</trackingUrl></i>"
    told = hearing("yurtici", yurtici_says("query", f"<operationStatus>DLV</operationStatus>{item}")).track(KEY)
    assert (told.tracking_number, told.tracking_url, told.scans[0].occurred_at) == ("", "", None)


def test_no_secret_is_logged(outside: Outside) -> None:
    from loguru import logger

    lines: list[str] = []
    handler = logger.add(lambda message: lines.append(str(message)))
    try:
        for code, wrong in (("yurtici", "password"), ("aras", "password"), ("mock", "token")):
            outcomes(outside.carrier(code, **{wrong: "very-secret"}))
    finally:
        logger.remove(handler)
    assert len(lines) == 9
    assert not any("very-secret" in line or NAME in line for line in lines)


# By hand ----------------------------------------------------------------------------------------------------------


def test_nobody_is_asked_when_we_bring_it_ourselves() -> None:
    carrier: Carrier = ManualCarrier()
    assert outcomes(carrier) == [Outcome.DONE] * 3
    assert carrier.track(KEY).scans == ()


def test_every_carrier_has_a_name_and_a_tax_number_that_adds_up() -> None:
    def adds_up(vkn: str) -> bool:
        total = 0
        for i, digit in enumerate(vkn[:9]):
            shifted = (int(digit) + 9 - i) % 10
            total += 9 if shifted and shifted * 2 ** (9 - i) % 9 == 0 else shifted * 2 ** (9 - i) % 9
        return len(vkn) == 10 and (10 - total % 10) % 10 == int(vkn[9])

    for code in REAL:
        carrier = hearing(code, "")
        assert (carrier.code, adds_up(carrier.tax_number)) == (code, True)
        assert carrier.title
        assert carrier.legal_title


# Their notifications ----------------------------------------------------------------------------------------------


def signed(body: bytes) -> dict[str, str]:
    """As they sign."""
    return {"X-Ornek-Signature": hmac.new(twins.MOCK_WEBHOOK_SECRET.encode(), body, hashlib.sha256).hexdigest()}


def test_each_scan_is_announced_and_the_signature_is_theirs(outside: Outside) -> None:
    outside.carrier("mock").create(PARCEL)
    for event in ("picked_up", "delivered"):
        outside.scan("mock", event)
    rows = outside.http.get("/_sandbox/carriers/webhooks").json or []
    hints = [
        MockWebhooks(twins.MOCK_WEBHOOK_SECRET).open(
            {"x-ornek-signature": row["signature"].upper()}, row["raw"].encode()
        )
        for row in rows
    ]
    assert [(hint.event_type, hint.consignment_key) for hint in hints if hint] == [
        ("picked_up", KEY),
        ("delivered", KEY),
    ]
    assert len({hint.dedupe_key for hint in hints if hint}) == 2
    assert all(not row["done"] and row["tries"] == 0 for row in rows)


def test_other_carriers_announce_nothing(outside: Outside) -> None:
    outside.carrier("aras").create(PARCEL)
    outside.scan("aras", "picked_up")
    assert outside.http.get("/_sandbox/carriers/webhooks").json == []


@pytest.mark.parametrize(
    ("mode", "copies"), [("duplicate_webhook", 3), ("late_webhook", 1), ("lost_webhook", 0), ("reorder_webhooks", 1)]
)
def test_notifications_have_mishaps_too(outside: Outside, mode: str, copies: int) -> None:
    outside.carrier("mock").create(PARCEL)
    outside.fault("mock", "webhook", mode, seconds=60)
    outside.scan("mock", "picked_up")
    rows = outside.world.store.all("carrier_webhook")
    assert len(rows) == copies
    assert len({row["body"] for row in rows}) == min(copies, 1)
    if mode == "late_webhook":
        assert rows[0]["due"] > outside.world.now().timestamp() + 30


def test_a_message_that_was_not_signed_by_them_is_not_theirs() -> None:
    body = b'{"event_id": "1", "key": "EM1", "status": "delivered", "at": "2026-11-21T10:00:00+03:00"}'
    webhooks = MockWebhooks(twins.MOCK_WEBHOOK_SECRET)
    assert webhooks.open(signed(body), body)
    assert webhooks.open(signed(body), body.replace(b"EM1", b"EM2")) is None
    for headers in ({}, {"X-Ornek-Signature": ""}, {"X-Ornek-Signature": "ü"}, {"X-Other": "x"}):
        assert webhooks.open(headers, body) is None
    assert MockWebhooks("other").open(signed(body), body) is None
    assert webhooks.open({}, b"nonsense") is None


@pytest.mark.parametrize(
    "body",
    [
        b"", b"x", b"[]", b"null", b"3", b"{}", b"\xff", b"[" * 100_000,
        b'{"event_id": 1, "key": "a", "status": "b", "at": "c"}', b'{"event_id": "", "key": "a", "status": "b", "at": "c"}',
        b'{"event_id": "1", "key": {}, "status": "b", "at": "c"}', b'{"event_id": "1", "key": "a", "status": "b"}',
        b'{"event_id": "1", "key": "a\\u0000", "status": "b", "at": "c"}',
        b'{"event_id": "1", "key": "\\ud800", "status": "b", "at": "c"}',
        b'{"event_id": "1", "key": "' + b"a" * 300 + b'", "status": "b", "at": "c"}',
    ],
)  # fmt: skip
def test_signed_nonsense_is_bad_input(body: bytes) -> None:
    with pytest.raises(BadInput):
        MockWebhooks(twins.MOCK_WEBHOOK_SECRET).open(signed(body), body)


def test_the_courier_tries_again_until_somebody_says_yes(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    from portal.sandbox.carriers import webhooks

    answers = iter([500, 202])
    post: Callable[..., Any] = lambda *_a, **_k: SimpleNamespace(status_code=next(answers))  # noqa: E731
    monkeypatch.setattr(httpx, "post", post)
    outside.carrier("mock").create(PARCEL)
    outside.scan("mock", "picked_up")
    (row,) = outside.world.store.all("carrier_webhook")
    once = webhooks.send(outside.world, row)
    assert (once["done"], once["tries"]) == (False, 1)
    twice = webhooks.send(outside.world, once)
    assert (twice["done"], twice["answers"]) == (True, [500, 202])


def test_control_refuses_what_means_nothing(outside: Outside) -> None:
    outside.carrier("mock").create(PARCEL)
    scans = f"/_sandbox/carriers/mock/{KEY}/scans"
    for asked in ({}, {"event": "eaten"}, {"event": "lost", "at": "yesterday"}, ["x"]):
        assert outside.http.post(scans, json=asked).status_code == 422
    assert outside.http.post("/_sandbox/carriers/mock/NONE/scans", json={"event": "lost"}).status_code == 404
    assert outside.http.get("/_sandbox/carriers/nobody").status_code == 404
