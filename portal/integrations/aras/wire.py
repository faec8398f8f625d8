"""Aras's words and ours: the only file that spells their fields (facts: carriers, 21.11.2026)."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote
from xml.etree.ElementTree import Element

from portal.core.ports import Outcome
from portal.integrations.aras.client import theirs
from portal.integrations.soap import istanbul_moment, number_of, plain, said, text
from portal.shipping.ports import Consignment, Scan, Tracked

TRACKING_PAGE = "https://kargotakip.araskargo.com.tr/mainpage.aspx?code={}"
BY_INTEGRATION_CODE, MOVEMENTS = 1, 9
SENDER_PAYS = "1"

ORDER_TAKEN, ORDER_KNOWN = "0", "60020"
CANCELLED = {"0", "1", "-1"}  # -1: they know of none
CANCEL_UNDECIDED = "936"  # unsure: named by public integrations as "an error occurred"

STATUS = {
    "1": Tracked.PICKED_UP,
    "2": Tracked.IN_TRANSIT,
    "3": Tracked.IN_TRANSIT,
    "4": Tracked.OUT_FOR_DELIVERY,
    "5": Tracked.IN_TRANSIT,  # a part was delivered: not final
    "6": Tracked.DELIVERED,
    "7": Tracked.IN_TRANSIT,
}
GIVEN_BACK = "3"  # TİP KODU; 1 is an ordinary parcel, 2 a redirected one
KNOWN_TYPES = {"", "0", "1", "2"}
# Unsure: movements are text without codes and documented nowhere. Only whole, exact words count, and none of
# them delivers or returns a parcel: that is read from DURUM KODU and TİP KODU alone (None: said there).
MOVED = {
    "CIKIS SUBESINDE": Tracked.PICKED_UP,
    "YOLDA": Tracked.IN_TRANSIT,
    "TESLIMAT SUBESINDE": Tracked.IN_TRANSIT,
    "YONLENDIRILDI": Tracked.IN_TRANSIT,
    "PARCALI TESLIMAT": Tracked.IN_TRANSIT,
    "TESLIMATTA": Tracked.OUT_FOR_DELIVERY,
    "TESLIM EDILEMEDI": Tracked.ATTEMPT_FAILED,
    "KARGO KAYIP": Tracked.LOST,
    "TESLIM EDILDI": None,
    "IADE EDILDI": None,
}
WENT_WRONG = {Tracked.ATTEMPT_FAILED, Tracked.LOST}
Row = dict[str, str]


def order(consignment: Consignment, user: str, password: str) -> list[Element]:
    """A parcel as they want it ordered: one piece, whose barcode is our key."""
    assert 0 < len(consignment.key) <= 20
    to, kilograms = consignment.receiver, f"{Decimal(consignment.weight_grams) / 1000:f}"
    fields = {
        "UserName": user,
        "Password": password,
        "TradingWaybillNumber": consignment.key[:16],
        "InvoiceNumber": consignment.key,
        "IntegrationCode": consignment.key,
        "ReceiverName": to.name[:100],  # unsure where they cut: 100, 250, 40 and 16 are from public integrations
        "ReceiverAddress": to.address[:250],
        "ReceiverPhone1": "".join(digit for digit in to.phone if digit.isdigit() and digit.isascii())[-10:],
        "ReceiverCityName": to.city[:40],
        "ReceiverTownName": to.district[:16],
        "VolumetricWeight": str(consignment.desi),
        "Weight": kilograms,
        "PieceCount": "1",
        "Description": f"{consignment.order_number} {consignment.content}".strip()[:255],
        "PayorTypeCode": SENDER_PAYS,
        "IsWorldWide": "0",
        "IsCod": "0",
    }
    piece = {"VolumetricWeight": fields["VolumetricWeight"], "Weight": kilograms, "BarcodeNumber": consignment.key}
    pieces = theirs("PieceDetails", [theirs("PieceDetail", _fields(piece))])
    return [theirs("orderInfo", [theirs("Order", [*_fields(fields), pieces])])]


def _fields(values: dict[str, str]) -> list[Element]:
    return [theirs(name, value) for name, value in values.items()]


def cancellation(key: str) -> list[Element]:
    """Take it back."""
    return [theirs("integrationCode", key)]


def result(body: Element) -> tuple[str, str]:
    """Code and words of an order or a cancellation; some versions answer with the bare number."""
    bare = text(body, "CancelDispatchResult")
    return text(body, "ResultCode") or bare, text(body, "ResultMessage")


def rows(body: Element, kind: str) -> tuple[Outcome, list[Row], str]:
    """What a question brought: parcels or movements. They say no in plain words where JSON should be."""
    written = "".join(found.text or "" for found in body.iterfind(".//{*}GetQueryJSONResult"))
    try:
        content = json.loads(written, parse_float=str, parse_int=str, parse_constant=str)
        found = content["QueryResult"]
        listed = [] if found is None else found.get(kind) or []
        return Outcome.DONE, [_row(row) for row in (listed if isinstance(listed, list) else [listed])], ""
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        words = said(written)
        outcome = Outcome.REFUSED if "SIFRE" in plain(words) else Outcome.UNKNOWN
        return outcome, [], words or "an answer that is not JSON"


def _row(row: dict[str, Any]) -> Row:
    """Their field names come as "DURUM KODU" or "DURUM_KODU", with and without Turkish letters."""
    return {plain(str(name)).replace(" ", "_"): said(value) for name, value in row.items()}


def tracking_number(parcel: Row) -> str:
    """Thirteen digits, once the branch has invoiced it."""
    return number_of(parcel.get("KARGO_TAKIP_NO", ""))


def tracking_page(number: str) -> str:
    """Where anybody can look it up."""
    return TRACKING_PAGE.format(quote(number, safe="")) if number else ""


def scans(parcel: Row, movements: list[Row]) -> tuple[Scan, ...]:
    """The road, oldest first, and at its end where it is now."""
    far_past = istanbul_moment("19700101")
    assert far_past
    road = [scan for scan in map(_moved, movements) if scan]
    road.sort(key=lambda scan: scan.occurred_at or far_past)
    now = _now(parcel)
    says_the_same = road and road[-1].status is now.status and now.status is not Tracked.UNKNOWN
    if says_the_same and now.occurred_at is None:
        return tuple(road)  # the last movement says the same, with its time
    if road and road[-1].status in WENT_WRONG and now.status is Tracked.IN_TRANSIT:
        return (*road[:-1], now, road[-1])  # a status is a coarse word: what went wrong is the newest fact
    return (*road, now)


def _moved(row: Row) -> Scan | None:
    words = row.get("ISLEM", "")
    status = MOVED.get(plain(words), Tracked.UNKNOWN)
    if status is None:
        return None
    told = f"{words}: {row['ACIKLAMA']}" if row.get("ACIKLAMA") else words
    return Scan(status, "", told, _moment(row.get("ISLEM_TARIHI", "")), row.get("BIRIM", ""))


def _now(parcel: Row) -> Scan:
    """Where it is. A return outweighs whatever else they say, and a type we do not know delivers nothing."""
    code, kind = parcel.get("DURUM_KODU", ""), parcel.get("TIP_KODU", "")
    status, words = STATUS.get(code, Tracked.UNKNOWN), parcel.get("DURUMU", "")
    if kind == GIVEN_BACK:
        status, words = Tracked.RETURNED, f"{words} {parcel.get('IADE_SEBEBI', '')}".strip()
    elif kind not in KNOWN_TYPES:
        status = Tracked.UNKNOWN
    at, place = None, parcel.get("VARIS_SUBE", "")
    if code == "6":
        at = _moment(f"{parcel.get('TESLIM_TARIHI', '')} {parcel.get('TESLIM_SAATI', '')}")
    elif code == "1":
        at, place = _moment(parcel.get("CIKIS_TARIH", "")), parcel.get("CIKIS_SUBE", "")
    return Scan(status, code if kind in KNOWN_TYPES else f"{code}/{kind}", words, at, place)


def _moment(written: str) -> datetime | None:
    day, _, hour = written.strip().replace("T", " ").partition(" ")
    return istanbul_moment(day, hour.partition(".")[0])
