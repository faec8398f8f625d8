"""A sales agent's own page: what was earned, why, what is paid; and objecting to it."""

from __future__ import annotations

from flask import Blueprint, render_template, request, url_for
from flask import Response as FlaskResponse
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.accounts.guard import current_actor, current_person, requires
from portal.accounts.roles import Permission
from portal.commission import calendar, overview, queries
from portal.commission.overview import Window
from portal.commission.queries import CommissionDisputeRow
from portal.commission.services import disputes
from portal.commission.why import why
from portal.core import clock, formats
from portal.core.unit_of_work import atomic
from portal.core.web import paged, region
from portal.portals import commission_desk as desk
from portal.portals.commission import statement_file
from portal.portals.commission_periods import dispute_context, say

bp = Blueprint("my_commission", __name__, url_prefix="/commission")


@bp.get("/")
@requires(Permission.COMMISSION_SEE_OWN)
def home() -> str:
    """My month, my lines, and what I have objected to."""
    me = current_person()
    today = clock.today()
    return render_template(
        "commission/mine.html",
        all=overview.sums_of(me.id, Window()),
        month=overview.sums_of(me.id, Window(from_on=today.replace(day=1))),
        lines=queries.lines_of_person(me.id),
        disputes=paged(queries.disputes(person_id=me.id), row=CommissionDisputeRow),
        left=lambda day: calendar.business_days_left(today, day),
        today=today,
    )


@bp.get("/lines/<int:line_id>")
@requires(Permission.COMMISSION_SEE_OWN)
def line(line_id: int) -> str:
    """Why is my amount so? Somebody else's line does not exist."""
    row = queries.line_row(line_id, person_id=current_person().id)
    opened = disputes.open_about(line_id)
    return render_template("commission/why.html", why=why(row), desk=False, opened=opened, account=row.account)


@bp.post("/lines/<int:line_id>/disputes")
@requires(Permission.COMMISSION_SEE_OWN)
def object_to(line_id: int) -> Response:
    """Object; what is not paid yet is held back."""
    queries.line_row(line_id, person_id=current_person().id)
    typed = request.form.get("amount", "").strip()
    amount = formats.read_lira(typed).kurus if typed else 0
    with atomic():
        opened = disputes.open_dispute(
            line_id, amount_minor=amount, claim=request.form.get("claim", "")[:2000], by=current_actor()
        )
    toast = _("Written down. You will have an answer by %(day)s.", day=formats.day(opened.answer_by_on))
    return region("", page=url_for(".dispute", dispute_id=opened.id), toast=toast)


@bp.get("/disputes/<int:dispute_id>")
@requires(Permission.COMMISSION_SEE_OWN)
def dispute(dispute_id: int) -> str:
    """My objection."""
    row = queries.dispute(dispute_id, person_id=current_person().id)
    return render_template("commission/dispute.html", **dispute_context(row), desk=False)


@bp.post("/disputes/<int:dispute_id>/messages")
@requires(Permission.COMMISSION_SEE_OWN)
def dispute_say(dispute_id: int) -> Response:
    """One more sentence of mine, and papers."""
    queries.dispute(dispute_id, person_id=current_person().id)
    return say(dispute_id, url_for(".dispute", dispute_id=dispute_id), desk.said())


@bp.get("/disputes/<int:dispute_id>/papers/<int:paper_id>")
@requires(Permission.COMMISSION_SEE_OWN)
def dispute_paper(dispute_id: int, paper_id: int) -> FlaskResponse:
    """A paper of my objection."""
    queries.dispute(dispute_id, person_id=current_person().id)
    return FlaskResponse(queries.paper(dispute_id, paper_id).jpeg, mimetype="image/jpeg")


@bp.get("/statement.<file_kind>")
@requires(Permission.COMMISSION_SEE_OWN)
def statement(file_kind: str) -> FlaskResponse:
    """My statement as XLSX or PDF."""
    return statement_file(current_person().id, file_kind)
