"""The note against the tax office's own schema and rules, in a package that knows nothing of ours (efatura_kontrol)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from efatura_kontrol.kontrol import kontrol_et
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.despatch import rules, ubl
from portal.despatch.ports import DespatchDocument, DespatchLine, Party
from tests.despatch import BOLTS, COMPANY, PERSON, a_document

TOLERATED = {"imza-yok"}  # nobody has signed yet: Nilvera will
CBC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}"


def found_in(note: bytes) -> set[str]:
    """What the tax office would say, beside the missing seal."""
    report = kontrol_et(note)
    codes: set[str] = {finding.kod for finding in report.bulgular}
    assert report.tur == "irsaliye", codes
    return codes - TOLERATED


@pytest.mark.parametrize(
    "document",
    [
        a_document(),
        a_document(customer=PERSON, note="İki koli & bir palet"),
        a_document(carrier_tax_number="10000000146", carrier_title="Ali Kaya Nakliyat", lines=(BOLTS,)),
        a_document(customer=replace(COMPANY, tax_office="", address="", postal_code="81100")),
    ],
)
def test_the_tax_office_takes_it(document: DespatchDocument) -> None:
    assert rules.missing(document) == []
    report = kontrol_et(ubl.render(document))
    assert [(finding.kod, finding.seviye) for finding in report.bulgular] == [("imza-yok", "bilgi")]


def test_it_says_who_what_where_and_what_it_is_worth() -> None:
    document = a_document()
    root = ET.fromstring(ubl.render(document))
    said = {(element.tag.removeprefix(CBC), element.text) for element in root.iter() if element.tag.startswith(CBC)}
    assert said >= {
        ("UUID", str(document.uuid)), ("ID", "EMN2026000000001"), ("ID", "SHP-1"), ("ID", "S-2026-1"),
        ("ID", "6080712084"), ("Name", "Sürat Kargo A.Ş."), ("ValueAmount", "32.50"), ("PostalZone", "06420"),
        ("DeliveredQuantity", "4"), ("IssueTime", "10:30:00"), ("ActualDespatchTime", "17:00:00"),
    }  # fmt: skip


def test_the_clock_is_istanbuls() -> None:
    late = ubl.render(a_document(issued_at=datetime(2026, 1, 14, 22, 30, tzinfo=UTC)))
    assert b"<cbc:IssueDate>2026-01-15</cbc:IssueDate><cbc:IssueTime>01:30:00</cbc:IssueTime>" in late


# The check must be known to bite: each mistake is found by the tax office's rules, and by ours before anything is sent.
@pytest.mark.parametrize(
    ("changes", "theirs", "ours"),
    [
        ({"customer": replace(COMPANY, postal_code="82100")}, "sch-DespatchAddressCheck-4", "customer.postal_code"),
        ({"customer": replace(COMPANY, postal_code="6420")}, "sch-DespatchAddressCheck-4", "customer.postal_code"),
        ({"customer": replace(COMPANY, district="")}, "sch-DespatchAddressCheck-1", "customer.district"),
        ({"customer": replace(COMPANY, city=" ")}, "sch-DespatchAddressCheck-2", "customer.city"),
        (
            {"customer": replace(COMPANY, name="\x07")},
            "sch-PartyIdentificationPartyNamePersonCheck-4",
            "customer.name",
        ),
        (
            {"customer": replace(PERSON, name="Ayşe")},
            "sch-PartyIdentificationPartyNamePersonCheck-6",
            "customer.name",
        ),
        (
            {"supplier": replace(COMPANY, tax_number="787023358")},
            "sch-PartyIdentificationTCKNVKNCheck-1",
            "supplier.tax_number",
        ),
        ({"carrier_tax_number": ""}, "sch-DespatchCarrierDriverCheck-1", "carrier_tax_number"),
        ({"number": "EM2026000000001"}, "sch-InvoiceIDCheck-1", "number"),
        ({"number": ""}, "sch-InvoiceIDCheck-1", "number"),
        ({"lines": ()}, "xsd-element-content", "lines"),
        ({"lines": (replace(BOLTS, name="\x00"),)}, "sch-ItemNameCheck-1", "lines.1.name"),
    ],
)
def test_a_mistake_is_found_by_them_and_by_us(changes: dict[str, Any], theirs: str, ours: str) -> None:
    document = a_document(**changes)
    assert theirs in found_in(ubl.render(document))
    assert rules.missing(document) == [ours]


def test_a_unit_nobody_knows_is_found() -> None:
    note = ubl.render(a_document())
    assert "sch-GeneralUnitCodeCheck-1" in found_in(note.replace(b'unitCode="C62"', b'unitCode="ADET"'))


# What the tax office's rules would let through, and we do not.
@pytest.mark.parametrize(
    ("changes", "ours"),
    [
        ({"customer": replace(COMPANY, tax_number="7870233583")}, "customer.tax_number"),
        ({"customer": replace(PERSON, tax_number="11111111111")}, "customer.tax_number"),
        ({"carrier_tax_number": "6080712085"}, "carrier_tax_number"),
        ({"carrier_title": ""}, "carrier_title"),
        ({"lines": (replace(BOLTS, quantity=0),)}, "lines.1.quantity"),
        ({"lines": (BOLTS, BOLTS)}, "lines.1.line_no"),
        ({"shipment_key": ""}, "shipment_key"),
        ({"order_number": "\x1b"}, "order_number"),
        ({"series": "XYZ"}, "number"),
    ],
)
def test_we_are_stricter(changes: dict[str, Any], ours: str) -> None:
    assert rules.missing(a_document(**changes)) == [ours]


@pytest.mark.parametrize(
    "number",
    [
        "3130557669", "7870233582", "6080712084", "8590921777", "7320068060", "0720039666", "4830343157", "3900892152",
        "10000000146",
    ],
)  # fmt: skip
def test_published_tax_numbers_are_good_and_their_neighbours_are_not(number: str) -> None:
    assert rules.valid_tax_number(number)
    neighbours = {number[:-1] + str(last) for last in range(10)} - {number}
    assert not any(rules.valid_tax_number(wrong) for wrong in neighbours)


@pytest.mark.parametrize(
    "number", ["", "١٢٣٤٥٦٧٨٩٠", "313055766", "00000000000", "22222222222", "313055766x", "²" * 10]
)
def test_what_is_no_tax_number(number: str) -> None:
    assert not rules.valid_tax_number(number)


def test_numbers_have_sixteen_characters() -> None:
    assert rules.next_number("EMN", 2026, 1) == "EMN2026000000001"
    assert rules.next_number("A1B", 2031, 999_999_999) == "A1B2031999999999"
    for wrong in (("emn", 2026, 1), ("EMN", 1999, 1), ("EMN", 2026, 0), ("EMN", 2026, 10**9), ("ÇMN", 2026, 1)):
        with pytest.raises(AssertionError):
            rules.next_number(*wrong)


HOSTILE = "<>&'\"]]>\\\t\n\x00\x01\x0b\x0c\x1f\x7f\x85\u2028\ufffe\uffff\ud800\U0001f4e6"
TURKISH = "çğıöşüÇĞİÖŞÜâîû abcXYZ 0123-./,"
WORDS = st.text(alphabet=st.one_of(st.sampled_from(TURKISH), st.sampled_from(HOSTILE), st.characters()), max_size=60)
NAMES = WORDS.map(lambda words: f"A{words} Z")
PARTIES = st.builds(
    Party,
    tax_number=st.sampled_from(["3130557669", "10000000146"]),
    name=NAMES,
    tax_office=WORDS,
    address=WORDS,
    district=NAMES,
    city=NAMES,
    postal_code=st.from_regex(rules.POSTAL_CODE, fullmatch=True),
    phone=WORDS,
    email=WORDS,
)
LINES = st.lists(
    st.builds(DespatchLine, st.just(1), NAMES, WORDS, st.integers(1, 10**6), st.integers(min_value=0, max_value=10**9)),
    min_size=1,
    max_size=40,
).map(lambda lines: tuple(replace(line, line_no=no) for no, line in enumerate(lines, start=1)))


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(PARTIES, PARTIES, LINES, NAMES, WORDS)
def test_whatever_people_type_the_tax_office_takes_it(
    supplier: Party, customer: Party, lines: tuple[DespatchLine, ...], title: str, note: str
) -> None:
    document = a_document(
        supplier=supplier, customer=customer, lines=lines, carrier_title=title, note=note, order_number=title
    )
    assert rules.missing(document) == []
    assert found_in(ubl.render(document)) == set()


def test_characters_xml_cannot_hold_are_dropped_in_one_place() -> None:
    assert rules.printable("\x00Çi\x0bvi\ud800 \ufffe<&>\t8\n") == "Çi vi <&> 8"
    root = ET.fromstring(ubl.render(a_document(carrier_title="Kar\x07go\x1f\uffff <A&Ş>")))
    assert "Kargo <A&Ş>" in [element.text for element in root.iter(f"{CBC}Name")]
