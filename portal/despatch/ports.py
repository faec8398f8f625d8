"""The e-despatch office (Nilvera), in our words (facts: Nilvera e-İrsaliye, minimum UBL-TR)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from portal.core.ports import CallAnswer, Outcome


class OfficeState(StrEnum):
    """How far the office is with a document, after all their words are mapped."""

    DRAFT = "DRAFT"
    WAITING = "WAITING"  # confirmed, not yet at the tax office
    SENT = "SENT"
    SUCCEEDED = "SUCCEEDED"  # the tax office took it
    FAILED = "FAILED"
    MISSING = "MISSING"  # they know no such document


class Verdict(StrEnum):
    """The receiver's answer to a despatch note (e-İrsaliye yanıtı). Seven days of silence count as full acceptance."""

    FULL = "FULL"
    PARTIAL = "PARTIAL"
    REFUSED = "REFUSED"


@dataclass(frozen=True)
class Party:
    """Somebody named on the document. `tax_number` is a VKN (10 digits) or a TCKN (11)."""

    tax_number: str
    name: str
    tax_office: str
    address: str
    district: str
    city: str
    postal_code: str
    phone: str = ""
    email: str = ""


@dataclass(frozen=True)
class DespatchLine:
    """So many pieces of one thing in the parcel."""

    line_no: int
    name: str
    barcode: str
    quantity: int
    unit_price_kurus: int


@dataclass(frozen=True)
class DespatchDocument:
    """One e-despatch note. `uuid` is ours and the document's id (ETTN): a repeat cannot make a second one.

    `series` is three upper-case letters or digits; `number` the full 16 characters. Instants are Istanbul local.
    """

    uuid: uuid.UUID
    series: str
    number: str
    issued_at: datetime
    despatched_at: datetime
    supplier: Party
    customer: Party
    carrier_tax_number: str
    carrier_title: str
    shipment_key: str
    order_number: str
    order_on: date
    lines: tuple[DespatchLine, ...]
    note: str = ""


@dataclass(frozen=True)
class AnsweredLine:
    """What the receiver says of one line."""

    line_no: int
    accepted: int
    refused: int
    why: str = ""


@dataclass(frozen=True)
class ReceiverAnswer:
    """What the receiver answered."""

    verdict: Verdict
    lines: tuple[AnsweredLine, ...] = ()
    note: str = ""
    answered_at: datetime | None = None


@dataclass(frozen=True)
class DespatchFacts:
    """What the office knows of a document. Outcome not DONE: they were silent."""

    outcome: Outcome
    state: OfficeState = OfficeState.MISSING
    number: str = ""
    answer: ReceiverAnswer | None = None
    words: str = ""  # their own status words, kept for the operator
    why: str = ""


class DespatchOffice(Protocol):
    """Who takes e-despatch notes to the tax office. Every method answers or says UNKNOWN; none raises for silence."""

    name: str

    def create_draft(self, document: DespatchDocument) -> CallAnswer:
        """Lay a draft down. One with this uuid exists already: DONE. `reference` is the number, if they give one."""
        ...

    def confirm(self, document_uuid: uuid.UUID) -> CallAnswer:
        """Sign and send a draft. Sent already: DONE."""
        ...

    def withdraw(self, document_uuid: uuid.UUID) -> CallAnswer:
        """Take a draft away; not there any more: DONE. One that was sent is refused."""
        ...

    def facts(self, document_uuid: uuid.UUID) -> DespatchFacts:
        """State, number and the receiver's answer."""
        ...
