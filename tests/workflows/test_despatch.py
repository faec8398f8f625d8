"""A parcel leaves with its e-despatch note, once; and what the buyer and carriers say crosses on the way."""

from __future__ import annotations

import threading

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update

from portal.accounts.models import Organisation
from portal.core.database import db
from portal.core.errors import BadInput
from portal.core.state_machine import WrongMoment
from portal.core.unit_of_work import atomic
from portal.despatch import queries as despatch_queries
from portal.despatch import rules
from portal.despatch import services as notes
from portal.despatch.models import DespatchNote, DespatchSeries
from portal.outbox.models import ProviderIntent
from portal.shipping.models import Shipment
from portal.shipping.ports import Tracked
from portal.workflows import delivery
from tests import story
from tests.cast import Cast, actor
from tests.despatch.test_ubl import found_in
from tests.workflows import parcels
from tests.world import SandboxControl

SILENCES = ("timeout_before_effect", "timeout_after_effect", "error_500", "error_500_after_effect", "malformed")
CROWD = 16


def note_of(parcel: Shipment) -> DespatchNote:
    """The parcel's note as it is now."""
    db.session.rollback()
    return despatch_queries.notes_of([parcel.id])[parcel.id]


def taken(app: Flask, cast: Cast, sandbox: SandboxControl, pieces: int = 4) -> Shipment:
    """A parcel whose note the tax office has."""
    parcel = parcels.handed_over(parcels.tapes(app, cast, sandbox, pieces), cast)
    parcels.calls_settle()
    for _ in range(2):
        parcels.ask_office()
    assert note_of(parcel).state == "TAKEN"
    return parcel


def known_series(app: Flask, cast: Cast, sandbox: SandboxControl) -> Shipment:
    """One parcel of two is gone: the office knows the number series, and the other can be packed."""
    order = parcels.tapes(app, cast, sandbox, 2)
    parcels.handed_over(order, cast, pieces=1)
    parcels.calls_settle()
    return parcels.packed(order, cast)


# The note -------------------------------------------------------------------------------------------------


def test_handing_over_lays_a_note_down_sends_it_and_hears_that_it_was_taken(
    app: Flask, cast: Cast, sandbox: SandboxControl
) -> None:
    parcel = parcels.handed_over(parcels.tapes(app, cast, sandbox), cast)
    assert note_of(parcel).state == "WRITTEN"
    story.drain("provider_calls")
    (document,) = sandbox.despatches()
    assert (note_of(parcel).state, document["number"]) == ("SENT", note_of(parcel).number)
    assert str(parcels.fresh(parcel).delivery_note_uuid) == str(note_of(parcel).uuid) == document["uuid"]
    seen = [note_of(parcel).state]
    for _ in range(2):
        parcels.ask_office()
        seen.append(note_of(parcel).state)
    assert seen == ["SENT", "SENT", "TAKEN"]
    assert sandbox.effects("nilvera.draft") == sandbox.effects("nilvera.confirm") == {document["uuid"]: 1}


def test_a_note_may_wait_as_a_draft_for_the_seller(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    app.config["DESPATCH_SEND"] = False
    parcel = parcels.handed_over(parcels.tapes(app, cast, sandbox), cast)
    parcels.calls_settle()
    parcels.ask_office()
    assert (note_of(parcel).state, sandbox.effects("nilvera.confirm")) == ("DRAFTED", {})


@pytest.mark.parametrize(
    ("operation", "mode"),
    [*(("draft", mode) for mode in SILENCES), ("confirm", "timeout_after_effect"), ("confirm", "error_500")],
)
def test_silence_makes_no_second_document(
    app: Flask, cast: Cast, sandbox: SandboxControl, operation: str, mode: str
) -> None:
    parcel = known_series(app, cast, sandbox)
    sandbox.fault(operation, mode, provider="nilvera", seconds=1.2)
    parcels.hand_over(parcel, cast)
    parcels.calls_settle()
    assert note_of(parcel).state == "SENT"
    assert sandbox.effects("nilvera.draft")[str(note_of(parcel).uuid)] == 1
    assert sandbox.effects("nilvera.confirm")[str(note_of(parcel).uuid)] == 1
    assert (len(sandbox.despatches()), parcels.fresh(parcel).attention) == (2, "")


@pytest.mark.parametrize("operation", ["draft", "confirm"])
def test_a_refused_note_is_shown_in_the_offices_words(
    app: Flask, cast: Cast, sandbox: SandboxControl, operation: str
) -> None:
    parcel = known_series(app, cast, sandbox)
    sandbox.fault(operation, "refuse", provider="nilvera")
    parcels.hand_over(parcel, cast)
    parcels.calls_settle()
    assert (note_of(parcel).state, parcels.fresh(parcel).state) == ("FAILED", "HANDED_OVER")
    assert "Sandbox böyle istedi" in parcels.fresh(parcel).attention


def test_a_note_the_tax_office_refuses_later_is_shown_too(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    parcel = parcels.handed_over(parcels.tapes(app, cast, sandbox), cast)
    parcels.calls_settle()
    sandbox.http.post(f"/_sandbox/nilvera/documents/{note_of(parcel).uuid}/status", json={"code": "error"})
    parcels.ask_office()
    assert note_of(parcel).state == "FAILED"
    assert parcels.fresh(parcel).attention != ""


def test_the_stored_note_is_what_the_tax_office_wants(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    order = parcels.tapes(app, cast, sandbox)
    for carrier in ("manual", *parcels.CARRIERS):
        parcel = parcels.handed_over(order, cast, carrier, pieces=1)
        note = despatch_queries.note_with_text(parcel.id)
        assert found_in(note.ubl.encode()) == set()
        document = notes.document_of(note)
        own_van = document.carrier_tax_number == document.supplier.tax_number
        assert (rules.missing(document), own_van) == ([], carrier == "manual")
        assert [(line.barcode, line.quantity) for line in document.lines] == [(story.TAPE, 1)]


def test_a_note_that_would_be_sent_back_is_not_sent(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    order = parcels.tapes(app, cast, sandbox)
    with atomic() as session:
        session.execute(update(Organisation).values(postal_code=""))
    parcel = parcels.handed_over(order, cast)
    parcels.calls_settle()
    assert (note_of(parcel).state, sandbox.despatches()) == ("WRITTEN", [])
    assert parcels.count(ProviderIntent, ProviderIntent.operation == "draft_despatch") == 0
    assert "customer.postal_code" in parcels.fresh(parcel).attention


@pytest.mark.parametrize("verdict", ["FULL", "PARTIAL", "REFUSED"])
def test_the_receivers_answer_is_read_back_once(app: Flask, cast: Cast, sandbox: SandboxControl, verdict: str) -> None:
    parcel = taken(app, cast, sandbox)
    lines = [{"line_no": 1, "accepted": 3, "refused": 1, "why": "ezik"}] if verdict == "PARTIAL" else []
    sandbox.answer_despatch(note_of(parcel).uuid, verdict, lines=lines, note="bakıldı")
    parcels.ask_office()
    answered = note_of(parcel)
    assert (answered.verdict, answered.answer and answered.answer["note"]) == (verdict, "bakıldı")
    counted = {"FULL": (4, 0), "PARTIAL": (3, 1), "REFUSED": (0, 4)}[verdict]
    assert [(x["accepted"], x["refused"]) for x in (answered.answer or {})["lines"]] == [counted]
    sandbox.answer_despatch(answered.uuid, "FULL", note="anders")
    parcels.ask_office()
    assert (note_of(parcel).verdict, note_of(parcel).asked) == (verdict, answered.asked)


# Numbers without gaps -------------------------------------------------------------------------------------


def test_numbers_have_no_gaps_however_many_leave_at_once(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    ready = [parcels.packed(parcels.tapes(app, cast, sandbox, 1), cast).id for _ in range(CROWD)]

    def leaves(parcel_id: int) -> None:
        with atomic():
            delivery.hand_over_parcel(parcel_id, carrier="Elden", tracking_number="", by=actor(cast.deniz))

    parcels.all_at_once(app, [lambda parcel_id=parcel_id: leaves(parcel_id) for parcel_id in ready])  # type: ignore[misc]
    numbers = sorted(db.session.scalars(select(DespatchNote.number)))
    assert [int(number[-9:]) for number in numbers] == list(range(1, CROWD + 1))


def test_counting_the_largest_number_up_gives_one_number_to_many(app: Flask, cast: Cast) -> None:
    given, meet = list[int](), threading.Barrier(CROWD)

    def naive() -> None:
        largest = db.session.scalar(select(func.max(DespatchSeries.last_serial))) or 0
        db.session.rollback()
        meet.wait()
        given.append(largest + 1)

    parcels.all_at_once(app, [naive] * CROWD)
    assert len(set(given)) < CROWD


# What crosses on the way ----------------------------------------------------------------------------------


def hears(parcel: Shipment, *said: Tracked) -> None:
    """The carrier says so, one thing at a time."""
    for status in said:
        with atomic():
            parcels.hear_one(parcel.id, status)


def test_the_buyer_may_be_faster_than_the_carriers_word(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    parcel = parcels.announced(parcels.tapes(app, cast, sandbox), cast, "mock")
    hears(parcel, Tracked.PICKED_UP)
    with atomic():
        delivery.confirm_delivery(parcel.order_id, None, by=actor(cast.fatma), because="teslim aldım")
    assert parcels.states(parcel) == ("ACCEPTED", "COMPLETED")
    hears(parcel, Tracked.DELIVERED)
    assert (parcels.states(parcel), parcels.ask_carriers()) == (("ACCEPTED", "COMPLETED"), 0)
    assert parcels.fresh(parcel).attention == ""
    hears(parcel, Tracked.RETURNED)  # its money may be gone: a person has to look
    assert parcels.states(parcel) == ("ACCEPTED", "COMPLETED")
    assert parcels.fresh(parcel).attention != ""


def test_a_scan_of_a_cancelled_parcel_moves_nothing_and_is_shown(
    app: Flask, cast: Cast, sandbox: SandboxControl
) -> None:
    parcel = parcels.announced(parcels.tapes(app, cast, sandbox), cast, "mock")
    with atomic():
        delivery.cancel_parcel(parcel.id, by=actor(cast.deniz), because="wrong box")
    hears(parcel, Tracked.PICKED_UP)
    assert parcels.states(parcel) == ("CANCELLED", "PAID")
    assert (parcels.words(parcel), parcels.fresh(parcel).attention != "") == (["PICKED_UP"], True)


def test_what_came_back_can_be_shipped_again(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    order = parcels.tapes(app, cast, sandbox)
    first = parcels.announced(order, cast, "mock")
    hears(first, Tracked.PICKED_UP, Tracked.RETURNED)
    assert parcels.states(first) == ("RETURNED", "PAID")
    second = parcels.announced(order, cast, "mock")
    hears(second, Tracked.PICKED_UP, Tracked.DELIVERED)
    assert parcels.states(second) == ("DELIVERED", "DELIVERED")
    hears(first, Tracked.OUT_FOR_DELIVERY)
    assert parcels.states(first) == ("RETURNED", "DELIVERED")
    assert note_of(first).number != note_of(second).number


def test_lost_pieces_are_free_when_the_seller_gives_the_parcel_up(
    app: Flask, cast: Cast, sandbox: SandboxControl
) -> None:
    order = parcels.tapes(app, cast, sandbox)
    parcel = parcels.announced(order, cast, "mock")
    hears(parcel, Tracked.PICKED_UP, Tracked.LOST)
    assert (parcels.states(parcel), parcels.fresh(parcel).attention != "") == (("HANDED_OVER", "SHIPPED"), True)
    with atomic():
        delivery.parcel_lost(parcel.id, by=actor(cast.deniz), because="the carrier cannot find it")
    assert (parcels.states(parcel), parcels.fresh(parcel).attention) == (("LOST", "PAID"), "")
    hears(parcel, Tracked.DELIVERED)  # found after all, when new ones may be on their way: a person has to look
    assert (parcels.states(parcel), parcels.fresh(parcel).attention != "") == (("LOST", "PAID"), True)
    assert parcels.states(parcels.handed_over(order, cast)) == ("HANDED_OVER", "SHIPPED")


def test_what_was_lost_may_be_delivered_after_all(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    parcel = parcels.announced(parcels.tapes(app, cast, sandbox), cast, "mock")
    hears(parcel, Tracked.LOST, Tracked.DELIVERED)
    assert parcels.states(parcel) == ("DELIVERED", "DELIVERED")


def test_mended_papers_are_sent_again_under_the_same_number(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    with atomic() as session:
        session.execute(text("UPDATE organisation SET postal_code = '' WHERE kind = 'BUYER'"))
    parcel = parcels.handed_over(parcels.tapes(app, cast, sandbox), cast)
    parcels.calls_settle()
    number = note_of(parcel).number
    assert (note_of(parcel).state, sandbox.despatches()) == ("WRITTEN", [])
    with pytest.raises(BadInput), atomic():
        delivery.papers_again(parcel.id, by=actor(cast.deniz))
    with atomic() as session:
        session.execute(text("UPDATE organisation SET postal_code = '34710' WHERE kind = 'BUYER'"))
    with atomic():
        delivery.papers_again(parcel.id, by=actor(cast.deniz))
    parcels.calls_settle()
    assert (note_of(parcel).state, note_of(parcel).number, len(sandbox.despatches())) == ("SENT", number, 1)
    assert parcels.fresh(parcel).attention == ""
    with pytest.raises(WrongMoment), atomic():
        delivery.papers_again(parcel.id, by=actor(cast.deniz))
