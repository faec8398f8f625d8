"""Operators look, ask, decide: with a reason, and on the record."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import select

from portal.core.audit import AuditEvent
from portal.core.database import db
from portal.core.money import Money
from portal.core.unit_of_work import atomic
from portal.escrow import queries as escrow_queries
from portal.inbox import queries as inbox_queries
from portal.outbox import queries as outbox_queries
from portal.workflows import returns
from tests import story
from tests.cast import Cast, actor, sign_in
from tests.world import SandboxControl


def acts() -> list[str]:
    """What was written down, oldest first, without the signing in."""
    db.session.rollback()
    wanted = select(AuditEvent.action).where(AuditEvent.action != "signed in").order_by(AuditEvent.id)
    return list(db.session.scalars(wanted))


def test_a_body_is_masked_until_somebody_says_why_he_looks(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    story.paid(app, cast, sandbox)
    with atomic() as session:
        message = inbox_queries.message(1)
        session.refresh(message, ["raw_body"])
        message.raw_body = b'{"email": "fatma@gizli.example", "card": "5528790000000008"}'
    gul = sign_in(app, cast.gul)
    assert "gizli" not in gul.get("/admin/inbox/1")[1]
    assert "5528790000000008" not in gul.get("/admin/inbox/1")[1]
    assert "gizli" not in gul.post("/admin/inbox/1/body", because=" ")[1]
    assert "fatma@gizli.example" in gul.post("/admin/inbox/1/body", because="itiraz 12")[1]
    assert acts() == ["inbox body seen"]


def test_what_the_provider_says_now_is_shown_and_changes_nothing(
    app: Flask, cast: Cast, sandbox: SandboxControl
) -> None:
    story.paid(app, cast, sandbox)
    burak = sign_in(app, cast.burak)
    status, page = burak.post("/admin/inbox/1/question")
    assert status == 200
    assert "PAID" in page
    assert "214,75" in page
    assert acts() == []


def test_replaying_keeps_the_event_and_is_on_the_record(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    story.paid(app, cast, sandbox)
    before = inbox_queries.message(1).dedupe_key
    gul = sign_in(app, cast.gul)
    assert gul.post("/admin/inbox/1/replay", because="emin olmak için")[0] == 303
    story.drain("inbox")
    db.session.rollback()
    message = inbox_queries.message(1)
    assert (message.state, message.dedupe_key, message.last_note) == ("APPLIED", before, "nothing new")
    assert acts() == ["inbox replay"]


def test_only_a_person_settles_a_silent_refund(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    order = story.paid(app, cast, sandbox)[0]
    hold = escrow_queries.holds_of([order.id])[0]
    with atomic():
        returns.refund(hold.id, Money(500), by=actor(cast.ayse), because="ezik")
    sandbox.fault("refund", "timeout_before_effect", seconds=2)
    story.drain("provider_calls")
    intent = outbox_queries.intents_about("refund", ["1"])[0]
    ayse = sign_in(app, cast.ayse)
    assert "NOT_DONE" in ayse.post(f"/admin/outbox/{intent.id}/question")[1]
    assert ayse.post(f"/admin/outbox/{intent.id}/decision", because="", verdict="done")[0] == 422
    assert ayse.post(f"/admin/outbox/{intent.id}/decision", because="x", verdict="maybe")[0] == 422
    assert ayse.post(f"/admin/outbox/{intent.id}/decision", because="listede yok", verdict="not-done")[0] == 303
    db.session.rollback()
    assert escrow_queries.refunds_of([hold.id])[0].state == "REFUSED"
    assert escrow_queries.hold(hold.id).held_kurus == hold.amount_kurus
    assert ayse.post(f"/admin/outbox/{intent.id}/decision", because="again", verdict="done")[0] == 409
    assert acts() == ["intent settled by hand"]


def test_the_refund_form_reads_turkish_amounts_and_shows_the_split(
    app: Flask, cast: Cast, sandbox: SandboxControl
) -> None:
    order = story.paid(app, cast, sandbox)[0]
    hold = escrow_queries.holds_of([order.id])[0]
    ayse = sign_in(app, cast.ayse)
    url = f"/finance/holds/{hold.id}/refund"
    assert "9,15" in ayse.get(f"{url}?amount=10,00")[1]  # the seller's part of ten lira
    for nonsense in ("1,254.30", "abc", "0", "-1", ""):
        assert ayse.post(url, amount=nonsense, because="x")[0] == 422
    assert ayse.post(url, amount="10,00", because="")[0] == 422
    assert ayse.post(url, amount="10,00", because="ezik")[0] == 303
    assert ayse.post(url, amount="10,00", because="ezik")[0] == 409
    story.drain("provider_calls")
    assert escrow_queries.hold(hold.id).refunded_kurus == 1000
