"""A person's statement for some days: what was owed, what happened, what is owed; with control totals."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from typing import NamedTuple

from portal.accounts.models import Person
from portal.commission import overview, queries
from portal.commission.overview import EntryRow, Window
from portal.commission.rules import Sums
from portal.core.database import db
from portal.core.errors import NotFound


class Statement(NamedTuple):
    """Everything that stands on it. `until_on` is the first day that is not on it; amounts in kuruş."""

    person_id: int
    name: str
    team: str
    from_on: date
    until_on: date
    opening: int
    rows: list[EntryRow]
    sums: Sums

    @property
    def closing(self) -> int:
        """What is owed at the end."""
        return self.opening + self.sums.outstanding

    @property
    def last_on(self) -> date:
        """The last day on it."""
        return self.until_on - timedelta(days=1)

    @property
    def control(self) -> str:
        """A fingerprint of the rows: two copies with the same one say the same."""
        lines = [f"{r.entry.id}|{r.entry.type}|{r.entry.direction}|{r.entry.amount_minor}" for r in self.rows]
        return hashlib.sha256("\n".join([f"{self.opening}", *lines]).encode()).hexdigest()[:16].upper()


def signed(row: EntryRow) -> int:
    """What a row does to what is owed."""
    return row.entry.amount_minor if row.entry.direction == "CREDIT" else -row.entry.amount_minor


def statement(person_id: int, from_on: date, until_on: date) -> Statement:
    """Somebody's statement; refuses who is no agent."""
    team = {agent: team for agent, _name, team in queries.agents()}.get(person_id)
    if team is None:
        raise NotFound
    window = Window(from_on, until_on, person_id=person_id)
    rows = [EntryRow(*row) for row in db.session.execute(overview.entries(window))]
    opening = overview.sums_of(person_id, Window(until_on=from_on)).outstanding
    sums = overview.sums_of(person_id, window)
    made = Statement(person_id, queries.one(Person, person_id).full_name, team, from_on, until_on, opening, rows, sums)
    assert sum(signed(row) for row in rows) == sums.outstanding, "the rows are not their sums"
    return made
