"""A commission year at once: create, approve, overview, statement; each against plain SQL that does the same writing
or reading in the same run. Machines differ, ratios say more than times.

Run by `make bench`; SNAPSHOTS=100000 for the whole size. It never fails by the clock.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable
from datetime import timedelta

import psycopg
from sqlalchemy import select, text

from portal.accounts.models import Person
from portal.commission import overview, queries, statement_pdf, statement_xlsx
from portal.commission.models import CommissionSnapshot
from portal.commission.overview import Window
from portal.commission.rules import Share
from portal.commission.services import deals, policies, snapshots
from portal.commission.services.policies import Wording
from portal.commission.services.snapshots import Wish
from portal.commission.statements import statement
from portal.commission.states import DealRole, Method
from portal.core import clock
from portal.core.actor import Actor
from portal.core.database import db
from portal.core.unit_of_work import atomic
from tests.benchmarks.house import prepared

SNAPSHOTS = int(os.environ.get("SNAPSHOTS", "2000"))
AT_ONCE = 500
STATEMENT_ROWS = 1000


def seconds(work: Callable[[], object]) -> float:
    """How long it took, once."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


class Year:
    """Three agents share every deal."""

    def __init__(self) -> None:
        people = {person.email: person for person in db.session.scalars(select(Person))}
        self.maker = _actor(people["finance@demo.tr"])
        self.checker = _actor(people["admin@demo.tr"])
        self.agents = [people[f"{name}@demo.tr"].id for name in ("broker", "packer", "seller")]
        db.session.rollback()
        today = clock.today()
        shares = [Share(n, 3000, person_id=agent) for n, agent in enumerate(self.agents, start=1)]
        said = Wording("standard", "B", "B", Method.FIXED, today - timedelta(days=400), shares, fixed_minor=1000_01)
        with atomic():
            for agent in self.agents:
                deals.enrol(agent, team="B", by=self.maker)
            policy = policies.propose(said, by=self.maker)
        with atomic():
            policies.put_in_force(policy, shown=policy.digest, by=self.checker)
        with atomic():
            db.session.execute(
                text(
                    "INSERT INTO deal (title, state, sale_price, closed_on) SELECT 'D' || n, 'WON', n, current_date"
                    " FROM generate_series(1, :n) n"
                ),
                {"n": SNAPSHOTS},
            )
            db.session.execute(
                text("INSERT INTO deal_participant SELECT id, :role, :agent FROM deal"),
                {"role": DealRole.AGENT.value, "agent": self.agents[0]},
            )

    def create(self) -> None:
        """Every deal's snapshot, in units of five hundred."""
        ids = list(db.session.scalars(text("SELECT id FROM deal ORDER BY id")))
        db.session.rollback()
        for start in range(0, len(ids), AT_ONCE):
            with atomic():
                wishes = [Wish(i, f"b{i}") for i in ids[start : start + AT_ONCE]]
                snapshots.create(wishes, effective_on=clock.today(), by=self.maker)
            db.session.expunge_all()

    def approve(self) -> None:
        """Every snapshot, in units of five hundred."""
        rows = db.session.execute(select(CommissionSnapshot.id, CommissionSnapshot.digest)).all()
        db.session.rollback()
        for start in range(0, len(rows), AT_ONCE):
            with atomic():
                snapshots.approve({row[0]: row[1] for row in rows[start : start + AT_ONCE]}, by=self.checker)
            db.session.expunge_all()


def _actor(person: Person) -> Actor:
    return Actor(person.full_name, person.id)


def main() -> None:
    """One row per measurement: what, seconds, how many times the floor."""
    with prepared() as (app, url), psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as plain:
        year = Year()
        print(f"{SNAPSHOTS} snapshots of three shares", flush=True)
        rows = [
            ("create", seconds(year.create), seconds(lambda: _write(plain, 4))),
            ("approve", seconds(year.approve), seconds(lambda: _write(plain, 3))),
        ]
        plain.execute("ANALYZE")
        rows.append(("overview of everybody", seconds(lambda: overview.people(Window())), seconds(lambda: _sum(plain))))
        check = overview.total(overview.people(Window()))
        assert check.earned == SNAPSHOTS * 900_01, check
        assert queries.snapshot_counts() == {"APPROVED": SNAPSHOTS}
        db.session.rollback()
        show(rows)
        with app.test_request_context():
            show(_statements(year, plain))


def show(rows: list[tuple[str, float, float]]) -> None:
    """At once: a long run should not keep its figures to itself."""
    for name, took, floor in rows:
        print(f"{name:<44}{took:>9.3f} s   floor {floor:>8.3f} s   × {took / floor:.1f}", flush=True)


def _statements(year: Year, plain: psycopg.Connection) -> list[tuple[str, float, float]]:
    """One agent's whole year; the PDF of its first rows, because nobody prints three thousand pages."""
    today = clock.today()
    agent = year.agents[0]
    took = seconds(lambda: statement(agent, today, today + timedelta(days=1)))
    made = statement(agent, today, today + timedelta(days=1))
    db.session.expunge_all()
    db.session.rollback()  # a file of this size takes longer than a transaction may stand open
    floor = seconds(
        lambda: plain.execute("SELECT * FROM commission_ledger_entry WHERE person_id = %s", [agent]).fetchall()
    )
    short = made._replace(rows=made.rows[:STATEMENT_ROWS])
    return [
        ("statement of one agent, read", took, floor),
        ("  as XLSX", seconds(lambda: statement_xlsx.workbook_of(made)), floor),
        (f"  as PDF, {len(short.rows)} rows", seconds(lambda: statement_pdf.pdf_of(short)), floor),
    ]


def _write(plain: psycopg.Connection, rows_each: int) -> None:
    """The floor: as many plain rows, five hundred snapshots a commit, one unique key, no rule at all."""
    plain.execute("CREATE TABLE IF NOT EXISTS floor (id bigserial PRIMARY KEY, key text UNIQUE, minor bigint)")
    name = uuid.uuid4().hex[:8]
    for start in range(0, SNAPSHOTS, AT_ONCE):
        count = min(AT_ONCE, SNAPSHOTS - start) * rows_each
        with plain.transaction(), plain.cursor() as cursor:
            keys = [(f"{name}-{start}-{n}", n) for n in range(count)]
            cursor.executemany("INSERT INTO floor (key, minor) VALUES (%s, %s)", keys)


def _sum(plain: psycopg.Connection) -> None:
    plain.execute(
        "SELECT person_id, type, sum(amount_minor) FROM commission_ledger_entry GROUP BY person_id, type"
    ).fetchall()
