"""The commission desk: locked months, what locking one would mean, and objections to a commission."""

from __future__ import annotations

from typing import Any

from flask import Response as FlaskResponse
from flask import request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.accounts.guard import current_actor, current_person, requires
from portal.accounts.roles import Permission
from portal.commission import calendar, queries
from portal.commission import periods as looks
from portal.commission.models import CommissionDispute
from portal.commission.queries import CommissionDisputeRow
from portal.commission.services import disputes, periods
from portal.commission.states import (
    COMMISSION_DISPUTE,
    LOCK,
    UNRESOLVED,
    CommissionDisputeState,
    LockState,
    Resolution,
)
from portal.core import clock
from portal.core.errors import BadInput
from portal.core.idempotency import digest_of
from portal.core.unit_of_work import atomic
from portal.core.web import choice, paged
from portal.disputes.pictures import redrawn
from portal.portals import commission_desk as desk
from portal.portals.commission_desk import bp, done, plain, said, shown
from portal.workflows import sales

LOCK_FIELDS = (
    "id", "period_on", "state", "locked_by", "locked_at", "because", "consequences", "seal_rows", "seal_minor", "seal",
)  # fmt: skip
DISPUTE_FIELDS = (
    "id", "line_id", "person_id", "state", "amount_minor", "claim", "opened_at", "answer_by_on", "escalated_at",
    "resolution", "resolved_minor", "because", "resolver", "resolved_at",
)  # fmt: skip


@bp.get("/period-locks")
@requires(Permission.COMMISSION_SEE)
def period_locks() -> Response:
    """Every lock there ever was; with `period`, what locking that month would mean."""
    rows = looks.locks()
    asked = looks.read_month(request.args.get("period", ""))
    preview = looks.what_if(asked) if asked else None
    digest = digest_of(preview) if preview else ""
    locks = [plain(row.lock, *LOCK_FIELDS) | {"release": _release(row.release)} for row in rows]
    return shown(
        "commission/periods.html",
        {"locks": locks, "preview": preview, "digest": digest},
        rows=rows,
        month=asked,
        preview=preview,
        digest=digest,
        locked=looks.active_lock(asked) if asked else None,
        me=current_person(),
        machine=LOCK,
        months=_months(),
    )


def _release(release: Any) -> dict[str, Any] | None:
    return plain(release, "state", "because", "maker", "checker", "digest") if release else None


def _months() -> list[Any]:
    """This month and the eleven before it, each with its lock."""
    month, found = looks.month_of(clock.today()), []
    locked = looks.locked_months()
    for _n in range(12):
        found.append((month, month in locked))
        month = month.replace(year=month.year - (month.month == 1), month=12 if month.month == 1 else month.month - 1)
    return found


@bp.post("/period-locks")
@requires(Permission.COMMISSION_LOCK)
def lock_period() -> Response:
    """Close a month, with the fingerprint of the preview that was shown."""
    sent = said()
    month = desk.month_of(sent)
    because = desk.words(sent, "because")
    with atomic():
        lock = periods.lock(month, shown=desk.shown_digest(sent), because=because, by=current_actor())
    toast = _("%(month)s is locked.", month=f"{month:%m.%Y}")
    return done(url_for(".period_locks"), toast, plain(lock, *LOCK_FIELDS), 201)


@bp.post("/period-locks/<int:lock_id>/release")
@requires(Permission.COMMISSION_LOCK)
def release_lock(lock_id: int) -> Response:
    """The first person asks with a reason; the second one, shown that reason, opens the month."""
    sent = said()
    with atomic():
        lock = looks.lock_by_id(lock_id, for_update=True)
        asked = looks.release_of(lock_id)
        if asked is None:
            asked = periods.ask_release(lock, because=desk.words(sent, "because"), by=current_actor())
        else:
            periods.release(lock, asked, shown=desk.shown_digest(sent), by=current_actor())
        answer = plain(lock, *LOCK_FIELDS) | {"release": _release(asked)}
    opened = lock.state == LockState.RELEASED
    toast = _("The month is open again.") if opened else _("Asked for. A second person releases it.")
    return done(url_for(".period_locks"), toast, answer)


# Disputes ---------------------------------------------------------------------------------------------------


@bp.get("/disputes")
@requires(Permission.COMMISSION_SEE)
def dispute_list() -> Response:
    """Objections, the most urgent first."""
    state = choice("state", list(CommissionDisputeState))
    rows = paged(queries.disputes(state=state), row=CommissionDisputeRow)
    return shown(
        "commission/disputes.html",
        {"disputes": [plain(row.dispute, *DISPUTE_FIELDS) for row in rows.rows], "total": rows.total},
        rows=rows,
        counts=queries.dispute_counts(),
        state=state,
        machine=COMMISSION_DISPUTE,
        show=".dispute",
        left=lambda day: calendar.business_days_left(clock.today(), day),
    )


@bp.get("/disputes/<int:dispute_id>")
@requires(Permission.COMMISSION_SEE)
def dispute(dispute_id: int) -> Response:
    """What is wrong, what was said, and the ways to end it."""
    row = queries.dispute(dispute_id)
    return shown("commission/dispute.html", plain(row.dispute, *DISPUTE_FIELDS), **dispute_context(row), desk=True)


def dispute_context(row: CommissionDisputeRow) -> dict[str, Any]:
    """What a dispute's page shows, whoever looks."""
    return {
        "row": row,
        "dispute": row.dispute,
        "line": queries.line_row(row.dispute.line_id),
        "conversation": queries.conversation(row.dispute.id),
        "papers": queries.papers(row.dispute.id),
        "open": row.dispute.state in UNRESOLVED,
        "left": calendar.business_days_left(clock.today(), row.dispute.answer_by_on),
        "me": current_person(),
        "today": clock.today(),
        "resolutions": list(Resolution),
    }


@bp.post("/disputes/<int:dispute_id>/messages")
@requires(Permission.COMMISSION_RESOLVE)
def dispute_say(dispute_id: int) -> Response:
    """One more sentence from the desk."""
    return say(dispute_id, url_for(".dispute", dispute_id=dispute_id), said())


def say(dispute_id: int, page: str, sent: Any) -> Response:
    """One more sentence, and pictures of papers."""
    pictures = [redrawn(content) for file in request.files.getlist("photo")[:4] if (content := file.read())]
    body = desk.words(sent, "body", 2000)
    with atomic():
        found = queries.one(CommissionDispute, dispute_id, for_update=True)
        for picture in pictures:
            disputes.attach(found, picture, by=current_actor())
        if body or not pictures:
            disputes.say(found, body, by=current_actor())
    return done(page, _("Written down."), plain(found, *DISPUTE_FIELDS))


@bp.get("/disputes/<int:dispute_id>/papers/<int:paper_id>")
@requires(Permission.COMMISSION_SEE)
def dispute_paper(dispute_id: int, paper_id: int) -> FlaskResponse:
    """One picture, drawn by us."""
    return FlaskResponse(queries.paper(dispute_id, paper_id).jpeg, mimetype="image/jpeg")


@bp.post("/disputes/<int:dispute_id>/resolve")
@requires(Permission.COMMISSION_RESOLVE)
def resolve_dispute(dispute_id: int) -> Response:
    """It is decided, and what follows is posted."""
    return _resolve(dispute_id)


@bp.post("/disputes/<int:dispute_id>/status")
@requires(Permission.COMMISSION_RESOLVE)
def dispute_status(dispute_id: int) -> Response:
    """The same as resolve (spec §6)."""
    return _resolve(dispute_id)


def _resolve(dispute_id: int) -> Response:
    sent = said()
    wanted = desk.words(sent, "resolution", 20)
    if wanted not in list(Resolution):
        raise BadInput(fields={"resolution": _("Choose how it ends.")})
    with atomic():
        found = disputes.resolve(
            dispute_id,
            Resolution(wanted),
            by=current_actor(),
            because=desk.words(sent, "because"),
            amount_minor=desk.minor(sent, "amount"),
            dated_on=desk.day_of(sent, "dated_on"),
        )
    return done(url_for(".dispute", dispute_id=dispute_id), _("Decided."), plain(found, *DISPUTE_FIELDS))


@bp.post("/disputes/escalate-overdue")
@requires(Permission.COMMISSION_RESOLVE)
def escalate_overdue() -> Response:
    """What the timetable does every quarter of an hour, now."""
    count = sales.escalate_overdue()
    return done(url_for(".dispute_list"), _("%(n)d sent to the top of the list.", n=count), {"escalated": count})
