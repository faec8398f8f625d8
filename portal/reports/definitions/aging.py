"""What customers owe and since when, and what we owe suppliers: the ERP's accounts by age, as last read and reconciled."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import partial
from typing import Any

from babel.dates import format_date
from flask import current_app
from flask_babel import LazyString, get_locale
from flask_babel import lazy_gettext as _l

from portal.accounts.roles import Permission
from portal.core import clock, formats
from portal.core.errors import Refusal
from portal.receivables import export, months, queries
from portal.receivables.models import AgingFetch
from portal.receivables.ports import Side
from portal.receivables.queries import Filter, NeedsItsOwnReading, Situation, Who, Window
from portal.receivables.rules import Mode
from portal.receivables.states import CHECK_NAMES, Check, FetchState
from portal.receivables.sums import View
from portal.reports.definition import Asked, Column, Found, Kind, Note, Parameter, Report

WHO = {
    "all": _l("All accounts"),
    Who.OWING.value: _l("With a debt"),
    Who.OLD.value: _l("With an old debt"),
    Who.CREDIT.value: _l("In credit"),
}
MODES = {mode.value: name for mode, name in export.MODE_NAMES.items()}
PARAMETERS = (
    Parameter("who", _l("Accounts"), "all", WHO),
    Parameter("months", _l("Months"), "4", {count: count for count in ("1", "2", "3", "4", "6", "12")}),
    Parameter("mode", _l("Mode"), Mode.FIFO.value, MODES),
)


class DataDoubted(Refusal):
    """The newest reading does not reconcile: the analysis stops, as the ERP's routes do (spec §5)."""

    code = "does_not_reconcile"

    def __init__(self, fetch: AgingFetch) -> None:
        reasons = [CHECK_NAMES[Check(reason.check_code)] for reason in queries.reasons(fetch.id)]
        super().__init__(
            _l(
                "The analysis has stopped: the data do not reconcile. Please load current data. %(why)s",
                why=LazyString(lambda: " ".join(map(str, reasons))),
            )
        )


def columns(asked: Asked) -> Sequence[Column]:
    """The account, its balance, and the months it stems from; what falls due later only where the mode knows it."""
    window = _window(asked)
    shown = [
        Column(f"m{place}", LazyString(month_name, month), Kind.MONEY, summed=True)
        for place, month in enumerate(window.shown, start=1)
    ]
    later = [Column("later", _l("Due later"), Kind.MONEY, summed=True)] if window.mode is Mode.OPEN_ITEM else []
    return (
        Column("code", _l("Account")),
        Column("name", _l("Name"), in_letter=True),
        Column("balance", _l("Balance"), Kind.MONEY, summed=True, in_letter=True),
        Column("before", _l("Earlier"), Kind.MONEY, summed=True, in_letter=True),
        *shown,
        *later,
    )


def month_name(month: int) -> str:
    """Şub 25, in the reader's language."""
    return str(format_date(months.first_day(month), "MMM yy", locale=str(get_locale() or "tr")))


def found(side: Side, asked: Asked) -> Found:
    """Accounts, the largest balance first. Refuses with `DataDoubted`, and as `queries.view` does."""
    situation = queries.situation(side)
    if situation.doubted and current_app.config["AGING_WHEN_SUSPICIOUS"] == "stop":
        raise DataDoubted(situation.doubted)
    view = _view(side, _window(asked))
    which = asked.values["who"]
    accounts = queries.all_rows(view, Filter(who=Who(which if which != "all" else "")))
    wide = len(export.column_names(view))
    rows = sorted((tuple(row[:wide]) for row in accounts), key=lambda row: (-row[2], row[0]))
    title = f"{export.SIDE_NAMES[side]} · {WHO[which]}"
    workbook = partial(_workbook, view, rows, queries.reasons(view.fetch.id), title)
    return Found(rows, _notes(situation, view, asked), workbook)


def _window(asked: Asked) -> Window:
    first = months.later(months.month_of(asked.as_of_on), 1 - int(asked.values["months"]))
    return Window.of(months.first_day(first), asked.as_of_on, Mode(asked.values["mode"]))


def _view(side: Side, window: Window) -> View:
    """The day's figures. A report that is made late may find only newer ones of the same month: better than none."""
    try:
        return queries.view(side, window)
    except NeedsItsOwnReading:
        good = queries.current(side)
        if good is None or months.month_of(good.as_of_on) != months.month_of(window.as_of):
            raise
        return View(good, good.as_of_on, window.shown, window.mode)


def _notes(situation: Situation, view: View, asked: Asked) -> list[Note]:
    fetch = view.fetch
    said = [
        Note(_l("As of"), formats.day(view.as_of), grave=view.as_of != asked.as_of_on),
        Note(_l("Read from the ERP"), f"{formats.instant(fetch.read_at)} · {fetch.source}"),
    ]
    age = (clock.today() - clock.day_of(fetch.read_at)).days if fetch.read_at else 0
    if age:
        said.append(Note(_l("Age"), _l("%(n)d days", n=age), grave=True))
    last = _l("The last good data are shown, from %(when)s.", when=formats.instant(fetch.read_at))
    if situation.doubted:
        said.append(Note(_l("Suspicion mode: the newest data do not reconcile."), last, grave=True))
    elif situation.newest and situation.newest.state == FetchState.FAILED:
        said.append(Note(_l("The last reading failed."), last, grave=True))
    return said


def _workbook(view: View, rows: Sequence[Any], reasons: Sequence[Any], title: str) -> bytes:
    written = io.BytesIO()
    export.write_xlsx(written, view, rows, reasons, title=title)
    return written.getvalue()


def _report(side: Side, code: str, name: Any, about: Any) -> Report:
    return Report(
        code=code, name=name, about=about, columns=(), columns_of=columns, rows=partial(found, side),
        parameters=PARAMETERS, needs=Permission.AGING_SEE, headline="balance",
    )  # fmt: skip


CUSTOMERS = _report(
    Side.CUSTOMERS, "collection_aging", _l("Collection aging"),
    _l("What customers owe, and from which months it stems."),
)  # fmt: skip
SUPPLIERS = _report(
    Side.SUPPLIERS, "supplier_balance", _l("Supplier balances"),
    _l("What we owe suppliers, and from which months it stems."),
)  # fmt: skip
