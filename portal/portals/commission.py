"""The commission desk: the overview, why an amount is so, statements, the rehearsal, and the diary."""

from __future__ import annotations

import io
from datetime import date, timedelta
from typing import Any

from flask import Response as FlaskResponse
from flask import request, send_file, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.accounts.guard import current_person, requires
from portal.accounts.roles import Permission
from portal.commission import overview, queries, rehearsal, statement_pdf, statement_xlsx
from portal.commission import periods as looks
from portal.commission.overview import Window
from portal.commission.statements import Statement, statement
from portal.commission.why import Why, why
from portal.core import clock, formats
from portal.core.errors import BadInput, NotFound
from portal.core.web import nonce, paged, search_words
from portal.portals.commission_desk import bp, plain, shown

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def window_asked() -> Window:
    """Period, team and day of the books, from the query string; nonsense counts as not asked."""
    month = looks.read_month(request.args.get("period", ""))
    team = request.args.get("team", "")
    return Window(
        month,
        _day_after(request.args.get("as_of", "")) or (looks.next_month(month) if month else None),
        team=team if team in queries.teams() else "",
    )


def _day_after(text: str) -> date | None:
    try:
        return formats.read_day(text) + timedelta(days=1) if text else None
    except (BadInput, OverflowError):
        return None


@bp.get("/")
@requires(Permission.COMMISSION_SEE)
def home() -> Response:
    """Who earned what, and what waits for whom."""
    window = window_asked()
    rows = overview.people(window)
    total = overview.total(rows)
    people = [
        {"person_id": r.person_id, "name": r.name, "team": r.team, **_sums(r.sums), "blocked_minor": r.blocked}
        for r in rows
    ]
    return shown(
        "commission/home.html",
        {"people": people, "total": _sums(total)},
        rows=rows,
        total=total,
        window=window,
        teams=queries.teams(),
        waiting=_waiting(),
        months=_months(),
    )


def _sums(sums: Any) -> dict[str, int]:
    return {
        "earned_minor": sums.earned,
        "paid_minor": sums.paid,
        "reversed_minor": sums.reversed,
        "adjusted_minor": sums.adjusted,
        "outstanding_minor": sums.outstanding,
    }


def _months() -> list[date]:
    month = looks.month_of(clock.today())
    found = [month]
    for _n in range(5):
        month = looks.month_of(month - timedelta(days=1))
        found.append(month)
    return found


def _waiting() -> list[tuple[int, str, str]]:
    me = current_person().id
    pending = queries.waiting_for_a_check()
    mine = sum(count for _kind, count, maker in pending if maker != me)
    others = sum(count for _kind, count, maker in pending if maker == me)
    disputes = queries.dispute_counts()
    return [
        (mine, _("waiting for a second person: you may look"), url_for(".snapshot_list", state="PENDING_APPROVAL")),
        (others, _("made by you, waiting for somebody else"), url_for(".snapshot_list", state="PENDING_APPROVAL")),
        (
            disputes.get("ESCALATED", 0),
            _("objections whose answer is overdue"),
            url_for(".dispute_list", state="ESCALATED"),
        ),
        (disputes.get("OPEN", 0), _("objections being looked at"), url_for(".dispute_list", state="OPEN")),
    ]


# Deals ------------------------------------------------------------------------------------------------------


@bp.get("/lines/<int:line_id>")
@requires(Permission.COMMISSION_SEE)
def line(line_id: int) -> Response:
    """Why is this amount so?"""
    found = why(queries.line_row(line_id))
    return shown("commission/why.html", explained(found), why=found, desk=True, key=nonce(), today=clock.today())


def explained(found: Why) -> dict[str, Any]:
    """The explanation for machines."""
    steps = [{"title": s.title, "text": s.text, "minor": s.minor} for s in found.steps]
    return {"line_id": found.row.line.id, "wording": found.policy.wording, "steps": steps}


# Statements, rehearsal, diary -------------------------------------------------------------------------------


@bp.get("/people/<int:person_id>/statement.<file_kind>")
@requires(Permission.COMMISSION_SEE)
def person_statement(person_id: int, file_kind: str) -> Response:
    """Somebody's statement as XLSX or PDF."""
    return statement_file(person_id, file_kind)


def statement_file(person_id: int, kind: str) -> FlaskResponse:
    """The file: of a month (`period`), or of this year so far."""
    today = clock.today()
    month = looks.read_month(request.args.get("period", ""))
    from_on = month or today.replace(month=1, day=1)
    until_on = looks.next_month(month) if month else today + timedelta(days=1)
    makers = {"xlsx": (statement_xlsx.workbook_of, XLSX), "pdf": (statement_pdf.pdf_of, "application/pdf")}
    if kind not in makers:
        raise NotFound
    made: Statement = statement(person_id, from_on, until_on)
    make, mimetype = makers[kind]
    name = f"hakedis-{person_id}-{from_on:%Y%m%d}-{made.last_on:%Y%m%d}.{kind}"
    answer = send_file(io.BytesIO(make(made)), mimetype=mimetype, as_attachment=True, download_name=name)
    answer.headers["X-Control-Total"] = f"{made.closing} {made.control}"
    return answer


@bp.get("/rehearsal")
@requires(Permission.COMMISSION_SEE)
def rehearsal_page() -> Response:
    """The last quarter under another policy."""
    all_policies = queries.policies()
    wanted = request.args.get("policy", "")
    chosen = next((p for p in all_policies if str(p.id) == wanted), all_policies[0] if all_policies else None)
    quarter = looks.read_month(request.args.get("quarter", ""))
    if quarter is not None:
        from_on, until_on = rehearsal.quarter_before(looks.next_month(looks.next_month(looks.next_month(quarter))))
    else:
        from_on, until_on = rehearsal.quarter_before(clock.today())
    found = rehearsal.rehearse(chosen, from_on, until_on) if chosen else None
    changes = [c._asdict() | {"difference": c.difference} for c in found.changes] if found else []
    return shown(
        "commission/rehearsal.html",
        {"from": f"{from_on}", "until": f"{until_on}", "changes": changes},
        policies=all_policies,
        chosen=chosen,
        found=found,
        quarters=_quarters(),
        quarter=from_on,
    )


def _quarters() -> list[date]:
    found, day = [], clock.today()
    this = rehearsal.quarter_before(day)[1]
    found.append(this)
    for _n in range(4):
        found.append(rehearsal.quarter_before(found[-1])[0])
    return found


@bp.get("/audit")
@requires(Permission.COMMISSION_SEE)
def diary() -> Response:
    """Who did what, when, and what changed."""
    rows = paged(queries.diary(kind=search_words("kind")))
    fields = ("id", "at", "actor", "action", "subject_kind", "subject_id", "before", "after", "because")
    return shown("commission/audit.html", {"events": [plain(e, *fields) for e in rows.rows]}, rows=rows)
