"""What every page shares: regions, paging, static files and headers."""

from __future__ import annotations

import hashlib
import math
import secrets
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar
from urllib.parse import urlencode, urlsplit

from flask import Flask, Response, current_app, flash, g, redirect, render_template, request, session, url_for
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from sqlalchemy import Select, func, select
from werkzeug.wrappers import Response as AnyResponse

from portal.core.database import db
from portal.core.errors import BadInput, Refusal

T = TypeVar("T")
SIZES = (25, 50, 100, 200)
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
_TAG = "TAG-OF-THIS-REGION"
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


def live(template: str, **context: Any) -> AnyResponse:
    """A region that asks again by itself: 204 and no body when nothing on it has changed since it was drawn.

    The region puts `tag` into the address it asks; the answer is compared with what the visitor has.
    """
    body = render_template(template, tag=_TAG, **context)
    tag = hashlib.sha256(body.encode()).hexdigest()[:16]
    if wants_region() and request.args.get("tag") == tag:
        return Response(status=204)
    return Response(body.replace(_TAG, tag), mimetype="text/html")


def live_page(page: str, region_template: str, **context: Any) -> AnyResponse | str:
    """A page with a list that looks again by itself: the region alone for htmx, 204 when nothing on it has changed."""
    seen = live(region_template, **context)
    if wants_region():
        return seen
    inside = Markup(seen.get_data(as_text=True))  # noqa: S704 (our own template, escaped)
    return render_template(page, region=inside, **context)


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
    # What a region asks by itself is no part of the address people follow.
    query: dict[str, Any] = {**request.args.to_dict(), "tag": None, **changes}
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
    if away := getattr(session, "away", None):
        raise away
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


def init(app: Flask) -> None:
    """Headers, and what templates may use."""
    app.config["CONTENT_SECURITY"] = _content_security(app)
    app.before_request(_before)
    app.after_request(_with_headers)
    app.jinja_env.globals.update(asset=asset, this_url=this_url, nonce=nonce)
