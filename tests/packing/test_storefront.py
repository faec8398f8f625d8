"""What a marketplace sold is packed at the same table: it is Picking, its goods left once, several boxes are a split."""

from __future__ import annotations

import uuid

import pytest
from flask import Flask

from portal.core import clock
from portal.core.actor import Actor
from portal.core.database import db
from portal.core.errors import BadInput
from portal.core.unit_of_work import atomic
from portal.packing import queries
from portal.packing.services import Heard
from portal.packing.states import Source
from portal.stock import services as stock
from portal.workflows import marketplace_forgetting, packing_queue, set_aside
from portal.workflows import packing as story
from portal.workflows.packing_sources import NothingToPack, NotKept
from tests.cast import Cast, sign_in
from tests.marketplace import Street
from tests.marketplace.conftest import street as street  # noqa: PLC0414 (a fixture lent from next door)
from tests.stock import CEM, GLUE, TAPE, Warehouse, number, on_hand
from tests.stock.conftest import warehouse as warehouse  # noqa: PLC0414 (a fixture lent from next door)
from tests.story import drain

CASE = "18690000000012"


class Packer:
    """Cem with one package in hand."""

    def __init__(self, street: Street, key: str) -> None:
        self.package = street.ours(key)
        with atomic():
            self.task = story.take_in_hand(Source.STOREFRONT, self.package.id, by=packer())
        self.box = queries.boxes(self.task)[0].id
        db.session.rollback()

    def scan(self, *barcodes: str, box: uuid.UUID | None = None) -> list[str]:
        """One message."""
        heard = [Heard(uuid.uuid4(), "scan", clock.now(), barcode, box or self.box) for barcode in barcodes]
        with atomic():
            return [a.verdict for a in story.scan(self.task, heard, device="one", by=CEM).answers]

    def new_box(self) -> uuid.UUID:
        """A further box."""
        box = uuid.uuid4()
        with atomic():
            story.scan(self.task, [Heard(uuid.uuid4(), "box", clock.now(), "", box)], device="one", by=CEM)
        return box

    def confirm(self) -> list[str]:
        """As the view does it."""
        with set_aside.shortages_noted(by=CEM), atomic():
            return story.confirm(self.task, by=CEM)


def packer() -> Actor:
    """Cem, as a person: whoever takes something in hand has a name."""
    return Actor("Cem", number("SELECT id FROM person WHERE email = 'packer@demo.tr'"))


def bought(street: Street, *lines: tuple[str, int]) -> str:
    """Somebody bought, and we have heard of it; the package's key."""
    [key] = street.order(*lines)
    street.pull()
    return key


def labels(app: Flask, cast: Cast, *packages: int, form: str = "zpl") -> tuple[int, str]:
    """Cem asks for the labels of these packages; a label printer's text."""
    cem = sign_in(app, cast.cem)
    answer = cem.client.post(
        "/labels/packages", data={"id": [str(one) for one in packages], "format": form, "csrf_token": cem.token}
    )
    return answer.status_code, answer.get_data(as_text=True) if form == "zpl" else str(answer.mimetype)


def test_a_package_is_packed_and_the_marketplace_hears_it(
    warehouse: Warehouse, street: Street, app: Flask, cast: Cast
) -> None:
    warehouse.receive(20, item=warehouse.glue)
    with atomic():
        stock.add_case(stock.item_of(TAPE).item, CASE, 2)
    key = bought(street, (TAPE, 3), (GLUE, 1))
    with app.test_request_context("/packing/"):
        [waiting] = packing_queue.waiting().rows
        assert (waiting.row.source, waiting.row.origin, waiting.row.pieces) == ("storefront", "Trendyol", 4)
        found = packing_queue.meant_by(waiting.row.barcode)
        assert found is not None
    cem = Packer(street, key)
    assert cem.scan(CASE, TAPE, TAPE, GLUE) == ["CASE", "OK", "TOO_MANY", "OK"]
    assert (on_hand(warehouse.tape), street.reserved(key)) == ((50, 3), 4)
    assert labels(app, cast, cem.package.id)[0] == 409  # no label before everything was checked
    first = cem.confirm()
    assert cem.confirm() == first == [key]
    assert (on_hand(warehouse.tape), on_hand(warehouse.glue), street.ours(key).state) == ((47, 0), (19, 0), "PICKING")
    drain("provider_calls")
    assert street.status(key) == "Picking"
    assert number("SELECT count(*) FROM stock_act WHERE kind LIKE 'TAKE%'") == 1
    with app.test_request_context("/packing/"):
        assert packing_queue.waiting().rows == []
    _status, page = sign_in(app, cast.cem).get(f"/packing/tasks/{cem.task}")
    assert f'name="id" value="{cem.package.id}"' in page
    assert 'id="print"' in page
    status, zpl = labels(app, cast, cem.package.id)
    tracking = street.ours(key).cargo_tracking_number
    assert (status, len(tracking) > 9, tracking in zpl) == (200, True, True)
    for words in ("Ayşe Yılmaz", "Kıbrıs Şehitleri", "No: 12", "Konak / İzmir", "35220"):
        assert words in zpl, words
    assert "KOPYA" not in zpl
    assert "KOPYA" in labels(app, cast, cem.package.id)[1]
    assert labels(app, cast, cem.package.id, form="pdf") == (200, "application/pdf")


def test_whom_it_was_for_is_forgotten_in_time(warehouse: Warehouse, street: Street, app: Flask) -> None:
    cem = Packer(street, bought(street, (TAPE, 1)))
    assert marketplace_forgetting.forget()["customers"] == 0
    app.config["RETENTION_CUSTOMER_DAYS"] = 0
    assert marketplace_forgetting.forget()["customers"] == 1
    package = street.ours(cem.package.package_key)
    assert (package.customer_name, package.address, package.city) == ("", "", "İzmir")
    assert queries.task(cem.task).receiver == ""
    assert marketplace_forgetting.forget()["customers"] == 0


def test_two_boxes_are_a_split_and_nothing_leaves_twice(
    warehouse: Warehouse, street: Street, app: Flask, cast: Cast
) -> None:
    key = bought(street, (TAPE, 3))
    cem = Packer(street, key)
    cem.scan(TAPE, TAPE)
    cem.scan(TAPE, box=cem.new_box())
    assert cem.confirm() == [key, key]
    # The barcode of the whole is dead: a label with it would go nowhere.
    status, words = labels(app, cast, cem.package.id)
    assert (status, "kendi etiketi" in words) == (409, True)
    page = f"/packing/tasks/{cem.task}"
    assert 'id="labels-later"' in sign_in(app, cast.cem).get(page)[1]
    drain("provider_calls")
    for _pull in range(3):  # their new packages appear one question after the other
        street.pull()
    drain("provider_calls")
    assert sorted(street.states().values()) == ["PICKING", "PICKING", "UNPACKED"]
    parts = [one for one, state in street.states().items() if state == "PICKING"]
    shown = sign_in(app, cast.cem).get(page)[1]
    tracking = [street.ours(part).cargo_tracking_number for part in parts]
    assert all(one in shown for one in tracking)
    assert street.ours(key).cargo_tracking_number not in tracking
    assert labels(app, cast, *[street.ours(part).id for part in parts])[0] == 200
    assert on_hand(warehouse.tape) == (47, 0)
    assert number("SELECT -sum(pieces) FROM stock_movement WHERE type = 'OUT'") == 3


def test_a_case_they_sell_stays_in_one_parcel(warehouse: Warehouse, street: Street) -> None:
    with atomic():
        stock.add_case(stock.item_of(TAPE).item, CASE, 2)
    cem = Packer(street, bought(street, (CASE, 1)))
    cem.scan(TAPE)
    cem.scan(TAPE, box=cem.new_box())
    with pytest.raises(BadInput):
        cem.confirm()
    assert on_hand(warehouse.tape)[0] == 50


def test_what_the_customer_cancels_is_no_longer_packed(warehouse: Warehouse, street: Street) -> None:
    key = bought(street, (TAPE, 3))
    cem = Packer(street, key)
    cem.scan(TAPE)
    street.cancels(key)
    street.pull()
    street.work()
    assert cem.scan(TAPE) == ["CLOSED"]
    with pytest.raises(NothingToPack):
        cem.confirm()
    assert on_hand(warehouse.tape) == (50, 0)
    with pytest.raises(NothingToPack):
        Packer(street, key)


def test_what_our_books_lack_is_refused_and_written_down(warehouse: Warehouse, street: Street) -> None:
    key = bought(street, (TAPE, 3))
    cem = Packer(street, key)
    cem.scan(TAPE, TAPE, TAPE)
    with atomic():
        stock.count(warehouse.tape, warehouse.a1, 1, key="count", by=CEM, because="test")
    with pytest.raises(stock.Shortage):
        cem.confirm()
    assert (on_hand(warehouse.tape)[0], street.ours(key).state) == (1, "CREATED")
    assert number("SELECT count(*) FROM stock_shortage WHERE wanted = 3 AND there = 1") == 1


def test_a_thing_our_stock_does_not_know_is_said_at_once(warehouse: Warehouse, street: Street) -> None:
    key = bought(street, ("8690000009999", 1))
    with pytest.raises(NotKept):
        Packer(street, key)
