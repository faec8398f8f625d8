"""What the tax office insists on before a despatch note may leave, and how notes are numbered. Pure."""

from __future__ import annotations

import re
from itertools import pairwise

from portal.despatch.ports import DespatchDocument, DespatchLine, Party

POSTAL_CODE = re.compile(r"(0[1-9]|[1-7][0-9]|8[01])[0-9]{3}", re.ASCII)  # the first two are the province, 01 to 81
SERIES = re.compile(r"[A-Z0-9]{3}", re.ASCII)
NUMBER = re.compile(r"[A-Z0-9]{3}20[0-9]{11}", re.ASCII)
# What XML 1.0 cannot hold at all, and control characters nobody typed on purpose.
UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def printable(text: str) -> str:
    """Text as it may stand on the document: one line, without what XML cannot carry. The only place that drops."""
    return " ".join(UNPRINTABLE.sub("", " ".join(text.split())).split())


def next_number(series: str, year: int, serial: int) -> str:
    """The number on the paper: series, year and a serial without gaps, 16 characters together."""
    assert SERIES.fullmatch(series) and 2000 <= year <= 2099 and 0 < serial < 10**9
    return f"{series}{year}{serial:09d}"


def missing(document: DespatchDocument) -> list[str]:
    """The fields the tax office would send the note back for; empty when it may go."""
    lines = [name for line in document.lines for name in _missing_of_line(line)]
    return [
        *_missing_of_document(document),
        *_missing_of_party("supplier", document.supplier),
        *_missing_of_party("customer", document.customer),
        *([] if POSTAL_CODE.fullmatch(document.customer.postal_code) else ["customer.postal_code"]),
        *([] if valid_tax_number(document.carrier_tax_number) else ["carrier_tax_number"]),
        *([] if printable(document.carrier_title) else ["carrier_title"]),
        *(lines if document.lines else ["lines"]),
        *_repeated_lines(document.lines),
    ]


def _missing_of_document(document: DespatchDocument) -> list[str]:
    fits = NUMBER.fullmatch(document.number) and document.number.startswith(document.series)
    return [
        *([] if SERIES.fullmatch(document.series) else ["series"]),
        *([] if fits else ["number"]),
        *([] if printable(document.shipment_key) else ["shipment_key"]),
        *([] if printable(document.order_number) else ["order_number"]),
    ]


def _missing_of_party(role: str, party: Party) -> list[str]:
    """A person (TCKN) needs a first and a family name; a company only its title."""
    words = len(printable(party.name).split())
    present = {
        "tax_number": valid_tax_number(party.tax_number),
        "name": words >= (2 if is_person(party.tax_number) else 1),
        "district": bool(printable(party.district)),
        "city": bool(printable(party.city)),
    }
    return [f"{role}.{field}" for field, there in present.items() if not there]


def _missing_of_line(line: DespatchLine) -> list[str]:
    present = {
        "line_no": line.line_no > 0,
        "name": bool(printable(line.name)),
        "quantity": line.quantity > 0,
        "unit_price_kurus": line.unit_price_kurus >= 0,
    }
    return [f"lines.{line.line_no}.{field}" for field, there in present.items() if not there]


def _repeated_lines(lines: tuple[DespatchLine, ...]) -> list[str]:
    """The receiver answers by line number, so a number may stand for one line only."""
    numbers = sorted(line.line_no for line in lines)
    return [f"lines.{number}.line_no" for number, after in pairwise(numbers) if number == after]


def is_person(tax_number: str) -> bool:
    """Eleven digits are a person's (TCKN), ten a company's (VKN)."""
    return len(tax_number) == 11


def valid_tax_number(tax_number: str) -> bool:
    """Whether the check digits fit. The usual placeholders (eleven ones) do not: a note needs somebody real."""
    if not (tax_number.isascii() and tax_number.isdigit()):
        return False
    digits = [int(digit) for digit in tax_number]
    match len(digits):
        case 10:
            return _company_check_digit(digits) == digits[9]
        case 11:
            return digits[0] != 0 and _person_check_digits(digits) == digits[9:]
    return False


def _company_check_digit(digits: list[int]) -> int:
    total = 0
    for i, digit in enumerate(digits[:9]):
        moved = (digit + 9 - i) % 10
        weighted = moved * 2 ** (9 - i) % 9
        total += 9 if moved and not weighted else weighted
    return (10 - total % 10) % 10


def _person_check_digits(digits: list[int]) -> list[int]:
    tenth = (sum(digits[0:9:2]) * 7 - sum(digits[1:8:2])) % 10
    return [tenth, (sum(digits[:9]) + tenth) % 10]
