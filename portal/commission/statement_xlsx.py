"""The statement as an Excel file: real numbers, real dates, and text that stays text whatever it begins with."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import Any

from flask_babel import gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from portal.commission.statements import Statement, signed
from portal.commission.states import ENTRY_WORDS, ROLE_WORDS
from portal.core.i18n import told

MONEY, DAY = "#,##0.00;[Red]-#,##0.00", "dd.mm.yyyy"
BOLD = Font(bold=True)
WIDTHS = (12, 16, 34, 22, 34, 16, 16)


def workbook_of(made: Statement) -> bytes:
    """The file's content."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(_("Statement"))
    for number, width in enumerate(WIDTHS):
        sheet.column_dimensions["ABCDEFG"[number]].width = width
    sheet.freeze_panes = "A7"

    def put(*values: Any, bold: bool = False) -> None:
        sheet.append([_cell(sheet, value, bold) for value in values])

    put(_("Commission statement"), bold=True)
    put(made.name, "", made.team)
    put(made.from_on, made.last_on)
    put(_("Control"), made.control, _("%(n)d rows", n=len(made.rows)))
    put(_("Opening balance"), "", "", "", "", "", Decimal(made.opening) / 100)
    titles = (_("Day"), _("What"), _("Deal"), _("Part"), _("Reason"), _("Amount"), _("Balance"))
    put(*titles, bold=True)
    balance = made.opening
    for row in made.rows:
        balance += signed(row)
        part = str(ROLE_WORDS[row.role]) if row.role else ""
        what = str(ENTRY_WORDS[row.entry.type])
        amount = Decimal(signed(row)) / 100
        put(row.entry.effective_on, what, row.title, part, told(row.entry.because), amount, Decimal(balance) / 100)
    total = Decimal(made.sums.outstanding) / 100
    put(_("Closing balance"), "", "", "", "", total, Decimal(made.closing) / 100, bold=True)
    written = BytesIO()
    book.save(written)
    return written.getvalue()


def _cell(sheet: Any, value: Any, bold: bool) -> Any:
    cell = WriteOnlyCell(sheet, value)
    if isinstance(value, str):
        cell.value, cell.data_type = _printable(value), "s"  # "=1+1" is somebody's text, never a formula
    elif isinstance(value, Decimal):
        cell.number_format = MONEY
    elif isinstance(value, date):
        cell.number_format = DAY
    if bold:
        cell.font = BOLD
    return cell


def _printable(text: str) -> str:
    return "".join(letter for letter in text if letter >= " ")
