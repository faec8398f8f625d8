"""Random months: whatever happened, earned − paid − reversed (+ adjusted) = outstanding, for every day and instant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest

from portal.commission import overview
from portal.commission.overview import Window
from portal.commission.rules import Sums
from portal.commission.services import corrections, disputes
from portal.commission.states import Direction, Resolution
from portal.core import clock
from portal.core.database import db
from portal.core.errors import Refusal
from portal.core.unit_of_work import atomic
from tests.cast import actor
from tests.commission import Office, ask


class History:
    """Acts in a random order on random days of the last forty."""

    def __init__(self, office: Office, chance: int) -> None:
        self.office, self.random = office, Random(chance)
        self.snapshots: list[int] = []
        self.done = 0

    def day(self) -> date:
        """Some day."""
        return clock.today() - timedelta(days=self.random.randrange(40))

    def happen(self, many: int) -> None:
        """So many acts; what is refused has not happened."""
        acts: list[Callable[[], object]] = [self.earn, self.earn, self.pay, self.take_back, self.adjust, self.argue]
        for act in [self.earn, *(self.random.choice(acts) for _ in range(many))]:
            with suppress(Refusal):
                act()
                self.done += 1

    def earn(self) -> None:
        """A deal is won and approved."""
        agent = self.random.choice([self.office.ipek, self.office.kaan])
        self.snapshots.append(self.office.approved(self.random.randrange(1, 10**8), on=self.day(), agent=agent))

    def pay(self) -> None:
        """Everybody is paid."""
        self.office.paid(on=self.day())

    def take_back(self) -> None:
        """A part, or all of it."""
        amount = self.random.choice([None, self.random.randrange(1, 10_000)])
        self.office.reverse(self.random.choice(self.snapshots), amount, on=self.day())

    def adjust(self) -> None:
        """Up or down."""
        office = self.office
        with atomic():
            asked = corrections.propose_adjustment(
                office.line(self.random.choice(self.snapshots), office.leyla),
                direction=self.random.choice(list(Direction)),
                amount_minor=self.random.randrange(1, 5_000),
                key=f"a{next(office.numbers)}",
                dated_on=self.day(),
                because="düzeltme",
                by=office.maker,
            )
        with atomic():
            corrections.do(asked.id, shown=asked.digest, by=office.checker)

    def argue(self) -> None:
        """Leyla objects, Ayşe decides."""
        office = self.office
        line = office.line(self.random.choice(self.snapshots), office.leyla)
        with atomic():
            dispute = disputes.open_dispute(line, amount_minor=1, claim="?", by=actor(office.leyla))
        how = self.random.choice(list(Resolution))
        with atomic():
            disputes.resolve(dispute.id, how, by=office.maker, because="!", amount_minor=self.random.randrange(1, 900))


@pytest.mark.parametrize("chance", [1, 2, 3])
def test_the_identity_holds_for_every_day_and_every_instant(office: Office, chance: int) -> None:
    history = History(office, chance)
    history.happen(25)
    assert history.done > 10
    rows: list[Any] = ask(
        "SELECT person_id, type, direction, amount_minor, effective_on, recorded_at FROM commission_ledger_entry"
    )
    days = sorted({row[4] for row in rows})
    instants = sorted({row[5] for row in rows})
    for day in [None, *days]:
        for instant in [None, *instants[::7], datetime(2000, 1, 1, tzinfo=UTC)]:
            until = None if day is None else day + timedelta(days=1)
            window = Window(until_on=until, known_at=instant)
            seen = {row.person_id: row.sums for row in overview.people(window)}
            db.session.rollback()
            assert seen == replayed(rows, day, instant) | {
                person: Sums() for person in seen if person not in replayed(rows, day, instant)
            }
    for row in overview.people(Window()):
        journal = ask(
            f"""SELECT coalesce(sum(CASE WHEN credit_account_id = a.id THEN amount_kurus ELSE -amount_kurus END), 0)::bigint
            FROM ledger_account a LEFT JOIN posting ON a.id IN (credit_account_id, debit_account_id)
            WHERE a.code = 'agent:{row.person_id}'"""
        )
        assert journal == [(row.sums.outstanding,)]
        assert row.sums.outstanding == row.sums.earned - row.sums.paid - row.sums.reversed + row.sums.adjusted


def replayed(rows, day, instant) -> dict[int, Sums]:  # type: ignore[no-untyped-def]
    """The same, one entry after the other."""
    found: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    place = {"EARN": 0, "PAYOUT": 1, "REVERSAL": 2, "ADJUSTMENT": 3}
    for person, kind, direction, amount, on, at in rows:
        if (day is None or on <= day) and (instant is None or at <= instant):
            down = kind == "ADJUSTMENT" and direction == "DEBIT"
            found[person][place[kind]] += -amount if down else amount
    return {person: Sums(*sums) for person, sums in found.items()}


def test_a_period_and_a_team(office: Office) -> None:
    today, before = clock.today(), clock.today() - timedelta(days=40)
    office.approved(on=before)
    office.approved(on=today, agent=office.kaan)
    this_month = {r.name: r.sums.earned for r in overview.people(Window(from_on=today, team="Kuzey"))}
    assert this_month == {"İpek Aydın": 0, "Leyla Uçar": 600_00}
    assert overview.total(overview.people(Window())).earned == 2 * 2_700_00
