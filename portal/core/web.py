"""What every page shares: regions, paging, headers, and how a refusal reaches a person."""

from __future__ import annotations

import hashlib
import math
import secrets
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar
from urllib.parse import urlencode, urlsplit

import psycopg
from flask import Flask, Response, current_app, flash, g, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from loguru import logger
from sqlalchemy import Select, func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolIsEmpty
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from portal.core.database import db
from portal.core.errors import BadInput, NotSignedIn, Refusal

T = TypeVar("T")
SIZES = (25, 50, 100, 200)
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


# Regions ----------------------------------------------------------------------------------------------------


def wants_region() -> bool:
    """Whether htmx asks for a part of the page. (A restored history entry asks for all of it.)"""
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-Request-Type") == "partial"


def region(template: str, *, page: str, toast: Any = None, tone: str = "ok", **context: Any) -> AnyResponse:
    """`template` replaces itself in the page; without htmx the visitor is sent back to `page`."""
    if not wants_region():
        if toast:
            flash(str(toast), tone)
        return redirect(page, code=303)
    body = render_template(template, **context)
    if toast:
        body += render_template("components/_toast_out_of_band.html", category=tone, text=str(toast))
    return Response(body, mimetype="text/html")


def nonce() -> str:
    """For a form whose repeat must not do the work twice."""
    return secrets.token_urlsafe(18)


# Paging -----------------------------------------------------------------------------------------------------


class Page(NamedTuple):
    """Which page of a list is wanted, from the query string; nonsense means the first."""

    number: int
    size: int

    @classmethod
    def wanted(cls) -> Page:
        """From this request's query string."""
        return cls(_whole(request.args.get("page"), 1, 1_000_000), _size(request.args.get("size")))


class Paged(Generic[T]):
    """A page of rows and where it stands in the whole list."""

    def __init__(self, rows: Sequence[T], page: Page, total: int) -> None:
        self.rows, self.number, self.size, self.total = rows, page.number, page.size, total
        self.pages = max(1, math.ceil(total / page.size))

    def url(self, number: int) -> str:
        """This list's address with another page number."""
        return this_url(page=number)


def paged(wanted: Select[Any], page: Page | None = None, *, row: Any = None) -> Paged[Any]:
    """Run one page of a query. `row` wraps each result row; without it, single-column rows come bare."""
    page = page or Page.wanted()
    total = db.session.scalar(select(func.count()).select_from(wanted.order_by(None).subquery())) or 0
    found = db.session.execute(wanted.limit(page.size).offset((page.number - 1) * page.size))
    rows = [row(*r) for r in found] if row else list(found.scalars())
    return Paged(rows, page, total)


def this_url(**changes: Any) -> str:
    """This page's address with some query parameters changed; None takes one away."""
    query: dict[str, Any] = {**request.args.to_dict(), **changes}
    kept = {name: value for name, value in query.items() if value not in (None, "")}
    return request.path + (f"?{urlencode(kept)}" if kept else "")


def choice(name: str, allowed: Sequence[str], default: str = "") -> str:
    """A filter from the query string, if it is one we know."""
    value = request.args.get(name, "")
    return value if value in allowed else default


def search_words(name: str = "q") -> str:
    """What the visitor searches for."""
    return request.args.get(name, "").strip()[:100]


def safe_next(target: str | None) -> str | None:
    """A page of ours to go on to; anything that could lead elsewhere is nothing."""
    if not target or not target.startswith("/") or target.startswith("//"):
        return None
    if any(c in target for c in "\\\r\n\t") or urlsplit(target).netloc:
        return None
    return target


def _whole(text: str | None, default: int, most: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and 0 < int(text[:10]) <= most else default


def _size(text: str | None) -> int:
    size = _whole(text, 50, 200)
    return size if size in SIZES else 50


# Static files -----------------------------------------------------------------------------------------------


@cache
def _hash_of(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:12]


def asset(name: str) -> str:
    """A static file's address with its content's hash, so that browsers may keep it for ever."""
    static = current_app.static_folder
    assert static
    return url_for("static", filename=name, v=_hash_of(f"{static}/{name}"))


# Headers ----------------------------------------------------------------------------------------------------


def _content_security(app: Flask) -> str:
    pay = urlsplit(app.config["IYZICO_PAGE_ORIGIN"])
    pay_host = f" {pay.scheme}://{pay.netloc}" if pay.netloc else ""
    return (
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; "
        f"base-uri 'none'; frame-ancestors 'none'; form-action 'self'{pay_host}"
    )


def _with_headers(response: Response) -> Response:
    headers = response.headers
    headers["Content-Security-Policy"] = current_app.config["CONTENT_SECURITY"]
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["X-Request-Id"] = g.get("request_id", "-")
    if current_app.config["SESSION_COOKIE_SECURE"]:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    if request.endpoint == "static":
        if request.args.get("v"):
            headers["Cache-Control"] = "public, max-age=31536000, immutable"
    else:
        headers["Cache-Control"] = "private, no-store"
        response.vary.update(("HX-Request", "HX-Request-Type"))
    return response


def _before() -> AnyResponse | None:
    g.request_id = secrets.token_hex(8)
    # A second wall beside the CSRF token: browsers say themselves where a request comes from.
    elsewhere = request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none")
    if elsewhere and request.method in UNSAFE and not request.path.startswith("/api/") and not _crosses_sites_rightly():
        raise _Forged
    # PostgreSQL's text cannot hold NUL, and nobody types it: said once, here.
    typed = request.form if request.mimetype in FORM_TYPES and not request.path.startswith("/api/") else {}
    for values in (request.args, request.view_args or {}, typed):
        if any("\x00" in str(value) for value in values.values()):
            raise BadInput(_l("A text contains a character that cannot be used."))
    return None


def _crosses_sites_rightly() -> bool:
    return request.endpoint == "webhooks.callback"


class _Forged(Refusal):
    status = 400
    code = "forged"

    def __init__(self) -> None:
        super().__init__(_l("This request did not come from our pages."))


# Errors -----------------------------------------------------------------------------------------------------


def _is_api() -> bool:
    return request.path.startswith("/api/")


def _refused(refusal: Refusal) -> AnyResponse:
    if _is_api():
        return _api_error(refusal.status, refusal.code, str(refusal.message), refusal.details)
    if isinstance(refusal, NotSignedIn):
        return _to_sign_in()
    if wants_region():
        return _toast_only(refusal.status, str(refusal.message) or _words(refusal.details))
    if refusal.status in (409, 422, 503) and request.method == "POST" and (back := _where_from()):
        flash(_words(refusal.details) or str(refusal.message), "bad")
        return redirect(back, code=303)
    return _error_page(refusal.status, str(refusal.message))


def _words(details: Mapping[str, Any]) -> str:
    return " ".join(str(why) for why in (details.get("fields") or {}).values())


def _where_from() -> str | None:
    came = urlsplit(request.headers.get("Referer", ""))
    if came.netloc != request.host:
        return None
    return safe_next(came.path + (f"?{came.query}" if came.query else ""))


def _to_sign_in() -> AnyResponse:
    wanted = request.full_path.rstrip("?") if request.method == "GET" else None
    target = url_for("accounts.sign_in", next=wanted)
    if request.headers.get("HX-Request") == "true":
        return Response(status=401, headers={"HX-Redirect": target})
    return redirect(target, code=303)


def _toast_only(status: int, text: str) -> AnyResponse:
    body = render_template("components/_toast_out_of_band.html", category="bad", text=text)
    return Response(body, status=status, mimetype="text/html", headers={"HX-Reswap": "none"})


def _api_error(
    status: int,
    code: str,
    message: str,
    details: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> AnyResponse:
    body: dict[str, Any] = {"error": code, "message": message, "request_id": g.get("request_id", "-")}
    for name, value in (details or {}).items():
        body[name] = {k: str(v) for k, v in value.items()} if isinstance(value, dict) else value
    answer = jsonify(body)
    answer.status_code = status
    if status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    if "retry_after" in body:
        answer.headers["Retry-After"] = str(body["retry_after"])
    answer.headers.update(headers or {})
    return answer


def _error_page(status: int, message: str, **headers: str) -> AnyResponse:
    if wants_region():
        return _toast_only(status, message)
    page = render_template("errors/error.html", status=status, message=message, reference=g.get("request_id", "-"))
    return Response(page, status=status, mimetype="text/html", headers=headers)


def _http_error(error: HTTPException) -> AnyResponse:
    status = error.code or 500
    if 300 <= status < 400:
        return error.get_response()
    waits = {"Retry-After": "60"} if status == 429 else {}
    names = {400: "bad_request", 401: "not_signed_in", 404: "not_found", 405: "method_not_allowed", 429: "too_many"}
    if _is_api():
        answer = _api_error(status, names.get(status, "error"), _plain(status), headers=waits)
    else:
        answer = _error_page(status, _plain(status), **waits)
    if status == 405 and isinstance(allowed := getattr(error, "valid_methods", None), (list, set, tuple)):
        answer.headers["Allow"] = ", ".join(sorted(allowed))
    return answer


def _plain(status: int) -> str:
    words = {
        400: _("The request could not be understood."),
        401: _("Please sign in."),
        403: _("Your role may not do this."),
        404: _("There is nothing here, or it is not yours to see."),
        405: _("That cannot be done here."),
        411: _("The length of the request is missing."),
        413: _("That is too big."),
        415: _("That kind of content is not understood here."),
        429: _("Too many requests. Please wait a minute."),
    }
    return str(words.get(status) or _("That did not work."))


def _database_trouble(trouble: Exception) -> AnyResponse:
    """Away, full, locked or deadlocked: nothing was changed, and trying again is right."""
    db.session.rollback()
    origin = getattr(trouble, "orig", None)
    state = origin.sqlstate if isinstance(origin, psycopg.Error) else None
    logger.warning("database trouble {}: {}", state or type(trouble).__name__, str(trouble)[:300])
    message = _("The portal is busy just now. Nothing was changed; please try again.")
    retry = {"Retry-After": "1"}
    return _api_error(503, "busy", message, headers=retry) if _is_api() else _error_page(503, message, **retry)


def _our_mistake(mistake: Exception) -> AnyResponse:
    db.session.rollback()
    logger.opt(exception=mistake).error("unhandled: {} {}", request.method, request.path)
    message = _("Something went wrong on our side. Tell us the reference and we will find it.")
    return _api_error(500, "our_mistake", message) if _is_api() else _error_page(500, message)


def init(app: Flask) -> None:
    """Headers, errors, and what templates may use."""
    app.config["CONTENT_SECURITY"] = _content_security(app)
    app.before_request(_before)
    app.after_request(_with_headers)
    app.register_error_handler(Refusal, _refused)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(OperationalError, _database_trouble)
    app.register_error_handler(PoolIsEmpty, _database_trouble)
    app.register_error_handler(Exception, _our_mistake)
    app.jinja_env.globals.update(asset=asset, this_url=this_url, nonce=nonce)
