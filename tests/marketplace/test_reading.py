"""Pages that repeat, move and fail: nothing is missed, nothing is doubled, and what was missed is found."""

from __future__ import annotations

import os
import random
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import text

from portal.core import clock
from portal.core.database import db
from portal.core.errors import Refusal
from portal.core.ports import Outcome, known
from portal.core.unit_of_work import atomic
from portal.marketplace import queries
from portal.marketplace.ports import PackagePage, PackageState, Storefronts
from portal.marketplace.services import read_until
from portal.workflows import marketplace_reading
from portal.workflows.marketplace_reading import NotRead
from tests.marketplace import Street
from tests.stock import TAPE, Warehouse, number, on_hand

ORDERS = int(os.environ.get("RUNS", "30"))
RULES = {"most_rows": 7, "repeat_pages": 2, "move_packages": 6}


def every_order_once(street: Street) -> None:
    """What they know is what we keep, each once, and promised once."""
    theirs = {str(row["shipmentPackageId"]): row for row in street.look("packages")}
    assert set(street.states()) == set(theirs)
    lines = number("SELECT count(*) FROM storefront_line")
    assert lines == sum(len(row["lines"]) for row in theirs.values())
    assert number("SELECT count(*) FROM reservation WHERE source_kind = 'storefront'") == lines


def mark(street: Street) -> datetime | None:
    with atomic():
        return read_until(street.storefront)


@pytest.mark.faults
@pytest.mark.parametrize("stream", [True, False])
def test_with_five_in_a_hundred_failing_every_order_is_kept_exactly_once(
    street: Street, warehouse: Warehouse, stream: bool
) -> None:
    known(Storefronts).by_code["trendyol"].use_stream = stream  # type: ignore[attr-defined]
    keys = street.order((TAPE, 1), times=ORDERS)
    street.lever("rules", **RULES, throttle_every=9)
    for mode in ("error_500", "malformed"):
        street.sandbox.fault("orders", mode, times=50, every=20, provider="trendyol")
    street.pull()
    known_by_now = [key for key in keys if key in street.states()]  # one that moved while it was read is not yet
    street.becomes(known_by_now[len(known_by_now) // 2], "Cancelled")
    street.pull()
    street.lever("rules", move_packages=0)  # what moved while it was read is the next pull's
    for _another_one in range(3):  # and so is what failed
        street.pull()
    every_order_once(street)
    assert on_hand(warehouse.tape) == (50, ORDERS - 1)
    calls = street.look("calls")
    assert sum(row["count"] for row in calls.values()) > ORDERS // 7, "pages were many"


def test_a_page_that_stays_away_leaves_the_mark_where_it_was(street: Street) -> None:
    street.pull()
    before = mark(street)
    street.order((TAPE, 1), times=10)
    street.lever("rules", most_rows=3)
    street.sandbox.fault("orders", "error_500", times=20, every=3, provider="trendyol")
    street.sandbox.fault("orders", "error_500", times=20, every=1, provider="trendyol")
    with pytest.raises(NotRead):
        street.pull()
    assert mark(street) == before
    assert "UNKNOWN" in trouble(street)
    street.sandbox.calm()
    street.pull()
    assert mark(street) != before
    assert trouble(street) == ""
    every_order_once(street)


def trouble(street: Street) -> str:
    found = db.session.scalar(text("SELECT trouble FROM storefront_sync"))
    db.session.rollback()
    return str(found)


class Killed(BaseException):
    """As a worker dies: nothing catches it."""


def test_a_pull_that_is_killed_in_the_middle_misses_and_doubles_nothing(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    street.order((TAPE, 1), times=20)
    street.lever("rules", most_rows=6)
    store = known(Storefronts).by_code["trendyol"]
    honest = store.changed_packages
    left = [3]

    def dies(since: datetime, until: datetime, cursor: str = "") -> PackagePage:
        left[0] -= 1
        if not left[0]:
            raise Killed
        return honest(since, until, cursor)

    monkeypatch.setattr(store, "changed_packages", dies)
    with pytest.raises(Killed):
        street.pull()
    assert 0 < number("SELECT count(*) FROM storefront_package") < 20
    monkeypatch.undo()
    street.pull()
    every_order_once(street)


def test_an_answer_that_cannot_be_read_is_shown_and_moves_nothing(street: Street, warehouse: Warehouse) -> None:
    (key,) = street.order((TAPE, 3))
    street.pull()
    page = known(Storefronts).by_code["trendyol"].package(key)
    garbled = replace(
        page.packages[0],
        state=PackageState.UNKNOWN,
        lines=(),
        order_number="",
        changed_at=datetime(1970, 1, 1, tzinfo=UTC),
    )
    marketplace_reading.learn_all("trendyol", [garbled], heard_by="pull", asked_at=page.packages[0].changed_at)
    assert (street.ours(key).state, on_hand(warehouse.tape)) == ("CREATED", (50, 3))
    assert "read" in street.ours(key).trouble
    street.becomes(key, "Picking")
    street.pull()
    assert street.ours(key).trouble == ""


def test_one_order_that_cannot_be_kept_does_not_hold_up_the_others(street: Street) -> None:
    store = known(Storefronts).by_code["trendyol"]
    street.order((TAPE, 1), times=3)
    page = store.listed_packages(*a_minute())
    broken = replace(page.packages[0], customer_name="nobody\x00", order_number="broken")
    with pytest.raises(NotRead):
        marketplace_reading.learn_all(
            "trendyol", [broken, *page.packages[1:]], heard_by="pull", asked_at=page.packages[0].changed_at
        )
    assert number("SELECT count(*) FROM storefront_package") == 2


def a_minute() -> tuple[datetime, datetime]:
    now = clock.now()
    return now - timedelta(minutes=1), now + timedelta(seconds=1)


def dropped_page(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    """The seeded fault: one page of a pull is read and thrown away, as a careless reader would."""
    store = known(Storefronts).by_code["trendyol"]
    honest = store.changed_packages
    seen = [0]

    def drops(since: datetime, until: datetime, cursor: str = "") -> PackagePage:
        page = honest(since, until, cursor)
        seen[0] += len(page.packages) > 0
        return replace(page, packages=()) if seen[0] == 2 and page.packages else page

    monkeypatch.setattr(store, "changed_packages", drops)


def test_a_dropped_page_is_found_by_the_gap_check(
    street: Street, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    street.order((TAPE, 1), times=20)
    street.lever("rules", most_rows=6)
    dropped_page(street, monkeypatch)
    street.pull()
    monkeypatch.undo()
    missed = 20 - number("SELECT count(*) FROM storefront_package")
    assert missed > 0, "without a fault this test would show nothing"
    assert street.compare() == "MENDED"
    every_order_once(street)
    assert on_hand(warehouse.tape) == (50, 20)
    assert number("SELECT jsonb_array_length(gaps) FROM storefront_gap_check ORDER BY id DESC LIMIT 1") == missed
    assert street.compare() == "WELL"


def test_an_old_version_is_a_gap_too(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    (key,) = street.order((TAPE, 1))
    street.pull()
    street.becomes(key, "Shipped")
    with monkeypatch.context() as fault:
        store = known(Storefronts).by_code["trendyol"]
        fault.setattr(store, "changed_packages", lambda *_: PackagePage(Outcome.DONE))
        street.pull()
    assert street.ours(key).state == "CREATED"
    assert street.compare() == "MENDED"
    assert street.ours(key).state == "SHIPPED"


def test_a_gap_check_that_cannot_be_finished_says_so(street: Street) -> None:
    street.order((TAPE, 1))
    street.pull()
    street.sandbox.fault("orders", "error_500", times=20, provider="trendyol")
    with pytest.raises(NotRead):
        street.compare()
    assert number("SELECT count(*) FROM storefront_gap_check WHERE outcome = 'UNFINISHED'") == 1


def test_before_the_first_pull_there_is_nothing_to_compare(street: Street) -> None:
    assert street.compare() == "None"


def at_once(app: Flask, *acts: Callable[[], object]) -> list[BaseException]:
    """Each on a connection of its own, at the same moment."""
    meet, troubles = threading.Barrier(len(acts)), list[BaseException]()

    def one(act: Callable[[], object]) -> None:
        with app.app_context():
            try:
                meet.wait(30)
                act()
            except BaseException as trouble:
                troubles.append(trouble)
            finally:
                db.session.remove()

    crowd = [threading.Thread(target=one, args=(act,)) for act in acts]
    for person in crowd:
        person.start()
    for person in crowd:
        person.join()
    return troubles


def test_two_pullers_at_once_keep_every_order_once(app: Flask, street: Street, warehouse: Warehouse) -> None:
    street.order((TAPE, 1), times=30)
    street.lever("rules", most_rows=7)
    assert at_once(app, street.pull, street.pull, street.pull) == []
    every_order_once(street)
    assert on_hand(warehouse.tape) == (50, 30)


def test_a_hint_and_a_pull_at_once_keep_a_package_once(app: Flask, street: Street, warehouse: Warehouse) -> None:
    keys = street.order((TAPE, 2), times=6)

    def hints() -> None:
        for key in keys:
            marketplace_reading.read_one("trendyol", key, heard_by="hint")

    assert at_once(app, hints, street.pull, hints) == []
    every_order_once(street)
    assert on_hand(warehouse.tape) == (50, 12)


def test_a_careless_reader_would_promise_twice(street: Street, warehouse: Warehouse) -> None:
    """The naive twin: whoever reserves for every page row instead of every package."""
    street.order((TAPE, 1), times=10)
    street.lever("rules", most_rows=4, repeat_pages=2)
    store = known(Storefronts).by_code["trendyol"]
    since, until = a_minute()
    naive, cursor = 0, ""
    while True:
        page = store.changed_packages(since, until, cursor)
        naive += sum(line.quantity for package in page.packages for line in package.lines)
        cursor = page.cursor
        if not cursor:
            break
    street.pull()
    assert naive > 10
    assert on_hand(warehouse.tape) == (50, 10)


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(int(os.environ.get("RUNS", "3")) // 3 or 1))
def test_whatever_happens_over_there_our_books_end_where_theirs_do(
    street: Street, warehouse: Warehouse, seed: int
) -> None:
    """Orders, cancellations, splits and packing in any order, heard of by pulls, hints and gap checks at random."""
    dice = random.Random(seed)
    street.lever("rules", most_rows=5, repeat_pages=1, move_packages=20)
    street.sandbox.fault("orders", "error_500", times=100, every=20, provider="trendyol")
    for _step in range(40):
        open_ = [key for key, row in theirs(street).items() if row in ("Created", "Picking")]
        act = dice.choice(["order", "order", "cancel", "part", "split", "pack", "pull", "hint", "compare"])
        _act(street, warehouse, dice, act, open_)
    street.sandbox.calm()
    for _pull in range(4):
        street.pull()
        street.work()
    assert on_hand(warehouse.tape)[1] == expected_reserved(street)
    assert set(street.states()) == set(theirs(street))
    wrong = {key: (state, theirs(street)[key]) for key, state in street.states().items() if state == "UNKNOWN"}
    assert not wrong


def _act(street: Street, warehouse: Warehouse, dice: random.Random, act: str, open_: list[str]) -> None:
    key = dice.choice(open_) if open_ else ""
    if act == "order":
        street.order((TAPE, dice.randint(2, 4)))
    elif act == "pull":
        street.pull()
    elif act == "compare":
        street.compare()
    elif not key:
        return
    elif act == "cancel":
        street.cancels(key)
    elif act == "part":
        street.cancels(key, (TAPE, 1))
    elif act == "hint":
        marketplace_reading.read_one("trendyol", key, heard_by="hint")
    elif act == "pack":
        _pack(street, warehouse, key)
    else:
        street.splits(key)


def _pack(street: Street, warehouse: Warehouse, key: str) -> None:
    if key not in street.states():
        return
    package_id = street.ours(key).id
    pieces = sum(line.pieces_to_take for line in queries.lines_of([package_id])[package_id])
    db.session.rollback()
    if not pieces:
        return
    warehouse.receive(pieces)
    try:
        street.pack(key, warehouse.tape, warehouse.a1, pieces)
    except Refusal:
        db.session.rollback()


def theirs(street: Street) -> dict[str, str]:
    return {str(row["shipmentPackageId"]): str(row["status"]) for row in street.look("packages")}


def expected_reserved(street: Street) -> int:
    """What they still wait for and nobody packed."""
    packed = Counter[str]()
    rows = db.session.execute(text("SELECT package_key, packed_at FROM storefront_package"))
    for row in rows:
        packed[row.package_key] = int(row.packed_at is not None)
    db.session.rollback()
    return sum(
        int(line["quantity"])
        for row in street.look("packages")
        if row["status"] in ("Created", "Picking") and not packed[str(row["shipmentPackageId"])]
        for line in row["lines"]
    )
