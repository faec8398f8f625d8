"""The e-despatch note as the tax office reads it: UBL-TR 2.1 DespatchAdvice (TR1.2.1). Nilvera signs it."""

from __future__ import annotations

from datetime import datetime
from xml.etree import ElementTree as ET

from portal.despatch.ports import DespatchDocument, DespatchLine
from portal.despatch.rules import printable
from portal.despatch.ubl_parts import (
    add,
    add_address,
    add_identity,
    add_if_any,
    add_party,
    add_unknown_address,
    lira,
    local,
    name,
)

CUSTOMIZATION, PROFILE, TYPE = "TR1.2.1", "TEMELIRSALIYE", "SEVK"
PIECE = "C62"  # UN/ECE: one, a piece


def render(document: DespatchDocument) -> bytes:
    """The note as XML. What is wrong with it is said by `rules.missing`; here it is only written down."""
    root = ET.Element(name("desp:DespatchAdvice"))
    _add_heading(root, document)
    _add_order(root, document)
    _add_signature(root, document)
    add_party(root, "cac:DespatchSupplierParty", document.supplier)
    add_party(root, "cac:DeliveryCustomerParty", document.customer)
    _add_shipment(root, document)
    for line in document.lines:
        _add_line(root, line)
    written: bytes = ET.tostring(root, encoding="UTF-8", xml_declaration=True)
    return written


def value_kurus(document: DespatchDocument) -> int:
    """What the goods in the parcel are worth."""
    return sum(line.quantity * line.unit_price_kurus for line in document.lines)


def _add_heading(root: ET.Element, document: DespatchDocument) -> None:
    # The seal goes in here. The schema refuses a document without the place for it, and refuses it empty.
    place = add(add(add(root, "ext:UBLExtensions"), "ext:UBLExtension"), "ext:ExtensionContent")
    add(place, "own:SealGoesHere")
    issued = local(document.issued_at)
    add(root, "cbc:UBLVersionID", "2.1")
    add(root, "cbc:CustomizationID", CUSTOMIZATION)
    add(root, "cbc:ProfileID", PROFILE)
    add(root, "cbc:ID", document.number)
    add(root, "cbc:CopyIndicator", "false")
    add(root, "cbc:UUID", str(document.uuid))
    _add_moment(root, "cbc:IssueDate", "cbc:IssueTime", issued)
    add(root, "cbc:DespatchAdviceTypeCode", TYPE)
    add_if_any(root, "cbc:Note", document.note)
    add(root, "cbc:LineCountNumeric", str(len(document.lines)))


def _add_moment(parent: ET.Element, day: str, time: str, instant: datetime) -> None:
    add(parent, day, f"{instant:%Y-%m-%d}")
    add(parent, time, f"{instant:%H:%M:%S}")


def _add_order(root: ET.Element, document: DespatchDocument) -> None:
    order = add(root, "cac:OrderReference")
    add(order, "cbc:ID", document.order_number)
    add(order, "cbc:IssueDate", document.order_on.isoformat())


def _add_signature(root: ET.Element, document: DespatchDocument) -> None:
    """Who will have signed. The schema wants it said before there is a signature."""
    signature = add(root, "cac:Signature")
    add(signature, "cbc:ID", document.supplier.tax_number, schemeID="VKN_TCKN")
    signatory = add(signature, "cac:SignatoryParty")
    add_identity(signatory, document.supplier.tax_number)
    add_address(signatory, "cac:PostalAddress", document.supplier)
    attachment = add(add(signature, "cac:DigitalSignatureAttachment"), "cac:ExternalReference")
    add(attachment, "cbc:URI", f"#Signature_{document.number}")


def _add_shipment(root: ET.Element, document: DespatchDocument) -> None:
    """The parcel, under our own key: what it is worth, where it goes, who carries it, when it left."""
    shipment = add(root, "cac:Shipment")
    add(shipment, "cbc:ID", document.shipment_key)
    add(add(shipment, "cac:GoodsItem"), "cbc:ValueAmount", lira(value_kurus(document)), currencyID="TRY")
    delivery = add(shipment, "cac:Delivery")
    add_address(delivery, "cac:DeliveryAddress", document.customer)
    if document.carrier_tax_number:
        _add_carrier(delivery, document)
    despatch = add(delivery, "cac:Despatch")
    _add_moment(despatch, "cbc:ActualDespatchDate", "cbc:ActualDespatchTime", local(document.despatched_at))


def _add_carrier(delivery: ET.Element, document: DespatchDocument) -> None:
    """Handed to a cargo company: its tax number and title stand for driver and plate."""
    carrier = add(delivery, "cac:CarrierParty")
    add_identity(carrier, document.carrier_tax_number)
    add(add(carrier, "cac:PartyName"), "cbc:Name", document.carrier_title)
    add_unknown_address(carrier)


def _add_line(root: ET.Element, line: DespatchLine) -> None:
    row = add(root, "cac:DespatchLine")
    add(row, "cbc:ID", str(line.line_no))
    add(row, "cbc:DeliveredQuantity", str(line.quantity), unitCode=PIECE)
    add(add(row, "cac:OrderLineReference"), "cbc:LineID", str(line.line_no))
    item = add(row, "cac:Item")
    add(item, "cbc:Name", line.name)
    if printable(line.barcode):
        add(add(item, "cac:SellersItemIdentification"), "cbc:ID", line.barcode)
