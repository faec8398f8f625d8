"""What a report is: a name, parameters, columns with kinds, and one small function that returns its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _l

from portal.accounts.roles import Permission
from portal.core.errors import BadInput
from portal.core.formats import day, read_day


class Kind(StrEnum):
    """What stands in a column. Money is whole kuruş, counts are whole pieces."""

    TEXT = "text"
    DAY = "day"
    INSTANT = "instant"
    MONEY = "money"
    COUNT = "count"


class Column(NamedTuple):
    """A column. `summed` ones make the control totals; `in_letter` ones are shown in the letter's short table."""

    key: str
    title: Any
    kind: Kind = Kind.TEXT
    summed: bool = False
    in_letter: bool = False


Choices = Mapping[str, Any]
SOME_DAY = date(2026, 1, 1)  # for periods that are looked at, not reckoned


class Parameter(NamedTuple):
    """Something the reader may choose. A period may be a word or two days; a choice is one of `choices`.

    Choices that are rows (people, say) are a function.
    """

    key: str
    label: Any
    default: str
    choices: Choices | Callable[[], Choices]
    period: bool = False

    def offered(self) -> Choices:
        """What may be chosen now, and what it is called."""
        return self.choices() if callable(self.choices) else self.choices

    def said(self, value: str) -> Any:
        """A chosen value as people read it; two days as days."""
        found = self.offered().get(value)
        if found is None and self.period and ".." in value:
            return " – ".join(map(day, days_of(value, SOME_DAY)))
        return value if found is None else found


PERIODS: dict[str, Any] = {
    "today": _l("today"),
    "yesterday": _l("yesterday"),
    "last_7_days": _l("the last seven days"),
    "this_month": _l("this month"),
    "last_month": _l("last month"),
}
PERIOD = Parameter("period", _l("Period"), "yesterday", PERIODS, period=True)


class Asked(NamedTuple):
    """What a reader asked for: the day it looks from, the chosen values, and whose rows only (None: everybody's)."""

    as_of_on: date
    values: Mapping[str, str]
    organisation_id: int | None = None

    def period(self, key: str = "period") -> tuple[date, date]:
        """First and last day of the period, both included."""
        return days_of(self.values.get(key, PERIOD.default), self.as_of_on)


Row = Sequence[Any]


class Note(NamedTuple):
    """What must be said beside the figures: where they come from, how old they are. `grave` ones are seen first."""

    label: Any
    words: Any
    grave: bool = False


class Found(NamedTuple):
    """Rows that do not speak for themselves. `workbook` makes the file where the domain has one of its own."""

    rows: Iterable[Row]
    notes: Sequence[Note] = ()
    workbook: Callable[[], bytes] | None = None


class Report(NamedTuple):
    """A report. `own` ones may be read by sellers, who get their own rows only; `needs` is one more permission.

    `columns_of` is for columns that depend on what is asked for. `headline` is the sum the letter's subject says.
    """

    code: str
    name: Any
    about: Any
    columns: Sequence[Column]
    rows: Callable[[Asked], Iterable[Row] | Found]
    parameters: Sequence[Parameter] = ()
    own: bool = False
    columns_of: Callable[[Asked], Sequence[Column]] | None = None
    needs: Permission | None = None
    headline: str = ""

    def shaped(self, asked: Asked) -> Report:
        """The report with the columns it has for what is asked."""
        return self._replace(columns=self.columns_of(asked)) if self.columns_of else self

    def values(self, typed: Mapping[str, str]) -> dict[str, str]:
        """The chosen values, defaults for what was not chosen; refuses what is no choice."""
        return {p.key: _chosen(p, typed.get(p.key, "").strip() or p.default) for p in self.parameters}

    def said(self, values: Mapping[str, str]) -> list[tuple[Any, Any]]:
        """The chosen values as people read them: the parameter's name, and the choice's."""
        return [(p.label, p.said(values.get(p.key, ""))) for p in self.parameters]


class Built(NamedTuple):
    """A report with its rows and its control totals: how many rows, and the sum of every summed column."""

    report: Report
    asked: Asked
    rows: list[Row]
    totals: dict[str, int]
    notes: Sequence[Note] = ()
    workbook: Callable[[], bytes] | None = None


def build(report: Report, asked: Asked) -> Built:
    """Run the report once; page, letter, file and API all show this."""
    report, found = report.shaped(asked), report.rows(asked)
    found = found if isinstance(found, Found) else Found(found)
    rows: list[Row] = [tuple(row) for row in found.rows]
    assert all(len(row) == len(report.columns) for row in rows), f"{report.code}: a row does not fit its columns"
    totals = {"rows": len(rows)}
    for place, column in enumerate(report.columns):
        if column.summed:
            totals[column.key] = sum(int(row[place] or 0) for row in rows)
    return Built(report, asked, rows, totals, found.notes, found.workbook)


def days_of(period: str, as_of: date) -> tuple[date, date]:
    """A period's first and last day, seen from a day. Two days are written 2026-11-01..2026-11-30."""
    first_of_month = as_of.replace(day=1)
    last_of_previous = first_of_month - timedelta(days=1)
    yesterday = as_of - timedelta(days=1)
    words = {
        "today": (as_of, as_of),
        "yesterday": (yesterday, yesterday),
        "last_7_days": (as_of - timedelta(days=7), yesterday),
        "this_month": (first_of_month, as_of),
        "last_month": (last_of_previous.replace(day=1), last_of_previous),
    }
    if period in words:
        return words[period]
    first, separator, last = period.partition("..")
    if not separator:
        raise BadInput(fields={"period": _l("Choose a period, or two days.")})
    days = read_day(first, "period"), read_day(last, "period")
    if days[1] < days[0]:
        raise BadInput(fields={"period": _l("The period ends before it begins.")})
    return days


def _chosen(parameter: Parameter, value: str) -> str:
    if parameter.period:
        days_of(value, SOME_DAY)  # refuses what is neither a word nor two days
        return value
    if value not in parameter.offered():
        raise BadInput(fields={parameter.key: _l("That is not one of the choices.")})
    return value
