"""The sheet on a parcel: who it is for in letters a driver reads at arm's length, and its key for every scanner.

Pure: a label in, a PDF (any printer) or ZPL (a thermal one) out. One drawing serves both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from portal.shipping import label_pdf, label_zpl
from portal.shipping.label_pdf import LEADING, POINT, Bars, Box, Mark, Space, Square, Text, Watermark

KEY = re.compile(r"[A-Z0-9-]{1,20}", re.ASCII)
TURKISH_PHONE = re.compile(r"\+90([0-9]{3})([0-9]{3})([0-9]{2})([0-9]{2})", re.ASCII)
LEFT, INNER = 4.0, 92.0
CONTENT = Space(27, 131.6, 69, 15.4)
CONTENT_SIZE = 9


@dataclass(frozen=True)
class Label:
    """What is printed for one parcel. A copy says so: two sheets with one key must not look like two parcels."""

    key: str
    carrier: str
    order_number: str
    parcel: str  # "2/3", or "2" while nobody knows how many there will be
    sender_name: str
    sender_city: str
    receiver_name: str
    receiver_address: str
    receiver_district: str
    receiver_city: str
    receiver_postal_code: str
    receiver_phone: str
    content_lines: tuple[tuple[str, int], ...]  # name, pieces
    copy: bool = False
    direction: str = "OUT"  # or "RETURN"

    def __post_init__(self) -> None:
        assert fits(self.key), f"{self.key!r} does not fit on a label"
        assert self.direction in ("OUT", "RETURN")


def fits(key: str) -> bool:
    """Whether a key can stand on a label as a barcode."""
    return KEY.fullmatch(key) is not None and bool(label_pdf.bar_dots(key))


def pdf(labels: Sequence[Label]) -> bytes:
    """One page of 100 mm × 150 mm for each label."""
    assert labels
    return label_pdf.written([(label.key, list(_marks(label))) for label in labels])


def zpl(label: Label) -> str:
    """The label for a 203 dpi thermal printer. Send it as UTF-8."""
    return label_zpl.written(list(_marks(label)))


def _marks(label: Label) -> Iterator[Mark]:
    if label.copy:
        yield Watermark("KOPYA", 50, 61)
    yield from _head(label)
    yield from _sender(label)
    yield from _receiver(label)
    yield Box(Space(LEFT, 92, INNER, 0.6), 0.6)
    yield Bars(label.key, 95, 22)
    yield Box(Space(LEFT, 125.5, INNER, 0.6), 0.6)
    yield Square(label.key, 1, 126, 22)
    yield from _order(label)


def _head(label: Label) -> Iterator[Mark]:
    """Who carries it, and which parcel of the order it is."""
    yield from _text(label.carrier, Space(LEFT, 4, 62, 13), 28, bold=True, middle=True)
    yield Box(Space(70, 4, 26, 13), 0.5)
    yield from _text("KOLİ", Space(71.5, 4.6, 10, 3.5), 7)
    yield from _text(label.parcel, Space(71, 7, 24, 9.5), 22, bold=True, middle=True, centred=True)
    yield Box(Space(LEFT, 18.5, INNER, 0.6), 0.6)


def _sender(label: Label) -> Iterator[Mark]:
    """Where it comes from, small; and what is unusual about this sheet, loud."""
    badges = ["İADE"] * (label.direction == "RETURN") + ["KOPYA"] * label.copy
    room = INNER - 27 * len(badges)
    yield from _text("GÖNDEREN", Space(LEFT, 19.8, 30, 3.2), 7)
    yield from _text(label.sender_name, Space(LEFT, 22.6, room, 4.6), 10, bold=True)
    yield from _text(label.sender_city, Space(LEFT, 26.8, room, 4.2), 9)
    for place, words in enumerate(badges):
        left = LEFT + room + 27 * place + 1
        yield Box(Space(left, 20.6, 26, 9.4), 9.4)
        yield from _text(words, Space(left + 1.5, 20.6, 23, 9.4), 18, bold=True, white=True, middle=True, centred=True)
    yield Box(Space(LEFT, 31.5, INNER, 0.3), 0.3)


def _receiver(label: Label) -> Iterator[Mark]:
    """The part the driver looks for: the town as large as the name."""
    town = " / ".join(filter(None, (label.receiver_district.strip(), label.receiver_city.strip())))
    yield from _text("ALICI", Space(LEFT, 33, 30, 3.2), 7)
    name = list(_text(label.receiver_name, Space(LEFT, 36, INNER, 17), 22, bold=True))
    below = max((line.y for line in name), default=36) + 2.5  # a short name leaves room for a long address
    yield from name
    yield from _text(label.receiver_address, Space(LEFT, below, INNER, 72 - below), 15)
    yield from _text(town, Space(LEFT, 73, 65, 9), 20, bold=True, middle=True)
    if label.receiver_postal_code.strip():
        yield Box(Space(71, 73, 25, 9), 0.5)
        yield from _text(label.receiver_postal_code, Space(72.5, 73, 22, 9), 18, bold=True, middle=True, centred=True)
    if label.receiver_phone.strip():
        yield from _text(f"Tel {_spaced(label.receiver_phone)}", Space(LEFT, 84, INNER, 6.5), 13)


def _order(label: Label) -> Iterator[Mark]:
    """For the packer: which order, and what is inside as far as it fits."""
    yield from _text("SİPARİŞ", Space(CONTENT.x, 127.7, 14, 3.5), 7)
    yield from _text(label.order_number, Space(CONTENT.x + 14, 126.8, 55, 5), 11, bold=True)
    rows = int(CONTENT.height / (CONTENT_SIZE * LEADING * POINT))
    shown = label.content_lines if len(label.content_lines) <= rows else label.content_lines[: rows - 1]
    lines = [f"{pieces} × {name}" for name, pieces in shown]
    more = len(label.content_lines) - len(shown)
    for row, words in enumerate([*lines, *([f"+ {more}"] if more else [])]):
        fitting = label_pdf.cut(label_pdf.printable(words), CONTENT.width, CONTENT_SIZE, bold=False)
        yield Text(CONTENT.x, CONTENT.y + (row + 0.8) * CONTENT_SIZE * LEADING * POINT, fitting, CONTENT_SIZE)


def _text(
    words: str,
    space: Space,
    largest: int,
    *,
    bold: bool = False,
    white: bool = False,
    middle: bool = False,
    centred: bool = False,
) -> Iterator[Text]:
    """Words in their place, as large as they can be."""
    size, lines = label_pdf.fit(words, space, largest, bold=bold)
    leading = size * LEADING * POINT
    free = space.height - leading * (len(lines) - 1) - 0.73 * size * POINT  # capitals are 0.73 of the size high
    first = space.y + 0.73 * size * POINT + (free / 2 if middle else 0.2 * size * POINT)
    for row, line in enumerate(lines):
        beside = (space.width - label_pdf.width_of(line, size, bold=bold)) / 2 if centred else 0
        yield Text(space.x + beside, first + row * leading, line, size, bold, white)


def _spaced(phone: str) -> str:
    """+905321234567 as a person would read it out; anything else as it is."""
    return TURKISH_PHONE.sub(r"+90 \1 \2 \3 \4", phone)
