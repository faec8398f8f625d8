"""Nilvera's words and ours: the only file that spells their fields (facts: Nilvera e-İrsaliye, 21.11.2026).

Marked "unsure": read in other people's integrations (Odoo's above all), not in Nilvera's own documentation.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree as ET

from defusedxml.ElementTree import fromstring

from portal.core.clock import ISTANBUL
from portal.core.errors import UnknownWords
from portal.core.money import Money
from portal.despatch.ports import (
    AnsweredLine,
    DespatchDocument,
    DespatchLine,
    OfficeState,
    Party,
    ReceiverAnswer,
    Verdict,
)
from portal.despatch.rules import printable

CREATE_DRAFT, CONFIRM, SERIES = "/edespatch/Draft/Create", "/edespatch/Draft/ConfirmAndSend", "/edespatch/Series"
DRAFT, DRAFT_MODEL = "/edespatch/Draft/{}", "/edespatch/Draft/{}/model"  # known until it is confirmed
STATUS, DETAILS = "/edespatch/Sale/{}/Status", "/edespatch/Sale/{}/Details"  # known once it is confirmed
ANSWER = "/edespatch/Sale/Answer/{}/xml"  # the receiver's answer as its UBL document (unsure)
NO_SUCH_SERIES = "3009"
PIECE, PIECE_NAME = "C62", "Adet"
COUNTRY = "Türkiye"

# "unknown" is their own word for "we do not know yet": asked again like one that waits.
STATES = {
    "error": OfficeState.FAILED,
    "waiting": OfficeState.WAITING,
    "sent": OfficeState.SENT,
    "succeed": OfficeState.SUCCEEDED,
    "unknown": OfficeState.WAITING,
}
# The receiver's answer, in the Status body (unsure). None: nobody answered yet.
ANSWERS: dict[str, Verdict | None] = {
    "": None,
    "unknown": None,
    "waitingforapproval": None,
    "acceptall": Verdict.FULL,
    "rejectall": Verdict.REFUSED,
    "documentanswered": Verdict.PARTIAL,  # line by line: the answer's own document says how it ends
    "documentansweredautomatically": Verdict.FULL,  # seven days of silence
}
_UBL = "urn:oasis:names:specification:ubl:schema:xsd:Common{}Components-2"
_RECEIPT = {"cac": _UBL.format("Aggregate"), "cbc": _UBL.format("Basic")}


def despatch(document: DespatchDocument) -> dict[str, Any]:
    """The note as their model. No CustomerAlias: theirs to find by tax number (unsure)."""
    model = {
        "EDespatch": {
            "DespatchInfo": _info(document),
            "DespatchSupplierInfo": _party(document.supplier),
            "DeliveryCustomerInfo": _party(document.customer),
            "OrderReference": {"ID": document.order_number, "IssueDate": f"{document.order_on}T00:00:00"},
            # Their model has no field for the parcel's key: it travels as a note.
            "Notes": [note for note in (document.note, f"Gönderi: {document.shipment_key}") if note],
            "DespatchLines": [_line(line) for line in document.lines],
            "ShipmentDetail": {"ShipmentInfo": {}, "Delivery": _delivery(document)},
        }
    }
    printed: dict[str, Any] = _printed(model)
    return printed


def _printed(value: Any) -> Any:
    """They make XML of it, so the same characters are dropped as in ours."""
    match value:
        case str():
            return printable(value)
        case dict():
            return {key: _printed(inner) for key, inner in value.items()}
        case list():
            return [_printed(inner) for inner in value]
    return value


def _info(document: DespatchDocument) -> dict[str, Any]:
    value = Money(sum(line.quantity * line.unit_price_kurus for line in document.lines))
    return {
        "UUID": str(document.uuid),
        "DespatchType": "SEVK",
        "DespatchProfile": "TEMELIRSALIYE",
        "DespatchSerieOrNumber": document.number or document.series,
        "IssueDate": _local(document.issued_at),
        "ActualDespatchDateTime": _local(document.despatched_at),
        "CurrencyCode": "TRY",
        "PayableAmount": value.as_decimal(),
    }


def _party(party: Party) -> dict[str, str]:
    return {
        "TaxNumber": party.tax_number,
        "Name": party.name,
        "TaxOffice": party.tax_office,
        **_address(party),
        "Phone": party.phone,
        "Email": party.email,
    }


def _address(party: Party) -> dict[str, str]:
    return {
        "Address": party.address,
        "District": party.district,
        "City": party.city,
        "Country": COUNTRY,
        "PostalCode": party.postal_code,
    }


def _delivery(document: DespatchDocument) -> dict[str, Any]:
    """Where the parcel goes and who carries it."""
    carrier = {"TaxNumber": document.carrier_tax_number, "Name": document.carrier_title}
    return {
        "AddressInfo": _address(document.customer),
        **({"CarrierInfo": carrier} if document.carrier_tax_number else {}),
    }


def _line(line: DespatchLine) -> dict[str, Any]:
    price = Money(line.unit_price_kurus)
    return {
        "Name": line.name,
        "DeliveredQuantity": line.quantity,
        "DeliveredUnitType": PIECE,
        "DeliveredUnitName": PIECE_NAME,
        "SellerCode": line.barcode,
        "QuantityPrice": price.as_decimal(),
        "LineTotal": price.times(line.quantity).as_decimal(),
    }


def _local(instant: datetime) -> str:
    """Istanbul's clock, without a zone, as they and the tax office write it."""
    here = instant.astimezone(ISTANBUL) if instant.tzinfo else instant
    return f"{here:%Y-%m-%dT%H:%M:%S}"


def series(name: str) -> dict[str, Any]:
    """A new number series."""
    return {"Name": name, "IsActive": True, "IsDefault": False}


def chosen(document: uuid.UUID) -> list[dict[str, str]]:
    """The drafts to be confirmed: one."""
    return [{"UUID": str(document)}]


def words_of_refusal(body: Any) -> str:
    """Why they say no, whichever of their shapes it comes in."""
    if isinstance(body, str):
        return body[:500]
    told = [_told(row, "Description", "Message", "Detail") for row in _errors(body)]
    heading = _told(body, "Message", "message", "title", "Detail") if isinstance(body, dict) else ""
    return ("; ".join(filter(None, told)) or heading)[:500]


def code_of_refusal(body: Any) -> str:
    """Their number for the refusal; that of the missing series, if it is among several."""
    codes = [str(row["Code"]) for row in _errors(body) if row.get("Code") is not None]
    return NO_SUCH_SERIES if NO_SUCH_SERIES in codes else next(iter(codes), "")


def _errors(body: Any) -> list[dict[str, Any]]:
    rows = body.get("Errors") if isinstance(body, dict) else None
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _told(row: dict[str, Any], *fields: str) -> str:
    return " ".join(str(row[field]) for field in fields if row.get(field))


def number(body: dict[str, Any]) -> str:
    """The document's number, in a Details body and (unsure) in the answer to a new draft."""
    return str(body.get("DespatchNumber") or "")


def state(body: dict[str, Any]) -> tuple[OfficeState, str, str]:
    """State, their words for it, and why it failed if it did."""
    status = body["DespatchStatus"]
    code = str(status["Code"])
    if code.lower() not in STATES:
        raise UnknownWords("nilvera", {"DespatchStatus": status})
    found = STATES[code.lower()]
    return found, code, _told(status, "Description", "DetailDescription") if found is OfficeState.FAILED else ""


def verdict(body: dict[str, Any]) -> tuple[Verdict | None, str]:
    """What the receiver said on the whole, with a note; None while he says nothing (unsure)."""
    answer = body.get("Answer") or {}
    code = str(answer.get("AnswerCode") or "")
    if code.lower() not in ANSWERS:
        raise UnknownWords("nilvera", {"Answer": answer})
    return ANSWERS[code.lower()], str(answer.get("AnswerNote") or "")


def receiver_answer(content: str, said: Verdict, note: str) -> ReceiverAnswer:
    """The receiver's own document (UBL ReceiptAdvice). Lines that were answered decide over the word for the whole."""
    root: ET.Element = fromstring(content)
    lines = tuple(_answered_line(row) for row in root.iterfind("cac:ReceiptLine", _RECEIPT))
    notes = [text for row in root.iterfind("cbc:Note", _RECEIPT) if (text := (row.text or "").strip())]
    answered_at = f"{_text(root, 'cbc:IssueDate')}T{_text(root, 'cbc:IssueTime') or '00:00:00'}"
    return ReceiverAnswer(
        verdict=_verdict_of(lines) if said is Verdict.PARTIAL else said,
        lines=lines,
        note="; ".join(notes) or note,
        answered_at=datetime.fromisoformat(answered_at).replace(tzinfo=ISTANBUL),
    )


def _answered_line(row: ET.Element) -> AnsweredLine:
    """Short goods were not accepted either. (Unsure: ReceivedQuantity read as what was kept, without the rejected.)"""
    short, rejected = _pieces(row, "cbc:ShortQuantity"), _pieces(row, "cbc:RejectedQuantity")
    line_no = _text(row, "cac:DespatchLineReference/cbc:LineID") or _text(row, "cbc:ID")
    why = _text(row, "cbc:RejectReason") or ("eksik" if short else "")
    return AnsweredLine(int(line_no), _pieces(row, "cbc:ReceivedQuantity"), rejected + short, why)


def _verdict_of(lines: tuple[AnsweredLine, ...]) -> Verdict:
    if not any(line.refused for line in lines):
        return Verdict.FULL
    return Verdict.PARTIAL if any(line.accepted for line in lines) else Verdict.REFUSED


def _pieces(row: ET.Element, path: str) -> int:
    """Whole pieces: what we sent cannot be cut."""
    quantity = Decimal(_text(row, path) or 0)
    if quantity != quantity.to_integral_value() or quantity < 0:
        raise ValueError(f"{path} is {quantity}")
    return int(quantity)


def _text(row: ET.Element, path: str) -> str:
    return (row.findtext(path, "", _RECEIPT) or "").strip()
