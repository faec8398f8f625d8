"""What a past quarter would have come to under another policy: who gains, who loses. History stays untouched."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import NamedTuple

from sqlalchemy import select

from portal.accounts.models import Person
from portal.commission import queries, rules
from portal.commission.models import CommissionPolicy, CommissionSnapshot
from portal.commission.states import DealRole, SnapshotState
from portal.core.database import db


class Change(NamedTuple):
    """One person's quarter, in kuruş: as it was, and as it would have been. SYSTEM has no person."""

    person_id: int | None
    name: str
    was: int
    would_be: int

    @property
    def difference(self) -> int:
        """More, or less."""
        return self.would_be - self.was


class Rehearsal(NamedTuple):
    """The whole quarter."""

    from_on: date
    until_on: date
    snapshots: int
    changes: list[Change]

    @property
    def was(self) -> int:
        """All pools as they were."""
        return sum(change.was for change in self.changes)

    @property
    def would_be(self) -> int:
        """All pools as they would have been."""
        return sum(change.would_be for change in self.changes)


def quarter_before(today: date) -> tuple[date, date]:
    """The last whole quarter: its first day, and the first day after it."""
    first = date(today.year, 3 * ((today.month - 1) // 3) + 1, 1)
    before = date(first.year - (first.month == 1), 10 if first.month == 1 else first.month - 3, 1)
    return before, first


def rehearse(policy: CommissionPolicy, from_on: date, until_on: date) -> Rehearsal:
    """Reckon every approved snapshot of some days again, with the same base amounts and people, under a policy."""
    wanted = select(CommissionSnapshot).where(
        CommissionSnapshot.state.in_((SnapshotState.APPROVED, SnapshotState.REVERSED)),
        CommissionSnapshot.dated_on >= from_on,
        CommissionSnapshot.dated_on < until_on,
    )
    found = list(db.session.scalars(wanted))
    was, would_be = _as_it_was(found), _as_it_would_be(found, policy)
    people = {*was, *would_be}
    names = select(Person.id, Person.full_name).where(Person.id.in_(people - {None}))
    called = {person_id: name for person_id, name in db.session.execute(names)}
    changes = [Change(p, called[p] if p else "SYSTEM", was.get(p, 0), would_be.get(p, 0)) for p in people]
    changes.sort(key=lambda change: (change.person_id is None, -change.difference, change.name))
    return Rehearsal(from_on, until_on, len(found), changes)


def _as_it_was(found: list[CommissionSnapshot]) -> dict[int | None, int]:
    sums: dict[int | None, int] = defaultdict(int)
    for line in queries.lines_of([snapshot.id for snapshot in found]):
        sums[line.person_id] += line.amount_minor
    return dict(sums)


def _as_it_would_be(found: list[CommissionSnapshot], policy: CommissionPolicy) -> dict[int | None, int]:
    sums: dict[int | None, int] = defaultdict(int)
    terms, shares = queries.terms_of(policy), queries.shares_of(policy.id)
    for snapshot in found:
        players = {DealRole(role): people for role, people in snapshot.facts["cast"].items()}
        for part in rules.allocate(rules.pool_of(terms, snapshot.base_amount_minor), shares, players):
            sums[part.person_id] += part.amount_minor
    return dict(sums)
