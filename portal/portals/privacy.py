"""Personal data (KVKK): how long what is kept, who looked at masked data, and what we know of somebody."""

from __future__ import annotations

import io
import json

from flask import Blueprint, current_app, render_template, request, send_file
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.accounts import queries as accounts
from portal.accounts.guard import current_actor, requires
from portal.accounts.roles import Permission
from portal.core import audit, clock
from portal.core.errors import BadInput
from portal.core.unit_of_work import atomic
from portal.core.web import paged
from portal.privacy import services

bp = Blueprint("privacy", __name__, url_prefix="/admin/privacy")


@bp.get("/")
@requires(Permission.PRIVACY_SEE)
def show() -> str:
    """Periods, looks, and the form for an export."""
    periods = [(period.what, current_app.config[period.setting], period.setting) for period in services.PERIODS]
    return render_template(
        "privacy/show.html", periods=periods, looks=paged(audit.looks()), people=accounts.everybody()
    )


@bp.post("/exports")
@requires(Permission.PRIVACY_ACT)
def export() -> Response:
    """Everything we know of one person, as a file. Who asked for it, and why, is written down."""
    typed, because = request.form.get("person", ""), request.form.get("because", "").strip()[:500]
    if not because:
        raise BadInput(fields={"because": _("Say why, so that others understand it later.")})
    if not (typed.isascii() and typed.isdigit() and len(typed) < 19):
        raise BadInput(fields={"person": _("Choose somebody.")})
    with atomic():
        person = accounts.person(int(typed))
        known = services.export(person, by=current_actor(), because=because)
    content = json.dumps(known, ensure_ascii=False, indent=2, default=str).encode()
    name = f"kvkk-{person.id}-{clock.today():%Y-%m-%d}.json"
    return send_file(io.BytesIO(content), mimetype="application/json", as_attachment=True, download_name=name)
