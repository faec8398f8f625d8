"""A value as people read it: on the page, in the letter and in its plain twin."""

from __future__ import annotations

from typing import Any

from babel.numbers import format_decimal
from flask_babel import get_locale

from portal.core import formats
from portal.reports.definition import Built, Column, Kind

NUMBERS = (Kind.MONEY, Kind.COUNT)


def shown(value: Any, kind: Kind) -> str:
    """One cell; nothing for nothing."""
    match kind:
        case _ if value is None:
            return ""
        case Kind.MONEY:
            return formats.money(int(value))
        case Kind.COUNT:
            return str(format_decimal(int(value), locale=str(get_locale() or "tr"))).replace("-", formats.MINUS)
        case Kind.DAY:
            return formats.day(value)
        case Kind.INSTANT:
            return formats.instant(value)
        case _:
            return str(value)


def total(built: Built, column: Column) -> str:
    """A column's control total as people read it; nothing where there is none."""
    return shown(built.totals[column.key], column.kind) if column.summed else ""
