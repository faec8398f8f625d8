"""Pieces of a UBL document: elements in the order the schema wants them, parties, addresses, amounts."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

from portal.despatch.ports import Party
from portal.despatch.rules import is_person, printable

UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
NAMESPACES = {
    "desp": f"{UBL}DespatchAdvice-2",
    "cac": f"{UBL}CommonAggregateComponents-2",
    "cbc": f"{UBL}CommonBasicComponents-2",
    "ext": f"{UBL}CommonExtensionComponents-2",
    "own": "urn:emanet:despatch",  # the schema wants something foreign where the seal will be
}
for prefix, namespace in NAMESPACES.items():
    ET.register_namespace(prefix, namespace)

ISTANBUL = ZoneInfo("Europe/Istanbul")
COUNTRY_CODE, COUNTRY = "TR", "Türkiye"


def name(qualified: str) -> str:
    """`cbc:ID` as ElementTree spells it."""
    prefix, _, local = qualified.partition(":")
    return f"{{{NAMESPACES[prefix]}}}{local}"


def add(parent: ET.Element, qualified: str, text: str | None = None, **attributes: str) -> ET.Element:
    """A child at the end: the schema is a sequence, so the order of the calls is the order on the paper."""
    child = ET.SubElement(parent, name(qualified), attributes)
    child.text = None if text is None else printable(text)
    return child


def add_if_any(parent: ET.Element, qualified: str, text: str) -> None:
    """A child that is left out rather than sent empty."""
    if printable(text):
        add(parent, qualified, text)


def lira(kurus: int) -> str:
    """10.50, as the tax office writes it."""
    return str(Decimal(kurus).scaleb(-2))


def local(instant: datetime) -> datetime:
    """The tax office's clock hangs in Istanbul; what carries no zone is Istanbul time already."""
    return instant.astimezone(ISTANBUL) if instant.tzinfo else instant


def add_identity(party: ET.Element, tax_number: str) -> None:
    """Who it is, by tax number."""
    scheme = "TCKN" if is_person(tax_number) else "VKN"
    add(add(party, "cac:PartyIdentification"), "cbc:ID", tax_number, schemeID=scheme)


def add_address(parent: ET.Element, kind: str, party: Party) -> None:
    """Street, district, city, postal code."""
    address = add(parent, kind)
    add_if_any(address, "cbc:StreetName", party.address)
    _add_place(address, party.district, party.city, party.postal_code)


def add_unknown_address(parent: ET.Element) -> None:
    """The schema wants a seat for every party; we do not know the carrier's and invent none."""
    _add_place(add(parent, "cac:PostalAddress"), "", "", "")


def _add_place(address: ET.Element, district: str, city: str, postal_code: str) -> None:
    add(address, "cbc:CitySubdivisionName", district)
    add(address, "cbc:CityName", city)
    add_if_any(address, "cbc:PostalZone", postal_code)
    country = add(address, "cac:Country")
    add(country, "cbc:IdentificationCode", COUNTRY_CODE)
    add(country, "cbc:Name", COUNTRY)


def add_party(parent: ET.Element, role: str, who: Party) -> None:
    """A company by its title; a person by first and family name."""
    party = add(add(parent, role), "cac:Party")
    add_identity(party, who.tax_number)
    if not is_person(who.tax_number):
        add(add(party, "cac:PartyName"), "cbc:Name", who.name)
    add_address(party, "cac:PostalAddress", who)
    if printable(who.tax_office):
        add(add(add(party, "cac:PartyTaxScheme"), "cac:TaxScheme"), "cbc:Name", who.tax_office)
    if printable(who.phone + who.email):
        contact = add(party, "cac:Contact")
        add_if_any(contact, "cbc:Telephone", who.phone)
        add_if_any(contact, "cbc:ElectronicMail", who.email)
    if is_person(who.tax_number):
        first, _, family = printable(who.name).rpartition(" ")
        person = add(party, "cac:Person")
        add(person, "cbc:FirstName", first)
        add(person, "cbc:FamilyName", family)
