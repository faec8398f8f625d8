"""A report as a spreadsheet: real numbers and dates, text that stays text, and a sheet with the control totals."""

from __future__ import annotations

import io
import re
from typing import Any

from flask_babel import gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter

from portal.core import clock, formats
from portal.core.money import Money
from portal.reports.definition import Built, Column, Kind

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMATS = {Kind.MONEY: "#,##0.00", Kind.COUNT: "#,##0", Kind.DAY: "dd.mm.yyyy", Kind.INSTANT: "dd.mm.yyyy hh:mm"}
WIDTHS = {Kind.TEXT: 28, Kind.MONEY: 18, Kind.COUNT: 12, Kind.DAY: 12, Kind.INSTANT: 18}
BOLD, HEAD = Font(bold=True), PatternFill("solid", fgColor="E9EDF5")
LINE = Border(top=Side(style="thin"))
LONGEST_CELL = 32_767  # what Excel keeps of a text
# Excel refuses a file with these in it; they come from scanners and from what people paste.
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def content(built: Built) -> bytes:
    """The file: the domain's own workbook where it has one, or the one below."""
    return built.workbook() if built.workbook else xlsx(built)


def xlsx(built: Built) -> bytes:
    """The whole report. The last row of the first sheet holds the control totals; the second sheet says them again."""
    book = Workbook(write_only=True)
    _rows(book, built)
    _control(book, built)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def file_name(built: Built) -> str:
    """gunluk-islemler-2026-11-21.xlsx: plain letters, for every mail client and disk."""
    name = re.sub(r"[^a-z0-9]+", "-", formats.fold(str(built.report.name))).strip("-")
    return f"{name}-{built.asked.as_of_on:%Y-%m-%d}.xlsx"


def _rows(book: Workbook, built: Built) -> None:
    sheet = book.create_sheet(_sheet_name(str(built.report.name)))
    columns = built.report.columns
    sheet.freeze_panes = "A2"
    for place, column in enumerate(columns, start=1):
        sheet.column_dimensions[get_column_letter(place)].width = WIDTHS[column.kind]
    sheet.append([_titled(sheet, column) for column in columns])
    for row in built.rows:
        sheet.append([_cell(sheet, value, column.kind) for value, column in zip(row, columns, strict=True)])
    sheet.append([_total(sheet, built, place, column) for place, column in enumerate(columns)])


def _control(book: Workbook, built: Built) -> None:
    sheet = book.create_sheet(_sheet_name(_("Control")))
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 34, 22
    facts: list[tuple[Any, Any, Kind]] = [
        (built.report.name, "", Kind.TEXT),
        (_("Seen from"), built.asked.as_of_on, Kind.DAY),
        (_("Made at"), clock.now(), Kind.INSTANT),
        *((label, value, Kind.TEXT) for label, value in built.report.said(built.asked.values)),
        *((note.label, note.words, Kind.TEXT) for note in built.notes),
        (_("Rows"), built.totals["rows"], Kind.COUNT),
        *((c.title, built.totals[c.key], c.kind) for c in built.report.columns if c.summed),
    ]
    for label, value, kind in facts:
        sheet.append([_cell(sheet, str(label), Kind.TEXT), _cell(sheet, value, kind)])


def _titled(sheet: Any, column: Column) -> Any:
    cell = _cell(sheet, str(column.title), Kind.TEXT)
    cell.font, cell.fill = BOLD, HEAD
    if column.kind in (Kind.MONEY, Kind.COUNT):
        cell.alignment = Alignment(horizontal="right")
    return cell


def _total(sheet: Any, built: Built, place: int, column: Column) -> Any:
    value = built.totals[column.key] if column.summed else (_("Total") if place == 0 else None)
    cell = _cell(sheet, value, column.kind if column.summed else Kind.TEXT)
    cell.font, cell.border = BOLD, LINE
    return cell


def _cell(sheet: Any, value: Any, kind: Kind) -> Any:
    match kind:
        case _ if value is None:
            cell = WriteOnlyCell(sheet, None)
        case Kind.TEXT:
            cell = WriteOnlyCell(sheet, CONTROL.sub(" ", str(value))[:LONGEST_CELL])
            # A text that begins with "=" would be a formula on the accountant's machine.
            cell.data_type = "s"
        case Kind.MONEY:
            cell = WriteOnlyCell(sheet, Money(int(value)).as_decimal())
        case Kind.INSTANT:
            cell = WriteOnlyCell(sheet, value.astimezone(clock.ISTANBUL).replace(tzinfo=None))  # Excel knows no zones
        case _:
            cell = WriteOnlyCell(sheet, value)
    if kind in FORMATS:
        cell.number_format = FORMATS[kind]
    return cell


def _sheet_name(name: str) -> str:
    return re.sub(r"[\[\]:*?/\\]", " ", name)[:31]
