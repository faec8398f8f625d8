"""Whatever happens, every quantity can be counted again from its history."""

from __future__ import annotations

import random
from datetime import timedelta

from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from portal.core import clock
from portal.core.actor import SYSTEM
from portal.core.database import db
from portal.core.errors import Refusal
from portal.core.unit_of_work import atomic
from portal.stock import commands, history, queries, replay
from portal.stock import services as stock
from portal.stock.services import Pick, Source, Wish
from tests.stock import CEM, TAPE, Warehouse

NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_an_empty_warehouse_agrees_with_its_empty_history(warehouse: Warehouse) -> None:
    assert replay.prove() == (NOTHING, NOTHING, [])


def test_an_edited_quantity_is_found(warehouse: Warehouse) -> None:
    warehouse.receive(10)
    warehouse.reserve(4)
    for statement, found in (
        ("UPDATE shelf_stock SET qty = 9 WHERE qty = 10", ("shelf", TAPE, "A-01", 9, 10)),
        ("UPDATE central_stock SET qty = 11 WHERE qty = 10", ("central", TAPE, "", 11, 10)),
        ("UPDATE central_stock SET reserved = 0", ("reserved", TAPE, "", 0, 4)),
        ("DELETE FROM shelf_stock", ("shelf", TAPE, "A-01", 0, 10)),
    ):
        db.session.execute(text(statement))
        proof = replay.prove()
        assert (proof.agrees, proof.differences) == (False, [found])
        assert db.session.execute(text(replay.DIFFERENCES)).all() == [found]
        db.session.rollback()


def test_the_command_prints_both_hashes_and_fails_when_they_differ(app: Flask, warehouse: Warehouse) -> None:
    if "stock" not in app.cli.commands:
        commands.register(app)
    warehouse.receive(10)
    run = app.test_cli_runner()
    good = run.invoke(args=["stock", "prove"])
    live, replayed = (line.split()[-1] for line in good.output.splitlines()[:2])
    assert (good.exit_code, live, len(live)) == (0, replayed, 64)
    with atomic():
        db.session.execute(text("UPDATE central_stock SET qty = 11 WHERE qty = 10"))
    bad = run.invoke(args=["stock", "prove"])
    assert bad.exit_code == 1
    assert f"central {TAPE} : 11 believed, 10 replayed" in bad.output
    with atomic():
        db.session.execute(text("UPDATE central_stock SET qty = 10 WHERE qty = 11"))


class Day:
    """A random day in the warehouse: any service, with any goods, again with an old key now and then."""

    def __init__(self, warehouse: Warehouse, seed: int, *, shared: str = "") -> None:
        self.w, self.dice, self.seed, self.shared = warehouse, random.Random(seed), seed, shared
        self.acts = 0
        self.did = [
            self.receives, self.receives, self.counts, self.moves, self.reserves, self.reserves, self.oversells,
            self.releases, self.wants_less, self.runs_out, self.takes, self.takes_wherever, self.returns, self.returns,
        ]  # fmt: skip

    def goes_on(self) -> bool:
        """One more thing happens, or is refused; answers whether it was done."""
        try:
            with atomic():
                self.dice.choice(self.did)()
        except Refusal:
            return False
        return True

    def key(self) -> str:
        """Mostly new; now and then one that may have been used."""
        self.acts += self.dice.random() < 0.8
        whose = self.shared if self.dice.random() < 0.2 else self.seed
        return f"{whose}-{self.acts}"

    def item(self) -> int:
        return self.dice.choice([self.w.tape, self.w.glue])

    def shelf(self) -> int:
        return self.dice.choice([self.w.a1, self.w.b1])

    def few(self) -> int:
        return self.dice.randint(1, 6)

    def order(self, line: str = "") -> Source:
        return Source("TEST", f"{self.shared or self.seed}-{self.dice.randrange(4)}", line)

    def line(self) -> Source:
        return self.order(self.dice.choice("12"))

    def receives(self) -> None:
        stock.receive(self.item(), self.shelf(), self.few() * 2, key=self.key(), by=SYSTEM)

    def counts(self) -> None:
        found = self.dice.randint(0, 12)
        stock.count(self.item(), self.shelf(), found, key=self.key(), by=CEM, because="count")

    def moves(self) -> None:
        stock.transfer(self.item(), self.shelf(), self.shelf(), self.few(), key=self.key(), by=CEM)

    def reserves(self) -> None:
        until = clock.now() + timedelta(hours=self.dice.choice([-1, 1])) if self.dice.random() < 0.5 else None
        wishes = [Wish(self.item(), self.few(), line) for line in "12"]
        stock.reserve_all(wishes, self.order(), expires_at=until)

    def oversells(self) -> None:
        stock.reserve(self.item(), self.few() * 3, self.line(), even_if_short=True)

    def releases(self) -> None:
        stock.release(self.order(), because="cancelled")

    def wants_less(self) -> None:
        stock.release(self.line(), still_wanted=self.few(), because="partly cancelled")

    def runs_out(self) -> None:
        stock.expire(clock.now())

    def takes(self) -> None:
        picks = [Pick(self.item(), self.shelf(), self.few()) for _ in range(self.dice.randint(1, 3))]
        stock.take(picks, source=self.order(), key=self.key(), by=CEM)

    def takes_wherever(self) -> None:
        stock.take_wherever({self.item(): self.few()}, source=self.order(), key=self.key(), by=CEM)

    def returns(self) -> None:
        stock.give_back(
            self.item(), self.shelf(), self.few(), source=self.order(), key=self.key(), by=CEM, because="returned"
        )


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), steps=st.integers(1, 25))
def test_whatever_happens_the_replay_agrees(warehouse: Warehouse, seed: int, steps: int) -> None:
    day = Day(warehouse, seed)
    for _ in range(steps):
        day.goes_on()
        proof = replay.prove()
        sold = queries.available()
        db.session.rollback()
        assert proof.agrees
        assert proof.differences == []
        assert min(sold.values()) >= 0


def test_a_long_day_does_most_of_what_it_tries(warehouse: Warehouse) -> None:
    """The random days above are worth nothing if everything in them is refused."""
    day = Day(warehouse, 7)
    done = [day.goes_on() for _ in range(150)]
    assert sum(done) > 50
    types = {row.type for row in history.movement_rows(history.movements())}
    db.session.rollback()
    assert types == {"IN", "OUT", "TRANSFER_IN", "TRANSFER_OUT", "COUNT", "RETURN"}
