"""A completed order with a sales agent becomes a won deal with its snapshot, whatever else is in the way."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from jobs.schedule import TIMETABLE
from portal.accounts.roles import Role
from portal.commission import periods as looks
from portal.commission import queries
from portal.commission.models import CommissionDispute
from portal.commission.services import deals, disputes, periods
from portal.core import clock
from portal.core.idempotency import digest_of
from portal.core.unit_of_work import atomic
from portal.disputes.states import Resolution
from portal.orders import queries as orders_queries
from portal.workflows import arguments, sales
from tests import story
from tests.cast import Cast, actor
from tests.commission import Office, ask
from tests.world import SandboxControl


@pytest.fixture
def office(app: Flask, cast: Cast) -> Office:
    """İpek looks after Fatma's market."""
    found = Office(cast)
    with atomic():
        today = clock.today()
        deals.look_after(cast.fatma.organisation_id, found.ipek.id, from_on=today, by=found.maker)
    return found


def test_the_deal_is_won_and_the_snapshot_waits_for_somebody(
    app: Flask, cast: Cast, sandbox: SandboxControl, office: Office
) -> None:
    order = story.completed(app, cast, sandbox)
    assert ask("SELECT title, state, sale_price, order_id FROM deal") == [
        (order.number, "WON", order.total_kurus, order.id)
    ]
    rows = ask("SELECT state, maker, maker_person_id, base_amount_minor, base_source FROM commission_snapshot")
    assert rows == [("PENDING_APPROVAL", "Emanet", None, order.total_kurus, "deal.sale_price")]
    office.approve(int(str(ask("SELECT id FROM commission_snapshot")[0][0])))
    line = ask("SELECT facts -> 'order' -> 'lines' -> 0 ->> 'name' FROM commission_snapshot")
    assert line == [(order.lines[0].name,)]


def test_the_buyer_keeps_a_part_and_the_agent_earns_from_that_part(
    app: Flask, cast: Cast, sandbox: SandboxControl, office: Office
) -> None:
    order = story.paid(app, cast, sandbox, (story.TAPE, 3))[0]
    dispute = story.objected(order, cast, damaged=1)
    with atomic():
        arguments.settle(dispute.id, Resolution.REFUND, role=Role.FINANCE, by=actor(cast.ayse), because="hasarlı")
    assert ask("SELECT state FROM network_order") == [("COMPLETED",)]
    assert ask("SELECT sale_price FROM deal") == [(2 * order.lines[0].unit_price_kurus,)]
    story.drain("provider_calls")


def test_an_order_without_an_agent_is_no_deal(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    story.completed(app, cast, sandbox)
    assert ask("SELECT count(*) FROM deal") == [(0,)]


def test_the_agent_is_the_one_of_the_day_it_was_placed(
    app: Flask, cast: Cast, sandbox: SandboxControl, office: Office
) -> None:
    order = story.paid(app, cast, sandbox)[0]
    with atomic():
        tomorrow = clock.today() + timedelta(days=1)
        deals.look_after(cast.fatma.organisation_id, office.kaan.id, from_on=tomorrow, by=office.maker)
    assert queries.agent_of(cast.fatma.organisation_id, clock.today()) == office.ipek.id
    assert queries.agent_of(cast.fatma.organisation_id, tomorrow) == office.kaan.id
    assert queries.agent_of(cast.fatma.organisation_id, clock.today() - timedelta(days=1)) is None
    assert order.state == "PAID"


def test_said_twice_it_is_one_deal(app: Flask, cast: Cast, sandbox: SandboxControl, office: Office) -> None:
    order = story.completed(app, cast, sandbox)
    with atomic():
        sales.order_stands(orders_queries.hold_still(order.id))
    assert ask("SELECT count(*) FROM deal") == ask("SELECT count(*) FROM commission_snapshot") == [(1,)]


def test_a_locked_month_does_not_keep_an_order_open(
    app: Flask, cast: Cast, sandbox: SandboxControl, office: Office
) -> None:
    month = looks.month_of(clock.today())
    with atomic():
        lock = periods.lock(month, shown=digest_of(looks.what_if(month)), because="x", by=office.maker)
    order = story.completed(app, cast, sandbox)
    assert order.state == "COMPLETED"
    assert ask("SELECT state FROM deal") == [("WON",)]
    assert ask("SELECT count(*) FROM commission_snapshot") == [(0,)]
    assert sales.make_missing_ready() == 0
    with atomic():
        asked = periods.ask_release(looks.lock_by_id(lock.id), because="erken", by=office.maker)
    with atomic():
        periods.release(looks.lock_by_id(lock.id), asked, shown=asked.digest, by=office.checker)
    assert sales.make_missing_ready() == 1
    assert ask("SELECT count(*) FROM commission_snapshot") == [(1,)]


def test_an_overdue_objection_is_escalated_by_the_timetable(office: Office) -> None:
    line = office.line(office.approved(), office.ipek)
    with atomic():
        dispute = disputes.open_dispute(line, amount_minor=1, claim="?", by=actor(office.ipek))
    jobs = {periodic.job: periodic.run for periodic in TIMETABLE}
    assert jobs["escalate overdue commission disputes"]() == 0
    with time_machine.travel(clock.now() + timedelta(days=12)):
        assert jobs["escalate overdue commission disputes"]() == 1
        assert jobs["escalate overdue commission disputes"]() == 0
    assert queries.one(CommissionDispute, dispute.id).state == "ESCALATED"
