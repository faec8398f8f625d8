"""Operators' pages: inbox, outbox, audit trail, and how the machinery is."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.wrappers import Response

from portal.accounts.guard import current_actor, requires
from portal.accounts.roles import Permission
from portal.core import audit, formats
from portal.core.errors import BadInput
from portal.core.ports import port
from portal.core.unit_of_work import atomic
from portal.core.web import choice, live, live_page, paged, region, search_words, wants_region
from portal.escrow.ports import PaymentAnswer, PaymentGateway
from portal.health import checks
from portal.health.books import ask_the_books
from portal.inbox import queries as inbox_queries
from portal.inbox import services as inbox
from portal.inbox.states import MESSAGE, Message
from portal.mail import queries as mail_queries
from portal.orders import queries as orders_queries
from portal.outbox import queries as outbox_queries
from portal.outbox import services as outbox
from portal.outbox.states import INTENT, Intent
from portal.reports import queries as reports_queries
from portal.schedules import queries as schedules_queries
from portal.shipping import queries as shipping_queries
from portal.shipping import services as shipping
from portal.workflows import provider_calls

bp = Blueprint("admin", __name__, url_prefix="/admin")


@bp.get("/")
@requires(Permission.HEALTH_SEE)
def home() -> Response | str:
    """The machinery at a glance, looking again by itself; the books are asked when the page is opened."""
    seen = live(
        "admin/_health.html",
        health=checks.look(),
        beats=schedules_queries.heartbeats(),
        inbox=inbox_queries.counts(),
        outbox=outbox_queries.counts(),
        letters=mail_queries.counts(),
        needs_person=outbox_queries.waiting_for_a_person(),
        providers=checks.providers(),
        running=schedules_queries.running(),
        making=reports_queries.in_progress(),
    )
    if wants_region():
        return seen
    return render_template("admin/home.html", region=Markup(seen.get_data(as_text=True)), troubles=ask_the_books())  # noqa: S704 (our own template, escaped)


@bp.get("/parcels")
@requires(Permission.PARCEL_SEE)
def parcels() -> str:
    """Parcels somebody has to look at, and why."""
    rows = paged(shipping_queries.needing_somebody(), row=shipping_queries.ParcelRow)
    watches = {row.shipment.id: shipping_queries.watch_of(row.shipment.id) for row in rows.rows}
    return render_template("admin/parcels.html", rows=rows, watches=watches)


@bp.post("/parcels/<int:shipment_id>/question")
@requires(Permission.PARCEL_ACT)
def ask_carrier(shipment_id: int) -> Response:
    """The carrier is asked again, with fresh patience."""
    with atomic():
        shipping.seen(shipping_queries.parcel_for_update(shipment_id))
        shipping.ask_again([shipment_id])
        audit.write_down(
            "carrier asked again",
            by=current_actor(),
            about=("shipment", shipment_id),
            because=request.form.get("because", ""),
        )
    return region("", page=url_for(".parcels"), toast=_("The carrier is asked."))


@bp.post("/parcels/<int:shipment_id>/seen")
@requires(Permission.PARCEL_ACT)
def seen(shipment_id: int) -> Response:
    """Somebody has looked; what he found is written down."""
    because = _reason()
    with atomic():
        shipping.seen(shipping_queries.parcel_for_update(shipment_id))
        audit.write_down("parcel looked at", by=current_actor(), about=("shipment", shipment_id), because=because)
    return region("", page=url_for(".parcels"), toast=_("Written down."))


@bp.get("/inbox")
@requires(Permission.INBOX_SEE)
def inbox_list() -> Response | str:
    """What providers told us."""
    state = choice("state", [state.value for state in Message])
    return _live_page(
        "inbox",
        messages=paged(inbox_queries.messages(state=state or None, search=search_words() or None)),
        counts=inbox_queries.counts(),
        state=state,
        machine=MESSAGE,
        q=search_words(),
    )


@bp.get("/inbox/<int:message_id>")
@requires(Permission.INBOX_SEE)
def message(message_id: int) -> str:
    """One message: its body masked, its tries."""
    return _message_page(message_id)


@bp.post("/inbox/<int:message_id>/body")
@requires(Permission.INBOX_ACT)
def unmasked(message_id: int) -> str:
    """The body as it came. Who looked, and why, is written down."""
    because = _reason()
    with atomic():
        found = inbox_queries.message(message_id)
        audit.write_down("inbox body seen", by=current_actor(), about=("inbox message", found.id), because=because)
    return _message_page(message_id, masked=False)


@bp.post("/inbox/<int:message_id>/question")
@requires(Permission.INBOX_SEE)
def ask_about_message(message_id: int) -> str:
    """What the provider says now; changes nothing."""
    kind, _separator, key = inbox_queries.message(message_id).aggregate_key.partition(":")
    gateway = port(PaymentGateway)
    answer = gateway.payment_by_token(key) if kind == "token" else gateway.payment_by_key(key)
    return _message_page(message_id, says=answer)


@bp.post("/inbox/<int:message_id>/replay")
@requires(Permission.INBOX_ACT)
def replay(message_id: int) -> Response:
    """Another look, with the original event id."""
    because = _reason()
    with atomic():
        inbox.replay(inbox_queries.message_for_update(message_id), by=current_actor(), because=because)
    return region("", page=url_for(".message", message_id=message_id), toast=_("It will be looked at again."))


@bp.post("/inbox/<int:message_id>/set-aside")
@requires(Permission.INBOX_ACT)
def set_aside(message_id: int) -> Response:
    """It will not be applied, and everybody can read why."""
    because = _reason()
    with atomic():
        inbox.set_aside_by_hand(inbox_queries.message_for_update(message_id), by=current_actor(), because=because)
    return region("", page=url_for(".message", message_id=message_id), toast=_("Set aside."))


@bp.get("/outbox")
@requires(Permission.OUTBOX_SEE)
def outbox_list() -> Response | str:
    """What we asked of providers; what waits for a person first."""
    state = choice("state", [state.value for state in Intent])
    person = request.args.get("person") == "1"
    return _live_page(
        "outbox",
        intents=paged(outbox_queries.intents(state=state or None, needs_person=person)),
        counts=outbox_queries.counts(),
        needs_person=outbox_queries.waiting_for_a_person(),
        state=state,
        person=person,
        machine=INTENT,
    )


@bp.get("/outbox/<int:intent_id>")
@requires(Permission.OUTBOX_SEE)
def intent(intent_id: int) -> str:
    """One call: what was asked, every try, and what may be decided."""
    return _intent_page(intent_id)


@bp.post("/outbox/<int:intent_id>/question")
@requires(Permission.OUTBOX_SEE)
def ask_about_intent(intent_id: int) -> str:
    """What the provider says about it now; changes nothing."""
    found = outbox_queries.intent(intent_id)
    return _intent_page(intent_id, says=provider_calls.ask_now(found).value)


@bp.post("/outbox/<int:intent_id>/decision")
@requires(Permission.OUTBOX_ACT)
def decide(intent_id: int) -> Response:
    """A person has looked at the provider: it was done, it was not, or send it again."""
    because, verdict = _reason(), request.form.get("verdict", "")
    with atomic():
        if verdict == "again":
            found = outbox_queries.intent_for_update(intent_id)
            outbox.send_again_by_hand(found, by=current_actor(), because=because)
        elif verdict in ("done", "not-done"):
            provider_calls.settle_by_hand(intent_id, done=verdict == "done", by=current_actor(), because=because)
        else:
            raise BadInput(fields={"verdict": _("Choose what you found.")})
    return region("", page=url_for(".intent", intent_id=intent_id), toast=_("Noted."))


@bp.get("/audit")
@requires(Permission.AUDIT_SEE)
def audit_trail() -> str:
    """Who did what."""
    return render_template("admin/audit.html", events=paged(audit.events(words=search_words())), q=search_words())


def _live_page(name: str, **context: Any) -> Response | str:
    return live_page(f"admin/{name}.html", f"admin/_{name}.html", **context)


def _message_page(message_id: int, *, masked: bool = True, says: PaymentAnswer | None = None) -> str:
    found = inbox_queries.message(message_id)
    return render_template(
        "admin/message.html",
        message=found,
        machine=MESSAGE,
        body=_readable(inbox_queries.raw_body(message_id), masked),
        masked=masked,
        says=says,
        attempts=inbox_queries.attempts(message_id),
        patience=inbox.PATIENCE_SECONDS,
        history=orders_queries.history("inbox message", [message_id]),
    )


def _intent_page(intent_id: int, *, says: str = "") -> str:
    found = outbox_queries.intent(intent_id)
    return render_template(
        "admin/intent.html",
        intent=found,
        machine=INTENT,
        request_text=formats.masked(json.dumps(found.request, indent=2, ensure_ascii=False)),
        attempts=outbox_queries.attempts(intent_id),
        says=says,
    )


def _readable(raw: bytes, masked: bool) -> str:
    text = raw.decode("utf-8", "replace")
    with suppress(ValueError, RecursionError):  # then it is shown as it came
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return formats.masked(text) if masked else text


def _reason() -> str:
    because = request.form.get("because", "").strip()[:500]
    if not because:
        raise BadInput(fields={"because": _("Say why, so that others understand it later.")})
    return because
