"""The statement as a page to print or to sign: A4, the letters that come with reportlab, all Turkish ones in them."""

from __future__ import annotations

from html import escape
from io import BytesIO

from flask_babel import gettext as _
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from portal.commission.statements import Statement, signed
from portal.commission.states import ENTRY_WORDS
from portal.core.formats import day, money
from portal.core.i18n import told

for _font, _file in (("Vera", "Vera.ttf"), ("VeraBd", "VeraBd.ttf")):
    pdfmetrics.registerFont(TTFont(_font, _file))

TEXT = ParagraphStyle("text", fontName="Vera", fontSize=8, leading=10.5)
HEAD = ParagraphStyle("head", parent=TEXT, fontName="VeraBd", fontSize=15, leading=20)
RIGHT = ParagraphStyle("right", parent=TEXT, alignment=2)
BOLD = ParagraphStyle("bold", parent=TEXT, fontName="VeraBd")
BOLD_RIGHT = ParagraphStyle("bold right", parent=RIGHT, fontName="VeraBd")
COLUMNS = [20 * mm, 26 * mm, 46 * mm, 42 * mm, 26 * mm, 26 * mm]


def pdf_of(made: Statement) -> bytes:
    """The file's content."""
    written = BytesIO()
    page = SimpleDocTemplate(
        written, pagesize=A4, leftMargin=12 * mm, rightMargin=12 * mm, topMargin=14 * mm, bottomMargin=16 * mm,
        title=f"{_('Commission statement')} {made.name}", author="Emanet",
    )  # fmt: skip
    control = _("Control %(code)s · %(n)d rows", code=made.control, n=len(made.rows))
    page.build(
        [
            _text(_("Commission statement"), HEAD),
            _text(f"{made.name} · {made.team} · {day(made.from_on)} – {day(made.last_on)}"),
            _text(control),
            Spacer(1, 5 * mm),
            _rows(made),
        ],
        onFirstPage=lambda canvas, _doc: _foot(canvas, control),
        onLaterPages=lambda canvas, _doc: _foot(canvas, control),
    )
    return written.getvalue()


def _rows(made: Statement) -> Table:
    titles = [_("Day"), _("What"), _("Deal"), _("Reason")]
    data = [
        [*(_text(title, BOLD) for title in titles), _text(_("Amount"), BOLD_RIGHT), _text(_("Balance"), BOLD_RIGHT)]
    ]
    data.append(["", _text(_("Opening balance")), "", "", "", _text(_lira(made.opening), RIGHT)])
    balance = made.opening
    for row in made.rows:
        balance += signed(row)
        words = [day(row.entry.effective_on), str(ENTRY_WORDS[row.entry.type]), row.title, told(row.entry.because)]
        data.append([*map(_text, words), _text(_lira(signed(row)), RIGHT), _text(_lira(balance), RIGHT)])
    sums = [_text(_lira(made.sums.outstanding), BOLD_RIGHT), _text(_lira(made.closing), BOLD_RIGHT)]
    data.append(["", _text(_("Closing balance"), BOLD), "", "", *sums])
    table = Table(data, colWidths=COLUMNS, repeatRows=1)
    lines = [
        ("LINEBELOW", (0, 0), (-1, 0), 0.7, colors.black),
        ("LINEBELOW", (0, 1), (-1, -2), 0.25, colors.lightgrey),
        ("LINEABOVE", (0, -1), (-1, -1), 0.7, colors.black),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 2),
        ("RIGHTPADDING", (0, 0), (-1, -1), 2),
    ]
    table.setStyle(TableStyle(lines))
    return table


def _lira(minor: int) -> str:
    # The font has neither the lira sign nor the typographic minus.
    return money(minor, sign="TL").replace("\u2212", "-")


def _text(words: str, style: ParagraphStyle = TEXT) -> Paragraph:
    return Paragraph(escape(words).replace("₺", "TL"), style)


def _foot(canvas, control: str) -> None:  # type: ignore[no-untyped-def]
    canvas.setFont("Vera", 7)
    canvas.drawString(12 * mm, 9 * mm, f"Emanet · {control}")
    canvas.drawRightString(198 * mm, 9 * mm, f"{canvas.getPageNumber()}")
