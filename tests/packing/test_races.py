"""Several packers at one table, devices that send again, and everybody pressing the last button at once."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from portal.core.database import db
from portal.core.errors import Refusal
from portal.core.unit_of_work import atomic
from portal.health.packing_books import PACKING_QUESTIONS
from portal.packing import queries
from portal.settings import Settings
from tests import story
from tests.cast import Cast
from tests.packing import CASE, Table, prepared
from tests.stock import number
from tests.story import FILM, TAPE
from tests.world import SandboxControl

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("faults")]
Crowd = Callable[[int, Callable[[int], Any]], list[Any]]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A connection for everybody."""
    return replace(settings, database_pool=40)


@pytest.fixture
def crowd(app: Flask) -> Crowd:
    """So many people, each with a connection of their own, doing something at the same moment; what they heard."""

    def at_once(how_many: int, act: Callable[[int], Any]) -> list[Any]:
        answers: list[Any] = []
        meet = threading.Barrier(how_many)

        def one(person: int) -> None:
            with app.app_context():
                db.session.execute(text("SELECT 1"))
                db.session.rollback()
                meet.wait(60)
                answers.append(_answer(act, person))
                db.session.remove()

        people = [threading.Thread(target=one, args=(person,)) for person in range(how_many)]
        for person in people:
            person.start()
        for person in people:
            person.join()
        return answers

    return at_once


def _answer(act: Callable[[int], Any], person: int) -> Any:
    try:
        return act(person)
    except Refusal as no:
        return no.code
    except Exception as crash:  # a deadlock must be seen as what it is
        return type(crash).__name__ + str(crash)[:300]


def test_32_scanners_on_one_order_pack_exactly_what_is_wanted(table: Table, crowd: Crowd) -> None:
    """Each scans tape and film four times: three rolls and two loose films beside a case are right, all else too many."""
    table.scan(CASE)

    def scans(person: int) -> list[str]:
        codes = [TAPE, FILM] * 2 if person % 2 else [FILM, TAPE] * 2
        return [table.say(table.heard(code), device=f"d{person}")[0].verdict for code in codes]

    said = Counter(verdict for verdicts in crowd(32, scans) for verdict in verdicts)
    assert said == {"OK": 5, "TOO_MANY": 123}
    assert table.packed() == {TAPE: 3, FILM: 14}
    assert number("SELECT count(*) FROM packing_scan") == 129


def test_one_message_sent_by_32_at_once_and_again_is_counted_once(table: Table, crowd: Crowd) -> None:
    message = [table.heard(TAPE), table.heard(CASE), table.heard("12"), table.heard("", kind="undo"), table.heard(TAPE)]
    for _resent in range(2):
        said = crowd(32, lambda _person: [a.verdict for a in table.say(*message)])
        assert said == [["OK", "CASE", "UNKNOWN", "UNDONE", "OK"]] * 32
    assert table.packed() == {TAPE: 2, FILM: 0}
    assert number("SELECT count(*) FROM packing_scan") == 5


def test_two_devices_open_boxes_at_once_and_no_number_is_given_twice(table: Table, crowd: Crowd) -> None:
    crowd(16, lambda _person: str(table.new_box()))
    assert [box.number for box in queries.boxes(table.task)] == list(range(1, 18))


def test_32_confirm_at_once_and_again_and_it_is_one_movement(table: Table, crowd: Crowd) -> None:
    table.fill()
    box = table.new_box()
    table.undo()
    table.scan(FILM, box=box)
    for _resent in range(4):
        said = crowd(32, lambda _person: tuple(table.confirm()))
        assert len(set(said)) == 1
        assert len(said[0]) == 2
    assert number("SELECT count(*) FROM stock_act WHERE kind LIKE 'TAKE%'") == 2
    assert number("SELECT -sum(pieces) FROM stock_movement WHERE type = 'OUT'") == 17
    assert number("SELECT count(*) FROM shipment") == 2


def test_scanning_while_another_confirms_and_cancels(table: Table, crowd: Crowd) -> None:
    """Whoever is first: packed with everything in it, or dropped; and no scan counts afterwards."""
    from portal.workflows import delivery

    table.fill()

    def act(person: int) -> Any:
        if person % 3 == 0:
            return tuple(table.confirm())
        if person == 1:
            with atomic():
                return delivery.cancel_parcel(table.shipment_id, by=table.cem, because="test").state
        return table.say(table.heard(TAPE), device=f"d{person}")[0].verdict

    said = crowd(12, act)
    crashes = [one for one in said if isinstance(one, str) and "Error" in one]
    assert crashes == []
    assert queries.task(table.task).state in ("PACKED", "DROPPED")


def test_tables_that_share_goods_in_opposite_order_do_not_wait_in_a_circle(
    table: Table, app: Flask, cast: Cast, sandbox: SandboxControl, crowd: Crowd
) -> None:
    tables = [table]
    for n in range(3):
        lines = ((FILM, 14), (TAPE, 3)) if n % 2 else ((TAPE, 3), (FILM, 14))
        order = story.paid(app, cast, sandbox, *lines)[0]
        tables.append(Table(cast, prepared(cast, order.id)))
    for one in tables:
        one.scan(CASE)
        one.scan(FILM, 2)
        second = one.new_box()
        one.scan(TAPE, 3, box=second)
    said = crowd(16, lambda person: len(tables[person % 4].confirm()))
    assert said == [2] * 16
    assert number("SELECT -sum(pieces) FROM stock_movement WHERE type = 'OUT'") == 4 * 17


def test_looking_before_counting_packs_too_many_and_the_database_says_so(table: Table, crowd: Crowd) -> None:
    """The naive twin: read the count, think, write it. The same crowd: more is said to be right than was wanted."""

    def naive(_person: int) -> str:
        with atomic():
            line = {"line": table.lines[TAPE]}
            packed = db.session.scalar(text("SELECT packed FROM packing_line WHERE id = :line"), line) or 0
            time.sleep(0.02)
            if packed >= 3:
                return "TOO_MANY"
            written = text("UPDATE packing_line SET packed = :packed WHERE id = :line")
            db.session.execute(written, {**line, "packed": packed + 1})
            return "OK"

    said = Counter(verdict for _round in range(4) for verdict in crowd(16, naive))
    assert said["OK"] > 3
    rows = db.session.execute(text(PACKING_QUESTIONS[0].sql)).all()
    assert rows, "the books notice that these counts have no scans"
    db.session.execute(text("UPDATE packing_line SET packed = 0"))
    db.session.commit()
