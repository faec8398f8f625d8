"""Carriers: announced once, asked patiently, believed only forwards; and what they say is never thrown away."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from portal.core.database import DB_NOW, db
from portal.core.unit_of_work import atomic
from portal.inbox.models import InboxMessage
from portal.shipping import services as shipping
from portal.shipping.models import Shipment, ShipmentWatch
from portal.shipping.ports import Tracked
from portal.workflows import delivery, tracking
from tests import story
from tests.cast import Cast, actor
from tests.workflows import parcels
from tests.workflows.parcels import CARRIERS, THE_WHOLE_WAY, End
from tests.world import SandboxControl

SYNC = "/api/cron/shipment-sync"


def test_packing_tells_the_carrier_once(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    for carrier in CARRIERS:
        parcel = parcels.announced(parcels.tapes(app, cast, sandbox), cast, carrier)
        assert sandbox.effects(f"{carrier}.create") == {parcel.key: 1}
        assert parcels.watch_of(parcel).is_open
        assert parcels.states(parcel) == ("PACKED", "PAID")


@pytest.mark.parametrize("mode", ["timeout_after_effect", "malformed"])
@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_lost_answer_makes_no_second_consignment(
    app: Flask, cast: Cast, sandbox: SandboxControl, carrier: str, mode: str
) -> None:
    order = parcels.tapes(app, cast, sandbox)
    sandbox.fault("create", mode, provider=carrier, seconds=1.5)
    parcel = parcels.packed(order, cast, carrier)
    parcels.calls_settle()
    assert sandbox.effects(f"{carrier}.create") == {parcel.key: 1}
    assert parcels.intent_of("create_consignment").state == "SUCCEEDED"
    assert parcels.fresh(parcel).attention == ""


@pytest.mark.parametrize("carrier", ["mock", "yurtici", "aras"])
def test_an_announcement_that_never_arrived_is_made_again(
    app: Flask, cast: Cast, sandbox: SandboxControl, carrier: str
) -> None:
    order = parcels.tapes(app, cast, sandbox)
    sandbox.fault("create", "error_500", provider=carrier)
    parcel = parcels.packed(order, cast, carrier)
    parcels.calls_settle()
    assert sandbox.effects(f"{carrier}.create") == {parcel.key: 1}


@pytest.mark.parametrize("carrier", ["mock", "yurtici", "aras"])
def test_a_refused_announcement_is_shown_in_the_carriers_words(
    app: Flask, cast: Cast, sandbox: SandboxControl, carrier: str
) -> None:
    order = parcels.tapes(app, cast, sandbox)
    sandbox.fault("create", "refuse", provider=carrier)
    parcel = parcels.announced(order, cast, carrier)
    assert "Sandbox böyle istedi" in parcels.fresh(parcel).attention
    assert parcels.intent_of("create_consignment").state == "FAILED"
    assert sandbox.parcels(carrier) == []


def test_a_cancelled_parcel_is_taken_back(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    for carrier in CARRIERS:
        parcel = parcels.announced(parcels.tapes(app, cast, sandbox), cast, carrier)
        cancel(parcel, cast)
        story.drain("provider_calls")
        assert sandbox.effects(f"{carrier}.cancel") == {parcel.key: 1}
        assert not parcels.watch_of(parcel).is_open


@pytest.mark.parametrize(
    ("carrier", "mode"),
    [("yurtici", "error_500"), ("mock", "error_500_after_effect"), ("aras", "error_500_after_effect")],
)
def test_a_parcel_taken_back_while_its_announcement_was_in_doubt_stays_taken_back(
    app: Flask, cast: Cast, sandbox: SandboxControl, carrier: str, mode: str
) -> None:
    order = parcels.tapes(app, cast, sandbox)
    sandbox.fault("create", mode, provider=carrier)
    app.config["OUTBOX_QUIET_SECONDS"] = 3600
    parcel = parcels.announced(order, cast, carrier)
    cancel(parcel, cast)
    parcels.calls_settle()
    assert [row["key"] for row in sandbox.parcels(carrier) if not row["cancelled"]] == []
    assert parcels.ask_carriers() == 0


def cancel(parcel: Shipment, cast: Cast) -> None:
    """Deniz will not send it."""
    with atomic():
        delivery.cancel_parcel(parcel.id, by=actor(cast.deniz), because="wrong box")


@pytest.mark.parametrize(
    ("fourth", "fifth", "end"),
    [
        (Tracked.ATTEMPT_FAILED, Tracked.DELIVERED, End("DELIVERED", "DELIVERED", "DELIVERED", 1, 5)),
        (Tracked.LOST, Tracked.DELIVERED, End("DELIVERED", "DELIVERED", "DELIVERED", 1, 5)),
        (Tracked.ATTEMPT_FAILED, Tracked.RETURNED, End("RETURNED", "PAID", "RETURNED", 0, 5)),
        (Tracked.ATTEMPT_FAILED, Tracked.LOST, End("HANDED_OVER", "SHIPPED", "LOST", 1, 5)),
        (Tracked.DELIVERED, Tracked.RETURNED, End("RETURNED", "PAID", "RETURNED", 0, 5)),
    ],
)
def test_five_words_in_any_order_end_in_the_same_place(
    app: Flask, cast: Cast, sandbox: SandboxControl, fourth: Tracked, fifth: Tracked, end: End
) -> None:
    parcel = parcels.announced(parcels.tapes(app, cast, sandbox, 1), cast, "mock")
    found = parcels.ends(parcel.id, (*parcels.USUAL, fourth, fifth))
    assert (len(found), set(found)) == (120, {end})


def test_what_comes_late_is_kept_and_changes_nothing(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    parcel = parcels.announced(parcels.tapes(app, cast, sandbox), cast, "mock")
    told = (Tracked.IN_TRANSIT, Tracked.DELIVERED, Tracked.PICKED_UP, Tracked.ATTEMPT_FAILED, Tracked.OUT_FOR_DELIVERY)
    for status in (*told, *told):
        with atomic():
            parcels.hear_one(parcel.id, status)
    assert [scan.moved for scan in parcels.heard(parcel)] == [True, True, False, False, False]
    assert parcels.states(parcel) == ("DELIVERED", "DELIVERED")
    assert parcels.fresh(parcel).carrier_words == "words of DELIVERED"
    assert parcels.fresh(parcel).attention == ""


@pytest.mark.parametrize("carrier", CARRIERS)
def test_asked_after_every_step_the_parcel_goes_with_it(
    app: Flask, cast: Cast, sandbox: SandboxControl, carrier: str
) -> None:
    parcel = parcels.announced(parcels.tapes(app, cast, sandbox), cast, carrier)
    for event in THE_WHOLE_WAY[:-1]:
        sandbox.scan(carrier, parcel.key, event)
        assert parcels.ask_carriers() == 1
        assert parcels.states(parcel) == ("HANDED_OVER", "SHIPPED")
    sandbox.scan(carrier, parcel.key, "delivered")
    assert (parcels.ask_carriers(), parcels.ask_carriers()) == (1, 0)
    assert parcels.states(parcel) == ("DELIVERED", "DELIVERED")
    assert "ATTEMPT_FAILED" in parcels.words(parcel)
    assert parcels.fresh(parcel).tracking_number == sandbox.parcels(carrier)[0]["tracking_number"]


def test_a_notification_is_stored_once_and_the_carrier_is_asked(
    app: Flask, cast: Cast, sandbox: SandboxControl
) -> None:
    parcel = parcels.announced(parcels.tapes(app, cast, sandbox), cast, "mock")
    for event in THE_WHOLE_WAY:
        sandbox.scan("mock", parcel.key, event)
    first = sandbox.carrier_webhooks()[0]  # it speaks of the first scan only
    assert [parcels.notify(app, first) for _ in range(3)] == [200] * 3
    assert parcels.states(parcel) == ("PACKED", "PAID")
    assert story.drain("inbox") == 1
    assert parcels.states(parcel) == ("DELIVERED", "DELIVERED")
    for webhook in [first, *sandbox.carrier_webhooks()]:
        assert parcels.notify(app, webhook) == 200
    story.drain("inbox")
    assert (parcels.count(InboxMessage, InboxMessage.topic == "shipments"), len(parcels.heard(parcel))) == (5, 5)


def test_nobody_is_let_in_without_the_right_signature(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    parcel = parcels.announced(parcels.tapes(app, cast, sandbox), cast, "mock")
    sandbox.scan("mock", parcel.key, "picked_up")
    webhook = sandbox.carrier_webhooks()[0]
    assert parcels.notify(app, webhook, signature="0" * 64) == 401
    assert parcels.notify(app, {**webhook, "raw": webhook["raw"] + " "}) == 401
    assert [parcels.notify(app, webhook, carrier=silent) for silent in ("yurtici", "aras", "manual", "nobody")] == [
        404
    ] * 4
    assert parcels.count(InboxMessage, InboxMessage.topic == "shipments") == 0


def test_notifications_about_no_parcel_of_this_carrier_wait(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    theirs = parcels.announced(parcels.tapes(app, cast, sandbox), cast, "yurtici")
    sandbox.scan("yurtici", theirs.key, "picked_up")
    for key in ("EM0000009999", "EM", "another name", theirs.key):
        assert parcels.notify(app, parcels.signed(key)) == 200
    parcels.read_inbox()
    messages = db.session.scalars(select(InboxMessage).where(InboxMessage.topic == "shipments")).all()
    assert [message.state for message in messages] == ["WAITING"] * 4
    assert (parcels.states(theirs), parcels.heard(theirs)) == (("PACKED", "PAID"), [])


@pytest.mark.parametrize(("carrier", "mode"), [("mock", "error_500"), ("yurtici", "malformed"), ("aras", "malformed")])
def test_a_silent_carrier_is_asked_five_times_more_and_then_by_a_person(
    app: Flask, cast: Cast, sandbox: SandboxControl, carrier: str, mode: str
) -> None:
    parcel = parcels.announced(parcels.tapes(app, cast, sandbox), cast, carrier)
    for event in THE_WHOLE_WAY:
        sandbox.scan(carrier, parcel.key, event)
    sandbox.fault("track", mode, times=6, provider=carrier)
    waits = [wait_after_a_try(parcel, failures) for failures in range(1, 7)]
    assert all(0.79 * 2**n < wait < 1.21 * 2**n for n, wait in enumerate(waits)), waits
    watch, shown = parcels.watch_of(parcel), parcels.fresh(parcel)
    assert (watch.needs_person, watch.is_open, parcels.ask_carriers()) == (True, True, 0)
    assert (shown.attention != "", watch.last_note in shown.attention, shown.state) == (True, True, "PACKED")
    with atomic():
        assert shipping.ask_again([parcel.id]) == 1
    assert story.drain("shipment_sync") == 1
    assert parcels.states(parcel) == ("DELIVERED", "DELIVERED")
    assert {"PICKED_UP", "DELIVERED"} <= set(parcels.words(parcel))


def wait_after_a_try(parcel: Shipment, failures: int) -> float:
    """One more silence; the minutes until the next question."""
    assert parcels.ask_carriers() == 1
    watch = parcels.watch_of(parcel)
    assert (watch.failures, watch.needs_person) == (failures, failures == 6)
    left: timedelta = watch.next_ask_at - db.session.execute(select(DB_NOW)).scalar_one()
    return left / timedelta(minutes=1)


@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_slow_carrier_holds_nobody_up_and_counts_as_silent(
    app: Flask, cast: Cast, sandbox: SandboxControl, carrier: str
) -> None:
    parcel = parcels.announced(parcels.tapes(app, cast, sandbox), cast, carrier)
    sandbox.scan(carrier, parcel.key, "picked_up")
    sandbox.fault("track", "slow", provider=carrier, seconds=1.5)
    began = time.monotonic()
    assert parcels.ask_carriers() == 1
    assert time.monotonic() - began < 1.4
    assert (parcels.watch_of(parcel).failures, parcels.heard(parcel)) == (1, [])
    assert parcels.ask_carriers() == 1
    assert (parcels.watch_of(parcel).failures, parcels.states(parcel)) == (0, ("HANDED_OVER", "SHIPPED"))


@pytest.mark.parametrize("carrier", ["mock", "yurtici", "aras"])
def test_words_nobody_knows_are_kept_and_shown(app: Flask, cast: Cast, sandbox: SandboxControl, carrier: str) -> None:
    parcel = parcels.announced(parcels.tapes(app, cast, sandbox), cast, carrier)
    sandbox.scan(carrier, parcel.key, "picked_up")
    parcels.ask_carriers()
    before = parcels.fresh(parcel).carrier_status
    sandbox.scan(carrier, parcel.key, "unknown:X9:Gümrükte bekliyor")
    assert (parcels.ask_carriers(), parcels.ask_carriers()) == (1, 1)
    strange = [scan for scan in parcels.heard(parcel) if scan.status == "UNKNOWN"]
    assert ("X9", "Gümrükte bekliyor", False) in {(scan.code, scan.words, scan.moved) for scan in strange}
    assert parcels.fresh(parcel).carrier_status == before
    assert "Gümrükte bekliyor" in parcels.fresh(parcel).attention
    assert parcels.states(parcel) == ("HANDED_OVER", "SHIPPED")


def test_a_clock_outside_may_have_every_parcel_asked_about(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    both = [parcels.announced(parcels.tapes(app, cast, sandbox), cast, carrier) for carrier in ("mock", "aras")]
    story.drain("shipment_sync")
    client, secret = app.test_client(), {"X-Cron-Secret": app.config["CRON_SECRET"]}
    for send in (client.get, client.post):
        assert [send(SYNC).status_code, send(SYNC, headers={"X-Cron-Secret": "c"}).status_code] == [401, 401]
        assert story.drain("shipment_sync") == 0
        assert [send(SYNC, headers=secret).get_json() for _ in range(2)] == [{"parcels": 2}] * 2
        assert story.drain("shipment_sync") == 2
    assert [parcels.states(parcel) for parcel in both] == [("PACKED", "PAID")] * 2


def test_of_two_workers_one_asks(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    parcels.announced(parcels.tapes(app, cast, sandbox), cast, "mock")
    questions = parcels.count_questions(app)
    assert sorted(parcels.all_at_once(app, [tracking.ask_next] * 2)) == [False, True]
    assert len(questions) == 1


def test_workers_that_only_look_ask_twice(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    parcel = parcels.announced(parcels.tapes(app, cast, sandbox), cast, "mock")
    questions, meet = parcels.count_questions(app), threading.Barrier(2)

    def naive() -> None:
        due = db.session.scalar(select(ShipmentWatch.shipment_id).where(ShipmentWatch.next_ask_at <= DB_NOW))
        db.session.rollback()
        meet.wait()
        with atomic() as session:
            session.execute(update(ShipmentWatch).values(next_ask_at=DB_NOW + timedelta(minutes=2)))
        assert due == parcel.id
        tracking.where_is(parcel)

    parcels.all_at_once(app, [naive] * 2)
    assert len(questions) == 2
