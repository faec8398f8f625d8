"""Firms and periods: Logo splits a company's years over tables, and companies split them over firm numbers (facts: ERP §1.3)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise

from portal.receivables.ports import LedgerUnreadable, Reason

# 211/01 or 211/01:2021-01-01..2025-12-31
ONE = re.compile(r"(\d{1,3})/(\d{1,2})(?::(\d{4}-\d\d-\d\d)\.\.(\d{4}-\d\d-\d\d))?")
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Period:
    """One firm's period; without days of its own it has those of Logo's calendar. Both days belong to it."""

    firm: int
    number: int
    begins: date | None = None
    ends: date | None = None

    @property
    def name(self) -> str:
        """As people write it."""
        return f"{self.firm:03}/{self.number:02}"

    @property
    def cards(self) -> str:
        """The firm's card table."""
        return f"LG_{self.firm:03}_CLCARD"

    def table(self, kind: str) -> str:
        """One of the period's tables. Only whole numbers of three and two digits are ever part of a name."""
        return f"LG_{self.firm:03}_{self.number:02}_{kind}"

    def __str__(self) -> str:
        return f"{self.name} {self.begins} … {self.ends}"


def periods_from(text: str) -> tuple[Period, ...]:
    """The setting: `211/01:2021-01-01..2025-12-31, 411/01`, oldest first. Refuses what it does not understand with ValueError."""
    found = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        match = ONE.fullmatch(part)
        if not match:
            raise ValueError(f"“{part}” is not a period; write 211/01 or 211/01:2021-01-01..2025-12-31")
        begins, ends = (date.fromisoformat(day) if day else None for day in match.groups()[2:])
        if begins and ends and begins > ends:
            raise ValueError(f"“{part}” ends before it begins")
        found.append(Period(int(match[1]), int(match[2]), begins, ends))
    if len({(period.firm, period.number) for period in found}) < len(found):
        raise ValueError("a period is named twice")
    return tuple(found)


def dated(periods: Sequence[Period], calendar: Sequence[Period]) -> tuple[Period, ...]:
    """Our periods with their days, oldest first. Refuses one that Logo's calendar does not know."""
    theirs = {(period.firm, period.number): period for period in calendar}
    found = []
    for ours in periods:
        known = theirs.get((ours.firm, ours.number))
        if ours.begins and ours.ends:
            found.append(ours)
        elif known:
            found.append(replace(ours, begins=known.begins, ends=known.ends))
        else:
            raise LedgerUnreadable(Reason.WRONG_PERIODS, where=ours.name)
    return tuple(sorted(found, key=lambda period: (period.begins or date.min, period.firm, period.number)))


def misfits(periods: Sequence[Period], calendar: Sequence[Period], as_of: date) -> list[str]:
    """What is wrong with our periods: gaps, overlaps, days the calendar does not give them, a day that none covers."""
    wrong = []
    for before, after in pairwise(periods):
        assert before.ends and after.begins
        if after.begins > before.ends + DAY:
            wrong.append(f"{before.name} … {after.name}: {before.ends + DAY} … {after.begins - DAY}")
        elif after.begins <= before.ends:
            wrong.append(f"{before.name} × {after.name}: {after.begins} … {before.ends}")
    theirs = {(period.firm, period.number): period for period in calendar}
    for ours in periods:
        known = theirs.get((ours.firm, ours.number))
        if known and known.begins and known.ends and ours.begins and ours.ends:
            if ours.begins < known.begins or ours.ends > known.ends:
                wrong.append(f"{ours} ≠ {known.begins} … {known.ends}")
        elif calendar:
            wrong.append(f"{ours.name} ?")
    last = periods[-1].ends
    if last and as_of > last:
        wrong.append(f"{periods[-1].name}: {last} < {as_of}")
    return wrong
