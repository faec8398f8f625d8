"""What a report is: a name, parameters, columns with kinds, and one small function that returns its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _l

from portal.core.errors import BadInput
from portal.core.formats import read_day


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


class Parameter(NamedTuple):
    """Something the reader may choose. A period may be a word or two days; a choice is one of `choices`."""

    key: str
    label: Any
    default: str
    choices: Mapping[str, Any]
    period: bool = False


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


class Report(NamedTuple):
    """A report. `own` ones may be read by sellers, who get their own rows only."""

    code: str
    name: Any
    about: Any
    columns: Sequence[Column]
    rows: Callable[[Asked], Iterable[Row]]
    parameters: Sequence[Parameter] = ()
    own: bool = False

    def values(self, typed: Mapping[str, str]) -> dict[str, str]:
        """The chosen values, defaults for what was not chosen; refuses what is no choice."""
        return {p.key: _chosen(p, typed.get(p.key, "").strip() or p.default) for p in self.parameters}

    def said(self, values: Mapping[str, str]) -> list[tuple[Any, Any]]:
        """The chosen values as people read them: the parameter's name, and the choice's."""
        return [(p.label, p.choices.get(values.get(p.key, ""), values.get(p.key, ""))) for p in self.parameters]


class Built(NamedTuple):
    """A report with its rows and its control totals: how many rows, and the sum of every summed column."""

    report: Report
    asked: Asked
    rows: list[Row]
    totals: dict[str, int]


def build(report: Report, asked: Asked) -> Built:
    """Run the report once; page, letter, file and API all show this."""
    rows: list[Row] = [tuple(row) for row in report.rows(asked)]
    assert all(len(row) == len(report.columns) for row in rows), f"{report.code}: a row does not fit its columns"
    totals = {"rows": len(rows)}
    for place, column in enumerate(report.columns):
        if column.summed:
            totals[column.key] = sum(int(row[place] or 0) for row in rows)
    return Built(report, asked, rows, totals)


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
        days_of(value, date(2026, 1, 1))  # refuses what is neither a word nor two days
        return value
    if value not in parameter.choices:
        raise BadInput(fields={parameter.key: _l("That is not one of the choices.")})
    return value
