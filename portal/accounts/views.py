"""Signing in and out, and how the portal looks to whom."""

from __future__ import annotations

from flask import Blueprint, current_app, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_login import login_user, logout_user
from werkzeug.wrappers import Response

from portal.accounts import services
from portal.accounts.guard import open_to_the_world, somebody
from portal.accounts.roles import Role
from portal.accounts.sessions import RowSession
from portal.core.i18n import LANGUAGES
from portal.core.unit_of_work import atomic
from portal.core.web import safe_next

bp = Blueprint("accounts", __name__)

HOMES = {
    Role.BUYER: "/buyer/",
    Role.SELLER: "/seller/",
    Role.PACKER: "/packing/",
    Role.FINANCE: "/finance/",
    Role.BROKER: "/finance/",
    Role.ADMIN: "/admin/",
}
THEMES = ("system", "light", "dark")
A_YEAR = 365 * 24 * 3600


@bp.get("/")
@open_to_the_world("sends everybody where they belong")
def home() -> Response:
    """The home of one's part, or the sign-in page."""
    person = somebody()
    return redirect(HOMES[Role(person.role)] if person else url_for("accounts.sign_in"), code=303)


@bp.get("/sign-in")
@open_to_the_world("this is where strangers become known")
def sign_in() -> str:
    """The form; for the demo company with everybody's e-mail at hand."""
    return render_template("accounts/sign_in.html", email=request.args.get("email", ""), next=request.args.get("next"))


@bp.post("/sign-in")
@open_to_the_world("this is where strangers become known")
def enter() -> Response | tuple[str, int]:
    """Right: a new session, and on to where the visitor wanted to go. Wrong: the form again, 401."""
    email, password = request.form.get("email", ""), request.form.get("password", "")
    target = safe_next(request.form.get("next"))
    with atomic():
        person = services.check_sign_in(email, password, ip=request.remote_addr or "")
    if person is None:
        page = render_template(
            "accounts/sign_in.html", email=email, next=target, error=_("E-mail or password is wrong.")
        )
        return page, 401
    _new_session()
    login_user(person)
    return redirect(target or HOMES[Role(person.role)], code=303)


@bp.post("/sign-out")
@open_to_the_world("signing out twice does no harm")
def leave() -> Response:
    """The session's row goes; the cookie is worth nothing any more."""
    logout_user()
    session.clear()
    return redirect(url_for("accounts.sign_in"), code=303)


@bp.post("/preferences/language")
@open_to_the_world("strangers read too")
def language() -> Response:
    """Turkish or English."""
    wanted = request.form.get("language", "")
    return _preferred("language", wanted if wanted in LANGUAGES else "tr")


@bp.post("/preferences/theme")
@open_to_the_world("strangers have eyes too")
def theme() -> Response:
    """Light, dark, or as the device likes it."""
    wanted = request.form.get("theme", "")
    return _preferred("theme", wanted if wanted in THEMES else "system")


def _preferred(name: str, value: str) -> Response:
    person = somebody()
    if person:
        with atomic():
            services.prefer(person.id, **{name: value})
    answer = redirect(safe_next(request.form.get("next")) or "/", code=303)
    answer.set_cookie(
        name, value, max_age=A_YEAR, samesite="Lax", httponly=True, secure=current_app.config["SESSION_COOKIE_SECURE"]
    )
    return answer


def _new_session() -> None:
    """Nothing of the stranger's session survives: a planted session id is worth nothing."""
    session.clear()
    assert isinstance(session._get_current_object(), RowSession)  # type: ignore[attr-defined]
    session.renew()  # type: ignore[attr-defined]
