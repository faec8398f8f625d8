"""What is forgotten in time, what history allows for it and what not, who looked, and what we know of somebody."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError

from portal.accounts.roles import Role
from portal.core.database import DB_NOW, db
from portal.core.unit_of_work import atomic
from portal.disputes import queries as disputes_queries
from portal.disputes import services as disputes
from portal.disputes.models import DisputePhoto, PieceDispute
from portal.disputes.pictures import redrawn
from portal.disputes.states import Resolution
from portal.inbox import queries as inbox
from portal.inbox.models import InboxAttempt, InboxMessage
from portal.mail import services as mails
from portal.mail.models import MailEnclosure, MailMessage
from portal.marketplace.models import StorefrontPackage
from portal.outbox.models import ProviderAttempt
from portal.privacy import services
from portal.privacy.forgetting import forget
from portal.settings import Settings, WrongSettings
from portal.shipping import queries as shipping_queries
from portal.shipping import services as shipping
from portal.shipping.models import CarrierScan, Shipment
from portal.shipping.ports import Scan, Tracked
from portal.workflows import arguments
from tests import story
from tests.cast import Cast, actor, sign_in
from tests.mail.letters import write
from tests.pictures import a_photo
from tests.world import SandboxControl

KINDS = ("messages", "letters", "files", "errors", "notes", "photos", "scans", "parcels")
NOTHING = dict.fromkeys(KINDS, 0)


def age(days: int) -> None:
    """Everything was long ago; the history's trigger looks away for the test's own time machine only."""
    ago = DB_NOW - timedelta(days=days)
    with atomic():
        db.session.execute(update(InboxMessage).values(received_at=ago))
        db.session.execute(update(MailMessage).values(created_at=ago))
        db.session.execute(update(MailEnclosure).values(recorded_at=ago))
        db.session.execute(text("SET LOCAL session_replication_role = replica"))
        db.session.execute(update(InboxAttempt).values(ended_at=ago, note="Ayşe Demir, +905321112233"))
        db.session.execute(update(ProviderAttempt).values(ended_at=ago, note="TR330006100519786457841326"))


def notes() -> set[str]:
    """Providers' words that are still there."""
    return {*db.session.scalars(select(InboxAttempt.note)), *db.session.scalars(select(ProviderAttempt.note))}


def test_what_is_over_its_time_is_forgotten_and_the_rows_stay(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    story.completed(app, cast, sandbox)
    story.drain("mail")
    with atomic():
        kept = mails.enclose("rapor.xlsx", "application/vnd.ms-excel", b"x")
    write(enclosure_id=kept.id)
    story.drain("mail")
    before = {
        table: db.session.scalar(select(func.count()).select_from(table)) for table in (InboxMessage, MailMessage)
    }
    assert forget() == NOTHING
    age(89)
    assert forget() == NOTHING
    age(91)
    found = forget()
    assert (found["messages"], found["letters"], found["files"], found["notes"]) == (1, 0, 0, 0)
    assert inbox.raw_body(1) == b""
    age(366)
    found = forget()
    assert found["letters"] >= 2 and found["files"] == 1 and found["notes"] >= 3
    assert notes() == {""}
    assert set(db.session.scalars(select(MailMessage.text_body))) == {""}
    assert {table: db.session.scalar(select(func.count()).select_from(table)) for table in before} == before
    assert forget() == NOTHING
    # A late repeat is still a repeat.
    assert story.deliver_webhook(app, sandbox.webhooks()[0]) == 200
    assert db.session.scalar(select(InboxMessage.seen_count)) == 2


def test_what_still_waits_is_not_forgotten(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    token = story.open_page(cast, story.place(cast))
    sandbox.pay(token)
    story.deliver_webhook(app, sandbox.webhooks()[0])
    write()
    age(400)
    found = forget()
    assert (found["messages"], found["letters"]) == (0, 0)
    assert inbox.raw_body(1) != b""


def test_pictures_and_carriers_words_are_forgotten_when_nobody_needs_them(
    app: Flask, cast: Cast, sandbox: SandboxControl
) -> None:
    dispute = story.objected(story.paid(app, cast, sandbox)[0], cast)
    said = Scan(Tracked.DELIVERED, "5", "TESLİM ALAN: FATMA YILDIZ", place="Kadıköy")
    with atomic():
        disputes.add_photo(dispute, redrawn(a_photo()), count=0, by=actor(cast.fatma))
        parcel = shipping_queries.parcel_for_update(dispute.shipment_id)
        shipping.hear(parcel, [said])
    long_ago(731)
    for sin in ("dispute_photo SET jpeg = 'x'", "carrier_scan SET words = '', place = ''"):
        with pytest.raises(IntegrityError, match="rows are only added"), atomic():
            db.session.execute(text("SELECT set_config('emanet.retention', 'on', true)"))
            db.session.execute(text(f"UPDATE {sin}"))
    found = forget()
    assert (found["scans"], found["parcels"]) == (1, 1)
    assert (found["photos"], shown(dispute)) == (0, 1)  # it is still argued about
    with atomic():
        arguments.settle(
            dispute.id, Resolution.RELEASE, role=Role.BUYER, by=actor(cast.fatma), because="köşesi önemli değilmiş"
        )
    assert forget() == NOTHING  # settled today
    with atomic():
        db.session.execute(update(PieceDispute).values(settled_at=DB_NOW - timedelta(days=731)))
    found = forget()
    assert found["photos"] == 1
    assert shown(dispute) == 0
    assert sign_in(app, cast.fatma).get(f"/disputes/{dispute.id}/photos/1")[0] == 404
    db.session.expire_all()
    assert forget() == NOTHING
    with atomic():  # the carrier says it once more: known, and not written again
        assert shipping.hear(shipping_queries.parcel_for_update(dispute.shipment_id), [said]) == []


def shown(dispute: PieceDispute) -> int:
    """Pictures on its page."""
    return len(disputes_queries.photos(dispute.id))


def long_ago(days: int) -> None:
    """Everything of the story happened so long ago."""
    age(days)
    ago = DB_NOW - timedelta(days=days)
    with atomic():
        db.session.execute(update(StorefrontPackage).values(changed_at=ago))
        db.session.execute(update(Shipment).values(created_at=ago))
        db.session.execute(text("SET LOCAL session_replication_role = replica"))
        db.session.execute(update(DisputePhoto).values(added_at=ago))
        db.session.execute(update(CarrierScan).values(heard_at=ago))


SINS = {
    "another column": "UPDATE provider_attempt SET note = '', outcome = 'DONE '",
    "not emptied": "UPDATE provider_attempt SET note = 'x'",
    "removed": "DELETE FROM provider_attempt",
    "all at once": "TRUNCATE provider_attempt",
    "another history": "UPDATE transition SET reason = ''",
    "the books": "UPDATE posting SET amount_kurus = 1",
}


@pytest.mark.parametrize("sin", SINS)
def test_history_allows_exactly_this_and_nothing_else(
    app: Flask, cast: Cast, sandbox: SandboxControl, sin: str
) -> None:
    story.completed(app, cast, sandbox)
    age(400)
    with pytest.raises(IntegrityError, match="rows are only added"), atomic():
        db.session.execute(text("SELECT set_config('emanet.retention', 'on', true)"))
        db.session.execute(text(SINS[sin]))


@pytest.mark.parametrize(("days", "said"), [(400, False), (10, True)])
def test_history_wants_the_word_and_the_age(
    app: Flask, cast: Cast, sandbox: SandboxControl, days: int, said: bool
) -> None:
    story.paid(app, cast, sandbox)
    age(days)
    with pytest.raises(IntegrityError, match="rows are only added"), atomic():
        if said:
            db.session.execute(text("SELECT set_config('emanet.retention', 'on', true)"))
        db.session.execute(text("UPDATE provider_attempt SET note = ''"))


def test_the_word_is_forgotten_with_the_transaction(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    story.paid(app, cast, sandbox)
    forget()
    assert db.session.scalar(text("SELECT current_setting('emanet.retention', true)")) in (None, "")


def test_a_period_the_database_would_refuse_is_refused_at_start() -> None:
    with pytest.raises(WrongSettings, match=r"RETENTION_NOTE_DAYS[^$]*RETENTION_PHOTO_DAYS"):
        Settings.from_env({"RETENTION_NOTE_DAYS": "7", "RETENTION_PHOTO_DAYS": "29", "RETENTION_SCAN_DAYS": "30"})
    with pytest.raises(WrongSettings, match="RETENTION_PUSH_DAYS"):
        Settings.from_env({"RETENTION_PUSH_DAYS": "7"})


def test_what_we_know_of_somebody_is_told_once_asked_with_a_reason(
    app: Flask, cast: Cast, sandbox: SandboxControl
) -> None:
    story.completed(app, cast, sandbox)
    gul = sign_in(app, cast.gul)
    assert gul.post("/admin/privacy/exports", person=str(cast.fatma.id), because="")[0] == 422
    assert gul.post("/admin/privacy/exports", person="x", because="başvuru")[0] == 422
    assert gul.post("/admin/privacy/exports", person="999999", because="başvuru")[0] == 404
    form = {"person": str(cast.fatma.id), "because": "KVKK başvurusu 7", "csrf_token": gul.token}
    answer = gul.client.post("/admin/privacy/exports", data=form)
    assert answer.headers["Content-Disposition"].startswith("attachment")
    known = json.loads(answer.data)
    assert known["person"]["email"] == cast.fatma.email
    assert {"checkout.placed_by_person_id", "transition.actor_person_id"} <= known.keys()
    assert "argon2" not in answer.text and "password_hash" not in answer.text and "token_hash" not in answer.text
    assert cast.deniz.email not in answer.text and "deniz" not in json.dumps(known["person"]).lower()
    page = gul.get("/admin/privacy/")[1]
    assert "KVKK başvurusu 7" in page and "RETENTION_WEBHOOK_DAYS" in page
    for person in (cast.ayse, cast.burak, cast.deniz):
        assert sign_in(app, person).get("/admin/privacy/")[0] == 403


def test_no_table_with_a_person_is_left_out(app: Flask, cast: Cast) -> None:
    """Every foreign key to a person is walked: a new table is told of without anybody remembering it."""
    pointing = {
        f"{table.name}.{column.name}"
        for table in db.metadata.sorted_tables
        for column in table.columns
        if any(key.column.table.name == "person" for key in column.foreign_keys)
    }
    assert len(pointing) > 15
    assert set(services.known_of(cast.fatma)) >= {"person", "organisation"}
