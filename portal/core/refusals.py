"""How a "no" reaches whoever asked: a page, a toast, or JSON; always with a reference, never with a traceback."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import psycopg
from flask import Flask, Response, flash, g, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from loguru import logger
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolIsEmpty
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from portal.core.database import let_go
from portal.core.errors import NotSignedIn, Refusal
from portal.core.web import safe_next, wants_region


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
    let_go()
    origin = getattr(trouble, "orig", None)
    state = origin.sqlstate if isinstance(origin, psycopg.Error) else None
    logger.warning("database trouble {}: {}", state or type(trouble).__name__, str(trouble)[:300])
    message = _("The portal is busy just now. Nothing was changed; please try again.")
    retry = {"Retry-After": "1"}
    return _api_error(503, "busy", message, headers=retry) if _is_api() else _error_page(503, message, **retry)


def _our_mistake(mistake: Exception) -> AnyResponse:
    let_go()
    logger.opt(exception=mistake).error("unhandled: {} {}", request.method, request.path)
    message = _("Something went wrong on our side. Tell us the reference and we will find it.")
    return _api_error(500, "our_mistake", message) if _is_api() else _error_page(500, message)


def init(app: Flask) -> None:
    """Refusals, HTTP errors, a busy database, and our own mistakes."""
    app.register_error_handler(Refusal, _refused)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(OperationalError, _database_trouble)
    app.register_error_handler(PoolIsEmpty, _database_trouble)
    app.register_error_handler(Exception, _our_mistake)
