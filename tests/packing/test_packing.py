"""Packing from the inside: it works; twice; too late; too many; what is missing; and the books agree."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from portal.core import clock
from portal.core.database import db
from portal.core.errors import BadInput, NotFound
from portal.core.unit_of_work import atomic
from portal.health.packing_books import PACKING_QUESTIONS
from portal.orders import queries as orders_queries
from portal.packing import queries
from portal.packing import services as packing
from portal.packing.services import Heard
from portal.packing.states import Source
from portal.shipping import queries as shipping_queries
from portal.stock import services as stock
from portal.workflows import delivery, packing_queue
from portal.workflows import packing as story
from portal.workflows.packing_sources import NothingToPack
from tests.cast import Cast, actor
from tests.packing import CASE, Table
from tests.stock import number
from tests.story import FILM, PAPER, TAPE


def out() -> int:
    """Pieces that left the shelves."""
    return number("SELECT coalesce(-sum(pieces), 0) FROM stock_movement WHERE type = 'OUT'")


def test_one_box_of_singles_and_a_case_is_packed_and_leaves_the_shelves(table: Table) -> None:
    assert table.scan(TAPE, 3) == ["OK"] * 3
    assert table.scan(CASE) == ["CASE"]
    assert table.scan(FILM, 2) == ["OK"] * 2
    assert table.confirm() == [str(table.shipment_id)]
    parcel = shipping_queries.parcel(table.shipment_id)
    assert (parcel.state, queries.task(table.task).packed_by) == ("PACKED", table.cem.name)
    assert out() == 17
    assert number("SELECT sum(qty) FROM central_stock") == number("SELECT sum(qty) FROM shelf_stock") == 11 * 5000 - 17


def test_wrong_extra_and_unknown_barcodes_are_refused_and_written_down(table: Table) -> None:
    assert table.scan(TAPE, 4)[-1] == "TOO_MANY"
    assert table.scan(PAPER) == ["WRONG_ITEM"]
    assert table.scan("12") == ["UNKNOWN"]
    assert table.scan(CASE, 2)[-1] == "TOO_MANY"
    assert table.packed() == {TAPE: 3, FILM: 12}
    assert queries.caught(table.task) == {"TOO_MANY": 2, "WRONG_ITEM": 1, "UNKNOWN": 1}
    assert queries.last_scans(table.task)[1].verdict == "CASE"


def test_a_scan_sent_again_is_answered_the_same_and_counted_once(table: Table) -> None:
    message = [table.heard(TAPE), table.heard(CASE), table.heard("12"), table.heard("", kind="undo")]
    first = table.say(*message)
    assert [a.verdict for a in first] == ["OK", "CASE", "UNKNOWN", "UNDONE"]
    for _resent in range(3):
        assert table.say(*message) == first
    assert table.say(message[1], message[0]) == [first[1], first[0]]
    assert table.packed() == {TAPE: 1, FILM: 0}
    assert number("SELECT count(*) FROM packing_scan") == 4
    with pytest.raises(packing.ScanIdUsed):
        table.say(message[0]._replace(barcode=FILM))


def test_the_same_id_twice_in_one_message_is_one_scan(table: Table) -> None:
    one = table.heard(TAPE)
    assert [a.verdict for a in table.say(one, one, one)] == ["OK"] * 3
    assert table.packed()[TAPE] == 1


def test_taking_back_begins_with_the_devices_own_last_scan(table: Table) -> None:
    table.scan(TAPE, device="one")
    table.scan(CASE, device="two")
    assert table.undo("one") == "UNDONE"
    assert table.packed() == {TAPE: 0, FILM: 12}
    # Nothing of its own is left: then whatever counts, so that nobody is stuck with another's mistake.
    assert table.undo("one") == "UNDONE"
    assert table.undo("one") == "NOTHING_TO_UNDO"
    assert table.packed() == {TAPE: 0, FILM: 0}
    assert number("SELECT count(*) FROM packing_scan") == 5
    assert number("SELECT sum(pieces) FROM packing_scan") == 0


def test_a_message_may_scan_and_take_back(table: Table) -> None:
    said = table.say(table.heard(TAPE), table.heard(CASE), *[table.heard("", kind="undo") for _ in range(3)])
    assert [(a.verdict, a.pieces) for a in said[2:]] == [("UNDONE", -12), ("UNDONE", -1), ("NOTHING_TO_UNDO", 0)]


def test_what_the_device_refused_never_counts(table: Table) -> None:
    """The packer was told "no" and put the piece aside; another one made room meanwhile; it is still not in the box."""
    assert table.say(table.heard(TAPE, refused=True))[0].verdict == "TOO_MANY"
    assert table.say(table.heard("12", refused=True))[0].verdict == "UNKNOWN"
    assert table.packed()[TAPE] == 0


def test_scans_of_a_dead_spot_keep_the_devices_time(table: Table) -> None:
    earlier = clock.now() - timedelta(hours=2)
    table.say(table.heard(TAPE)._replace(at=earlier))
    db.session.rollback()
    assert abs((queries.last_scans(table.task)[0].at - earlier).total_seconds()) < 1


def test_three_boxes_become_three_parcels_of_one_order(table: Table) -> None:
    table.scan(TAPE, 2)
    second, third = table.new_box(), table.new_box()
    table.scan(CASE, box=second)
    empty = table.new_box()
    table.scan(TAPE, box=third)
    table.scan(FILM, 2, box=third)
    with atomic():
        packing.weigh(table.task, 2, 4200)
    became = table.confirm()
    assert became[0] == str(table.shipment_id)
    assert len(became) == 3
    order_id = shipping_queries.parcel(table.shipment_id).order_id
    parcels = shipping_queries.parcels_of(order_id)
    tape, film = (orders_queries.any_order(order_id).lines[i].id for i in (0, 1))
    assert [(p.state, p.sequence) for p in parcels] == [("PACKED", 1), ("PACKED", 2), ("PACKED", 3)]
    assert [{i["line_id"]: i["quantity"] for i in p.items} for p in parcels] == [
        {tape: 2},
        {film: 12},
        {tape: 1, film: 2},
    ]
    assert parcels[1].init_key == f"packing:{table.task}:2"
    assert all(line.to_ship == 0 for line in orders_queries.lines_of(order_id))
    assert empty not in {box.id for box in queries.boxes(table.task) if box.became}
    assert out() == 17


def test_confirming_again_answers_the_same_and_moves_nothing(table: Table) -> None:
    table.fill()
    first = table.confirm()
    assert [table.confirm() for _ in range(3)] == [first] * 3
    assert number("SELECT count(*) FROM stock_act WHERE kind LIKE 'TAKE%'") == 1
    assert table.scan(TAPE) == ["CLOSED"]
    with pytest.raises(packing.NoLongerPacked), atomic():
        packing.weigh(table.task, 1, 100)


def test_what_is_not_complete_is_not_closed(table: Table) -> None:
    table.scan(TAPE, 3)
    with pytest.raises(packing.NotComplete) as no:
        table.confirm()
    assert no.value.details["missing"] == [{"barcode": FILM, "pieces": 14}]
    assert (out(), shipping_queries.parcel(table.shipment_id).state) == (0, "PLANNED")


def test_what_our_books_lack_is_refused_and_written_down(table: Table) -> None:
    """The pieces were scanned, but the books say the shelves are empty: nothing moves, somebody has to count."""
    table.fill()
    item = number(f"SELECT id FROM stock_item WHERE barcode = '{FILM}'")
    for shelf in ("A-01", "A-09"):
        with atomic():
            shelf_id = stock.shelf_of(shelf).id
            stock.count(item, shelf_id, 2, key=f"count-{shelf}", by=table.cem, because="test")
    with pytest.raises(stock.Shortage):
        table.confirm()
    assert (out(), shipping_queries.parcel(table.shipment_id).state, queries.task(table.task).state) == (
        0,
        "PLANNED",
        "OPEN",
    )
    db.session.rollback()
    assert number(f"SELECT count(*) FROM stock_shortage WHERE item_id = {item} AND wanted = 14 AND there = 4") == 1


def test_a_missing_piece_is_reported_and_the_next_scan_goes_on(table: Table) -> None:
    table.scan(TAPE, 2)
    shelf = number("SELECT id FROM shelf WHERE code = 'A-01'")
    with atomic():
        story.report_missing(table.task, table.lines[TAPE], there=0, shelf_id=shelf, by=table.cem)
    assert queries.task(table.task).state == "SHORT"
    db.session.rollback()
    assert number("SELECT count(*) FROM stock_shortage WHERE wanted = 1 AND there = 0") == 1
    for wrong in ({"there": 1}, {"there": -1}):
        with pytest.raises(BadInput), atomic():
            story.report_missing(table.task, table.lines[TAPE], **wrong, shelf_id=None, by=table.cem)
    with pytest.raises(NotFound), atomic():
        story.report_missing(table.task, 10**9, there=0, shelf_id=None, by=table.cem)
    assert table.scan(TAPE) == ["OK"]
    assert queries.task(table.task).state == "OPEN"


def test_a_cancelled_parcel_is_no_longer_packed(table: Table) -> None:
    table.scan(TAPE)
    with atomic():
        delivery.cancel_parcel(table.shipment_id, by=table.cem, because="test")
    assert table.scan(TAPE) == ["CLOSED"]
    assert queries.task(table.task).state == "DROPPED"
    with pytest.raises(NothingToPack):
        table.confirm()
    with pytest.raises(NothingToPack), atomic():
        story.take_in_hand(Source.SHIPMENT, table.shipment_id, by=table.cem)


def test_a_parcel_ticked_off_on_paper_leaves_the_screen(table: Table) -> None:
    with atomic():
        delivery.pack_parcel(table.shipment_id, by=table.cem)
    assert queries.task(table.task).state == "DROPPED"
    assert out() == 17


def test_whoever_comes_second_gets_the_same_task(table: Table, cast: Cast) -> None:
    with atomic():
        assert story.take_in_hand(Source.SHIPMENT, table.shipment_id, by=actor(cast.gul)) == table.task
    assert queries.present(table.task) == [cast.cem.full_name, cast.gul.full_name]
    with atomic():
        packing.leave(table.task, by=table.cem)
    assert queries.present(table.task) == [cast.gul.full_name]


def test_the_queue_shows_who_is_on_what_and_a_paper_finds_its_order(table: Table, app: Flask) -> None:
    key = shipping_queries.parcel(table.shipment_id).key
    with app.test_request_context("/packing/"):
        [waiting] = packing_queue.waiting().rows
        assert (waiting.row.pieces, waiting.row.barcode, waiting.progress.names) == (17, key, [table.cem.name])
        paid_on = clock.today()
        assert waiting.row.ship_by_on == paid_on + timedelta(days=2)
        assert waiting.row.ship_by_on == queries.task(table.task).ship_by_on
        for code in (key, key.lower(), waiting.row.number, waiting.row.number.split(" ")[0]):
            found = packing_queue.meant_by(code)
            assert found is not None, code
            assert found.source_id == table.shipment_id
        assert packing_queue.meant_by("EM9999999999") is packing_queue.meant_by("") is None
    table.fill()
    table.confirm()
    with app.test_request_context("/packing/"):
        assert packing_queue.waiting().rows == []


def test_one_scan_asks_the_database_four_times_at_most(table: Table, app: Flask, cast: Cast) -> None:
    """All of the request: the session, the person, one picture, one write."""
    from tests.cast import sign_in

    cem = sign_in(app, cast.cem)
    asked: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *a: asked.append(a[2]))
    for barcode, most in ((TAPE, 4), (CASE, 4), (TAPE, 4), ("12", 5)):
        one = {
            "id": str(uuid.uuid4()),
            "kind": "scan",
            "at": "2026-11-21T10:00:00Z",
            "barcode": barcode,
            "parcel": str(table.box),
        }
        asked.clear()
        answer = cem.client.post(
            f"/packing/tasks/{table.task}/scans",
            json={"device": "d", "scans": [one]},
            headers={"X-CSRFToken": cem.token},
        )
        assert answer.status_code == 200, answer.text
        assert 2 < len(asked) <= most, asked


SINS = [
    "UPDATE packing_line SET packed = wanted + 1",
    "UPDATE packing_line SET packed = -1",
    "UPDATE packing_parcel SET grams = 0",
    "UPDATE packing_task SET state = 'PACKED'",
    "UPDATE packing_scan SET pieces = 5",
    "DELETE FROM packing_scan",
    "TRUNCATE packing_scan CASCADE",
    "INSERT INTO packing_scan (id, task_id, barcode, verdict, pieces, device, device_at, actor)"
    " SELECT gen_random_uuid(), id, 'x', 'OK', 1, 'd', now(), 'naive' FROM packing_task",
    "INSERT INTO packing_task (source_kind, source_id, number, barcode, receiver)"
    " SELECT source_kind, source_id, 'x', 'x', 'x' FROM packing_task",
]


def test_the_database_refuses_nonsense_itself(table: Table) -> None:
    table.scan(TAPE)
    for sin in SINS:
        with pytest.raises(DBAPIError, match=r"violates|history"), db.engine.begin() as connection:
            connection.execute(text(sin))


def test_the_books_notice_a_count_that_is_not_the_sum_of_its_scans(table: Table) -> None:
    table.scan(TAPE)
    spoiled = text(f"UPDATE packing_line SET packed = 2 WHERE id = {table.lines[TAPE]}")
    with db.engine.connect() as connection, connection.begin() as deal:
        connection.execute(spoiled)
        rows = connection.execute(text(PACKING_QUESTIONS[0].sql)).all()
        assert len(rows) == 1
        deal.rollback()


def test_a_box_nobody_opened_and_an_id_of_another_task_are_refused(table: Table) -> None:
    with pytest.raises(BadInput):
        table.say(table.heard(TAPE, box=uuid.uuid4()))
    with pytest.raises(NotFound), atomic():
        story.scan(10**9, [table.heard(TAPE)], device="x", by=table.cem)
    with pytest.raises(BadInput):
        for _ in range(51):
            table.new_box()
    assert isinstance(table.heard(TAPE), Heard)
