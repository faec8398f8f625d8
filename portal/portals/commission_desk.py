"""What the commission desk's routes share: one address for people and machines (spec §6), and how forms are read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask import Blueprint, current_app, render_template, request
from flask_babel import gettext as _
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response

from portal.accounts.guard import may
from portal.accounts.roles import Permission
from portal.commission import periods as looks
from portal.core import clock, formats
from portal.core.api import from_a_machine, reply, wants_json
from portal.core.errors import BadInput, NotAllowed
from portal.core.web import region

bp = Blueprint("commission", __name__, url_prefix="/admin/commission")


@bp.before_request
def _forms_need_their_token() -> None:
    """A machine is known by its bearer token and has no session anybody could misuse; everybody else shows the
    form's token."""
    if not from_a_machine():
        current_app.extensions["csrf"].protect()


def shown(template: str, answer: object, **context: Any) -> Response:
    """The page for people, `answer` as JSON for machines."""
    if wants_json():
        return reply(answer)
    return Response(render_template(template, **context), mimetype="text/html")


def done(page: str, toast: str, answer: object, status: int = 200) -> Response:
    """Back to a page with a word about what happened; `answer` as JSON for machines."""
    return reply(answer, status) if wants_json() else region("", page=page, toast=toast)


def said() -> Mapping[str, Any]:
    """What was sent: a JSON object, or a form."""
    if not from_a_machine() and request.mimetype != "application/json":
        return request.form.to_dict()
    if not request.get_data():
        return {}
    body = request.get_json(silent=True)
    if not isinstance(body, dict) or "\x00" in request.get_data(as_text=True) or _deep_nul(body):
        raise BadRequest
    return body


def _deep_nul(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_deep_nul(v) for v in (*value.keys(), *value.values()))
    if isinstance(value, list):
        return any(_deep_nul(v) for v in value)
    return isinstance(value, str) and ("\x00" in value or any("\ud800" <= c <= "\udfff" for c in value))


def words(sent: Mapping[str, Any], name: str, most: int = 1000) -> str:
    """A text field; missing is empty, anything but text is refused."""
    value = sent.get(name, "")
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise BadInput(fields={name: _("This is not a text.")})
    return str(value).strip()[:most]


def whole(sent: Mapping[str, Any], name: str) -> int:
    """A number of something."""
    text = words(sent, name, 20)
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise BadInput(fields={name: _("This is not a number.")})
    return int(text)


def minor(sent: Mapping[str, Any], name: str) -> int | None:
    """An amount: machines send kuruş (`amount_minor`), people write lira (`amount`); None when left out."""
    if (sent.get(f"{name}_minor")) not in (None, ""):
        return whole(sent, f"{name}_minor")
    text = words(sent, name, 30)
    return formats.read_lira(text, field=name).kurus if text else None


def needed_minor(sent: Mapping[str, Any], name: str) -> int:
    """An amount that cannot be left out."""
    amount = minor(sent, name)
    if amount is None:
        raise BadInput(fields={name: _("Write the amount like 1.254,30.")})
    return amount


def day_of(sent: Mapping[str, Any], name: str) -> date | None:
    """A day as people or machines write it; None when left out."""
    text = words(sent, name, 20)
    return formats.read_day(text, name) if text else None


def month_of(sent: Mapping[str, Any], name: str = "period") -> date:
    """A month like 2026-10."""
    month = looks.read_month(words(sent, name, 10))
    if month is None:
        raise BadInput(fields={name: _("Write the month like 2026-10.")})
    return month


def shown_digest(sent: Mapping[str, Any]) -> str:
    """The fingerprint of what the sender was shown; without it nobody can agree to anything."""
    digest = words(sent, "digest", 100)
    if not digest:
        raise BadInput(fields={"digest": _("The fingerprint of what you were shown is missing.")})
    return digest


def override(sent: Mapping[str, Any]) -> str:
    """The reason of somebody who checks his own work; a permission of its own (spec §6)."""
    because = words(sent, "override_because")
    if because and not may(Permission.COMMISSION_OVERRIDE):
        raise NotAllowed
    return because


def plain(row: Any, *fields: str) -> dict[str, Any]:
    """Some columns of a row, as machines read them."""
    return {name: _value(getattr(row, name)) for name in fields}


def _value(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if isinstance(value, date | datetime) else value


def first_open_day(wished: date) -> date:
    """The day something is booked on: its own, or today where its month is locked."""
    return clock.today() if looks.active_lock(wished) else wished
