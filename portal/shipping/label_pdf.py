"""What can stand on a label (in millimetres from the top left corner), how text is made to fit, and the PDF of it.

The letters are Bitstream Vera, which comes with reportlab and has all Turkish ones; nothing is taken from the system.
Modules are whole dots of a 203 dpi printer, so that a thermal head prints every bar as wide as it is meant.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from reportlab.graphics.barcode.code128 import Code128
from reportlab.graphics.barcode.qr import QrCode
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

WIDTH, HEIGHT = 100.0, 150.0
POINT = 25.4 / 72
DOT = 25.4 / 203
PAGE_DOTS = int(WIDTH / DOT)
PLAIN, BOLD = "Vera", "VeraBd"
LEADING = 1.2
SMALLEST = 7
LONGEST = 400  # letters of one field anybody could still read
QUIET = 10  # white modules Code 128 wants on either side
SAID_AS = {"₺": "TL", "Ə": "E", "ə": "e"}  # letters our customers use and the font lacks

for _font in (PLAIN, BOLD):
    pdfmetrics.registerFont(TTFont(_font, f"{_font}.ttf"))
SHOWN = frozenset(map(chr, pdfmetrics.getFont(PLAIN).face.charToGlyph))  # VeraBd has the same


@dataclass(frozen=True)
class Space:
    """A place kept for something."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Text:
    """One line of words; y is the line they stand on, size is in points."""

    x: float
    y: float
    words: str
    size: float
    bold: bool = False
    white: bool = False


@dataclass(frozen=True)
class Box:
    """A frame, drawn inwards; when the line is as thick as the box, a black one."""

    space: Space
    line: float


@dataclass(frozen=True)
class Bars:
    """The key as Code 128 in the middle of the page, readable below."""

    key: str
    y: float
    height: float


@dataclass(frozen=True)
class Square:
    """The key as a QR code, its white border included in the side."""

    key: str
    x: float
    y: float
    side: float


@dataclass(frozen=True)
class Watermark:
    """A word across the page, beneath everything and clear of the codes."""

    words: str
    x: float
    y: float


Mark = Text | Box | Bars | Square | Watermark


def printable(words: str) -> str:
    """Words as they can be printed: one line, no control characters, a question mark for what no font of ours has."""
    composed = unicodedata.normalize("NFC", " ".join(words[: 4 * LONGEST].split()))
    return " ".join("".join(map(_drawable, composed)).split())[:LONGEST]


def _drawable(letter: str) -> str:
    """The letter, or its nearest. Accents without a letter and invisible marks (text direction) simply go."""
    kind = unicodedata.category(letter)[0]
    if letter in SHOWN and kind != "C":
        return letter
    nearest = "".join(part for part in unicodedata.normalize("NFKD", letter) if part in SHOWN)
    return SAID_AS.get(letter) or nearest or ("" if kind in "CM" else "?")


def width_of(words: str, size: float, *, bold: bool) -> float:
    """How far a line reaches."""
    return float(pdfmetrics.stringWidth(words, BOLD if bold else PLAIN, size)) * POINT


def fit(words: str, space: Space, largest: int, *, bold: bool) -> tuple[int, list[str]]:
    """The largest size at which the words fit, and their lines. A word is torn, and the end cut, only if all else fails."""
    words = printable(words)
    longest = max((width_of(word, 1, bold=bold) for word in words.split()), default=0)
    for tear in (False, True):
        for size in range(largest, SMALLEST - 1, -1):
            lines = list(_wrapped(words, space.width, size, bold=bold))
            if len(lines) <= _rows(space, size) and (tear or longest * size <= space.width):
                return size, lines
    rows = _rows(space, SMALLEST)
    return SMALLEST, [*lines[: rows - 1], cut(" ".join(lines[rows - 1 :]), space.width, SMALLEST, bold=bold)]


def cut(words: str, width: float, size: float, *, bold: bool) -> str:
    """As much of one line as fits, with dots for the rest."""
    if width_of(words, size, bold=bold) <= width:
        return words
    kept = words
    while kept and width_of(kept + "…", size, bold=bold) > width:
        kept = kept[:-1].rstrip()
    return kept + "…"


def _rows(space: Space, size: float) -> int:
    return max(1, int(space.height / (size * LEADING * POINT)))


def _wrapped(words: str, width: float, size: float, *, bold: bool) -> Iterator[str]:
    line = ""
    for word in words.split():
        for piece in _torn(word, width, size, bold=bold):
            longer = f"{line} {piece}".strip()
            if width_of(longer, size, bold=bold) <= width:
                line = longer
            else:
                yield line
                line = piece
    if line:
        yield line


def _torn(word: str, width: float, size: float, *, bold: bool) -> Iterator[str]:
    """A word too long for a line, line by line; every other word as it is."""
    piece = ""
    for letter in word:
        if piece and width_of(piece + letter, size, bold=bold) > width:
            yield piece
            piece = ""
        piece += letter
    yield piece


def modules(key: str) -> int:
    """How wide the Code 128 of a key is, without its quiet zones."""
    return int(Code128(key, barWidth=1, quiet=0).width)


def bar_dots(key: str) -> int:
    """Dots per module: four (0.50 mm) where the page is wide enough, else three (0.375 mm); 0 when too long for both."""
    return next((dots for dots in (4, 3) if (modules(key) + 2 * QUIET) * dots <= PAGE_DOTS), 0)


def square_dots(mark: Square) -> int:
    """Dots per module of the QR code, so that it fits its place with a white border of four modules."""
    return int(mark.side / DOT / (_square(mark.key).qr.getModuleCount() + 8))


def _square(key: str) -> Any:
    code = QrCode(key, qrLevel="M", qrBorder=4)
    code.qr.make()
    return code


def written(pages: Sequence[tuple[str, Sequence[Mark]]]) -> bytes:
    """The pages (a name and its marks) as a PDF: the same pages give the same bytes, whenever they are printed."""
    out = BytesIO()
    canvas = Canvas(out, pagesize=(WIDTH / POINT, HEIGHT / POINT), invariant=1, pageCompression=1)
    canvas.setTitle(" ".join(name for name, _marks in pages))
    canvas.setAuthor("Emanet")
    canvas.setViewerPreference("PrintScaling", "None")  # "fit to page" would make the modules narrower
    for _name, marks in pages:
        for mark in marks:
            _draw(canvas, mark)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def _draw(canvas: Any, mark: Mark) -> None:
    canvas.setFillGray(0)
    match mark:
        case Text(x, y, words, size, bold, white):
            canvas.setFillGray(1 if white else 0)
            canvas.setFont(BOLD if bold else PLAIN, size)
            canvas.drawString(x / POINT, (HEIGHT - y) / POINT, words)
        case Box(space, line):
            _draw_box(canvas, space, line)
        case Bars(key, y, height):
            _draw_bars(canvas, key, y, height)
        case Square(key, x, y, _side):
            code = _square(key)
            code.width = code.height = square_dots(mark) * (code.qr.getModuleCount() + 8) * DOT / POINT
            code.drawOn(canvas, x / POINT, (HEIGHT - y) / POINT - code.height)
        case Watermark(words, x, y):
            _draw_watermark(canvas, words, x, y)


def _draw_box(canvas: Any, space: Space, line: float) -> None:
    solid = line >= min(space.width, space.height)
    inset = 0 if solid else line / 2
    canvas.setLineWidth(line / POINT)
    left, bottom = (space.x + inset) / POINT, (HEIGHT - space.y - space.height + inset) / POINT
    size = ((space.width - 2 * inset) / POINT, (space.height - 2 * inset) / POINT)
    canvas.rect(left, bottom, *size, stroke=0 if solid else 1, fill=1 if solid else 0)


def _draw_bars(canvas: Any, key: str, y: float, height: float) -> None:
    code = Code128(key, barWidth=bar_dots(key) * DOT / POINT, barHeight=height / POINT, quiet=0)
    middle = WIDTH / POINT / 2
    code.drawOn(canvas, middle - code.width / 2, (HEIGHT - y - height) / POINT)
    canvas.setFont(BOLD, 15)
    canvas.drawCentredString(middle, (HEIGHT - y - height - 5.6) / POINT, key, charSpace=1.5)


def _draw_watermark(canvas: Any, words: str, x: float, y: float) -> None:
    canvas.saveState()
    canvas.translate(x / POINT, (HEIGHT - y) / POINT)
    canvas.rotate(28)
    canvas.setFillGray(0.84)
    canvas.setFont(BOLD, 68)
    canvas.drawCentredString(0, -68 * 0.365, words)
    canvas.restoreState()
