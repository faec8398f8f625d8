"""A parcel leaves with its e-despatch note (e-irsaliye)."""

from __future__ import annotations

import uuid

from flask import current_app
from flask_babel import lazy_gettext as _l
from loguru import logger

from portal.accounts import queries as accounts_queries
from portal.accounts.models import Organisation
from portal.core import clock
from portal.core.actor import Actor
from portal.core.errors import BadInput, UnknownWords
from portal.core.ports import Outcome, port
from portal.core.state_machine import WrongMoment
from portal.core.unit_of_work import atomic
from portal.despatch import queries as despatch_queries
from portal.despatch import rules
from portal.despatch import services as notes
from portal.despatch.models import DespatchNote
from portal.despatch.ports import DespatchDocument, DespatchFacts, DespatchLine, DespatchOffice, Party
from portal.despatch.states import Note
from portal.orders import queries as orders_queries
from portal.orders.models import Order
from portal.outbox import queries as outbox_queries
from portal.outbox import services as outbox
from portal.shipping import queries as shipping_queries
from portal.shipping import services as shipping
from portal.shipping.models import Shipment
from portal.workflows import consignments


def issue(shipment: Shipment, order: Order, *, by: Actor) -> None:
    """Write the parcel's note and ask the office to take it; once per parcel, under an id of ours.

    Where the tax office would send it back, nothing is sent and somebody has to look.
    """
    if shipment.direction != "OUT" or shipment.delivery_note_uuid is not None:
        return
    year = clock.today().year
    number = notes.next_in_series(order.seller_organisation_id, year=year)
    document = _document(shipment, order, number, uuid.uuid4())
    lacking = rules.missing(document)
    if lacking:
        shipping.look_at(shipment, f"e-irsaliye: {', '.join(lacking)}")
    note = notes.write(document, shipment_id=shipment.id, seller_organisation_id=order.seller_organisation_id, by=by)
    shipment.delivery_note_uuid = document.uuid
    if not lacking:
        _lay_down(note, by=by)


def _lay_down(note: DespatchNote, *, by: Actor, suffix: str = "") -> None:
    outbox.intend(
        "draft_despatch",
        provider=str(current_app.config["DESPATCH_PROVIDER"]),
        key=f"despatch:{note.uuid}{suffix}",
        subject=("despatch note", note.id),
        request={"uuid": str(note.uuid), "shipment_id": note.shipment_id, "suffix": suffix},
        by=by,
    )


def _document(shipment: Shipment, order: Order, number: str, document_uuid: uuid.UUID) -> DespatchDocument:
    lines = {line.id: line for line in orders_queries.lines_of(order.id)}
    seller = accounts_queries.organisation(order.seller_organisation_id)
    carrier = consignments.carrier(shipment.carrier_code)
    own_van = shipment.carrier_code == consignments.MANUAL
    now = clock.now().astimezone(clock.ISTANBUL).replace(microsecond=0)
    return DespatchDocument(
        uuid=document_uuid,
        series=notes.SERIES,
        number=number,
        issued_at=now,
        despatched_at=now,
        supplier=_party(seller),
        customer=_party(accounts_queries.organisation(order.buyer_organisation_id)),
        # Without a carrier the law wants driver and plate, or the seller named as his own carrier.
        carrier_tax_number=seller.tax_number if own_van else carrier.tax_number,
        carrier_title=seller.legal_title if own_van else carrier.legal_title,
        shipment_key=shipment.key,
        order_number=order.number,
        order_on=clock.day_of(order.placed_at),
        lines=tuple(
            DespatchLine(
                line_no=number_,
                name=lines[item["line_id"]].name,
                barcode=lines[item["line_id"]].barcode,
                quantity=item["quantity"],
                unit_price_kurus=lines[item["line_id"]].unit_price_kurus,
            )
            for number_, item in enumerate(shipment.items, start=1)
        ),
        note=f"{order.number} / {shipment.sequence}",
    )


def _party(organisation: Organisation) -> Party:
    return Party(
        tax_number=organisation.tax_number,
        name=organisation.legal_title,
        tax_office=organisation.tax_office,
        address=organisation.address,
        district=organisation.district,
        city=organisation.city,
        postal_code=organisation.postal_code,
        phone=organisation.phone,
        email=organisation.email,
    )


def ask_next() -> bool:
    """Ask the office about the next note that is due; False when none is."""
    with atomic():
        note = notes.claim_to_ask()
    if note is None:
        return False
    facts = facts_of(note.uuid)
    with atomic():
        mine = despatch_queries.note_for_update(note.id)
        if mine.asked == note.asked:
            if facts.outcome is Outcome.DONE:
                _learn(mine, facts)
            notes.asked(mine)
    return True


def _learn(note: DespatchNote, facts: DespatchFacts) -> None:
    known = note.state
    notes.learn(note, facts)
    if note.state == Note.FAILED and known != Note.FAILED:
        shipping.look_at(shipping_queries.parcel_for_update(note.shipment_id), f"e-irsaliye: {note.office_words}")


def issue_again(shipment: Shipment, order: Order, *, by: Actor) -> None:
    """What was lacking or wrong has been mended: the same note, under the same id and number, is written anew."""
    note = despatch_queries.note_with_text(shipment.id)
    if note.state not in (Note.WRITTEN, Note.FAILED):
        raise WrongMoment(_l("The office has this note already."), state=note.state)
    document = _document(shipment, order, note.number, note.uuid)
    lacking = rules.missing(document)
    if lacking:
        raise BadInput(_l("Still missing: %(what)s", what=", ".join(lacking)))
    notes.rewrite(note, document)
    shipping.seen(shipment)
    tries = len(outbox_queries.intents_about("despatch note", [str(note.id)]))
    _lay_down(note, by=by, suffix=f":{tries}")


def facts_of(document_uuid: uuid.UUID) -> DespatchFacts:
    """What the office says; words nobody can read count as silence."""
    try:
        return port(DespatchOffice).facts(document_uuid)
    except UnknownWords as words:
        logger.error("despatch note {}: {}", document_uuid, words)
        return DespatchFacts(Outcome.UNKNOWN, why=str(words)[:300])
