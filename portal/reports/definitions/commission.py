"""Commission for a period: everybody's sums, or one person's statement with every entry (hakediş ekstresi)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from portal.accounts.roles import Permission
from portal.commission import overview, queries
from portal.commission.overview import Window
from portal.commission.statement_xlsx import workbook_of
from portal.commission.statements import Statement, signed, statement
from portal.commission.states import ENTRY_WORDS, ROLE_WORDS
from portal.core import formats
from portal.core.i18n import told
from portal.reports.definition import PERIOD, Asked, Column, Found, Kind, Note, Parameter, Report, Row

EVERYBODY = "all"


def people() -> dict[str, Any]:
    """Everybody, and each agent."""
    return {EVERYBODY: _l("everybody"), **{str(key): f"{name} · {team}" for key, name, team in queries.agents()}}


SUMS = (
    Column("name", _l("Person"), in_letter=True),
    Column("team", _l("Team")),
    Column("opening", _l("Opening balance"), Kind.MONEY, summed=True),
    Column("earned", _l("Earned"), Kind.MONEY, summed=True, in_letter=True),
    Column("paid", _l("Paid"), Kind.MONEY, summed=True, in_letter=True),
    Column("reversed", _l("Reversed"), Kind.MONEY, summed=True),
    Column("adjusted", _l("Adjusted"), Kind.MONEY, summed=True),
    Column("closing", _l("Closing balance"), Kind.MONEY, summed=True, in_letter=True),
)
ENTRIES = (
    Column("day", _l("Day"), Kind.DAY, in_letter=True),
    Column("what", _l("What"), in_letter=True),
    Column("deal", _l("Deal"), in_letter=True),
    Column("part", _l("Part")),
    Column("reason", _l("Reason")),
    Column("amount", _l("Amount"), Kind.MONEY, summed=True, in_letter=True),
    Column("balance", _l("Balance"), Kind.MONEY, in_letter=True),
)


def columns(asked: Asked) -> Sequence[Column]:
    """Sums of everybody, or entries of one."""
    return SUMS if asked.values["person"] == EVERYBODY else ENTRIES


def found(asked: Asked) -> Found | list[Row]:
    """The period's figures; whoever the person was, opening + amounts = closing."""
    first, last = asked.period()
    until = last + timedelta(days=1)
    person = asked.values["person"]
    if person == EVERYBODY:
        return _sums(first, until)
    made = statement(int(person), first, until)
    return Found(_entries(made), _notes(made), partial(workbook_of, made))


def _sums(first: date, until: date) -> list[Row]:
    before = {row.person_id: row.sums.outstanding for row in overview.people(Window(until_on=first))}
    return [
        (row.name, row.team, before[row.person_id], *row.sums, before[row.person_id] + row.sums.outstanding)
        for row in overview.people(Window(first, until))
    ]


def _entries(made: Statement) -> list[Row]:
    rows: list[Row] = []
    balance = made.opening
    for row in made.rows:
        balance += signed(row)
        entry, part = row.entry, ROLE_WORDS[row.role] if row.role else ""
        words = (ENTRY_WORDS[entry.type], row.title, part, LazyString(told, entry.because))
        rows.append((entry.effective_on, *words, signed(row), balance))
    return rows


def _notes(made: Statement) -> list[Note]:
    return [
        Note(_l("Opening balance"), LazyString(formats.money, made.opening)),
        Note(_l("Closing balance"), LazyString(formats.money, made.closing)),
        Note(_l("Control"), made.control),
    ]


REPORT = Report(
    code="commission_statement",
    name=_l("Commission statement"),
    about=_l("What was earned, paid and taken back in a period; for everybody, or one person's every entry."),
    columns=SUMS,
    columns_of=columns,
    rows=found,
    parameters=(PERIOD._replace(default="last_month"), Parameter("person", _l("Person"), EVERYBODY, people)),
    needs=Permission.COMMISSION_SEE,
    headline="closing",
)
