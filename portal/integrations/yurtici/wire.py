"""Yurtiçi's words and ours: the only file that spells their fields (facts: carriers, 21.11.2026)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from urllib.parse import quote
from xml.etree.ElementTree import Element

from portal.integrations.soap import istanbul_moment, node, number_of, plain, text
from portal.shipping.ports import Consignment, Scan, Tracked

TRACKING_PAGE = "https://www.yurticikargo.com/tr/online-servisler/gonderi-sorgula?code={}"

KEY_EXISTS = "60020"
KEY_NOT_KNOWN = "80859"
NOTHING_TO_CANCEL = {"82519", "82520", KEY_NOT_KNOWN}
UNEXPECTED = "936"  # their own words for "we do not know either"

STATUS = {
    "NOP": Tracked.CREATED,
    "IND": Tracked.OUT_FOR_DELIVERY,
    "ISR": Tracked.IN_TRANSIT,
    "CNL": Tracked.CANCELLED,
    "ISC": Tracked.CANCELLED,
    "DLV": Tracked.DELIVERED,
    "BI": Tracked.CANCELLED,
}
STATUS_OF_CODE = {"0": "NOP", "1": "IND", "2": "ISR", "3": "CNL", "4": "ISC", "5": "DLV", "6": "BI"}
ON_THE_ROAD = {Tracked.IN_TRANSIT, Tracked.OUT_FOR_DELIVERY}
RETURN_GIVEN_BACK = {"2", "3"}
REJECT_GIVEN_BACK = {"9", "10"}  # unsure: the facts name no numbers, public integrations use these
# Unsure: reasons of movements are free text and documented nowhere. Only whole, exact words count.
REASONS = {
    "ALICI ADRESTE YOK": Tracked.ATTEMPT_FAILED,
    "ADRESTE BULUNAMADI": Tracked.ATTEMPT_FAILED,
    "TESLIM EDILEMEDI": Tracked.ATTEMPT_FAILED,
    "KARGO KAYIP": Tracked.LOST,
}


class Said(NamedTuple):
    """What they say to a call: 0 and no error is a yes."""

    flag: str
    code: str
    words: str
    row: Element | None

    @property
    def yes(self) -> bool:
        """Both the envelope and the row say so."""
        return self.flag == "0" and self.code in ("", "0")


def order(consignment: Consignment) -> list[Element]:
    """A parcel as they want it announced. Our key is their cargoKey, and the barcode we print."""
    assert 0 < len(consignment.key) <= 20
    to = consignment.receiver
    fields = {
        "cargoKey": consignment.key,
        "invoiceKey": consignment.key,  # theirs is unique as well, and parcels of one order share an invoice
        "receiverCustName": to.name[:200],
        "receiverAddress": to.address[:500],  # unsure where they cut
        "receiverPhone1": ten_digits(to.phone),
        "cityName": to.city,
        "townName": to.district,
        "desi": str(consignment.desi),
        "kg": kilograms(consignment.weight_grams),
        "cargoCount": "1",
        "emailAddress": to.email,
        "taxNumber": to.tax_number,
        "description": f"{consignment.order_number} {consignment.content}".strip()[:255],
    }
    return [node("ShippingOrderVO", [node(name, value) for name, value in fields.items() if value])]


def ten_digits(phone: str) -> str:
    """+905321112233 is 5321112233 to them."""
    return "".join(digit for digit in phone if digit.isdigit() and digit.isascii())[-10:]


def kilograms(grams: int) -> str:
    """1250 grams are 1.25."""
    return f"{Decimal(grams) / 1000:f}"


def question(key: str) -> list[Element]:
    """Where is it, with its movements. The same question within a minute is refused by them."""
    answers = {"keys": key, "keyType": "0", "addHistoricalData": "true", "onlyTracking": "false"}
    return [node(name, value) for name, value in answers.items()]


def cancellation(key: str) -> list[Element]:
    """Take it back."""
    return [node("cargoKeys", key)]


def reading(body: Element, key: str, row_name: str) -> Said:
    """Their verdict about this key; the row of another key is nobody's."""
    rows = body.findall(f".//{{*}}{row_name}")
    row = next((row for row in rows if text(row, "cargoKey") == key), None)
    about = row
    if row is None and all(not text(other, "cargoKey") for other in rows):
        about = body  # about no key at all: they did not let us in, or did not understand
    words = text(about, "errMessage") or text(body, "outResult")
    return Said(text(body, "outFlag"), text(about, "errCode"), words, row)


def tracking_number(row: Element) -> str:
    """Theirs, once a branch has taken the parcel in."""
    return number_of(text(row, "docId"))


def tracking_page(number: str) -> str:
    """Where anybody can look it up."""
    return TRACKING_PAGE.format(quote(number, safe="")) if number else ""


def operation_status(row: Element) -> str:
    """Three letters, or the number that stands for them."""
    code = text(row, "operationCode")
    return text(row, "operationStatus") or STATUS_OF_CODE.get(code, code)


def scans(row: Element) -> tuple[Scan, ...]:
    """Taken in, then what went wrong on the way, then where it is now."""
    number, movements = tracking_number(row), _movements(row)
    told: list[Scan] = []
    if number:
        taken_at = istanbul_moment(text(row, "documentDate"), text(row, "documentTime"))
        told.append(Scan(Tracked.PICKED_UP, "docId", number, taken_at, text(row, "departureUnitName")))
    told += [_trouble(moved) for moved in movements if text(moved, "reasonName")]
    now = _now(row, movements[-1] if movements else None)
    if now.status is Tracked.CREATED:
        return tuple(told)
    # A status is a coarse word for the last movement: when that one went wrong, going wrong is the newest fact.
    newest = [told.pop()] if now.status in ON_THE_ROAD and movements and text(movements[-1], "reasonName") else []
    return (*told, now, *newest)


def _movements(row: Element) -> list[Element]:
    far_past = istanbul_moment("19700101")
    assert far_past
    return sorted(row.findall(".//{*}invDocCargoVOArray"), key=lambda moved: _moved_at(moved) or far_past)


def _moved_at(moved: Element) -> datetime | None:
    return istanbul_moment(text(moved, "eventDate"), text(moved, "eventTime"))


def _trouble(moved: Element) -> Scan:
    """A movement with a reason is one that did not go as planned; the others say no more than the status does."""
    reason = text(moved, "reasonName")
    code = text(moved, "reasonId") or text(moved, "eventId")
    words = f"{text(moved, 'eventName')}: {reason}"
    return Scan(REASONS.get(plain(reason), Tracked.UNKNOWN), code, words, _moved_at(moved), text(moved, "unitName"))


def _now(row: Element, last: Element | None) -> Scan:
    """Where it is. Money follows DELIVERED, so it is read from the status alone, and a return outweighs it."""
    letters = operation_status(row)
    given_back, rejected = text(row, "returnStatus"), text(row, "rejectStatus")
    status, code = STATUS.get(letters, Tracked.UNKNOWN), letters
    if given_back in RETURN_GIVEN_BACK or rejected in REJECT_GIVEN_BACK:
        status, code = Tracked.RETURNED, f"{letters} return {given_back} reject {rejected}".strip()
    elif status is Tracked.DELIVERED and (given_back.strip("0") or rejected.strip("0")):
        # Delivered, but with a word about a return that we do not know: somebody has to look.
        status, code = Tracked.UNKNOWN, f"{letters} return {given_back} reject {rejected}"
    at = istanbul_moment(text(row, "deliveryDate"), text(row, "deliveryTime")) if letters == "DLV" else None
    if at is None and last is not None:
        at = _moved_at(last)
    return Scan(status, code, text(row, "operationMessage"), at, text(last, "unitName"))
