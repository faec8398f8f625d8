"""The ERP's four routes for customers, and their mirror for suppliers (spec §5; contracts to the letter)."""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import wraps
from typing import Any, TypeVar, cast

import msgspec
from flask import Blueprint, Response, current_app, g, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.accounts import issuer, roles
from portal.accounts.guard import Door, current_actor, somebody
from portal.accounts.roles import Permission
from portal.core import clock, formats, xlsx
from portal.core.actor import Actor
from portal.core.api import answers
from portal.core.errors import BadInput, NotAllowed
from portal.core.limits import limited
from portal.receivables import export, queries
from portal.receivables.export import ENCODER
from portal.receivables.models import AgingFetch
from portal.receivables.ports import REASONS, Reason, Side
from portal.receivables.queries import Filter, NeedsItsOwnReading, Window
from portal.receivables.rules import Mode
from portal.receivables.states import FetchState
from portal.receivables.sums import View
from portal.workflows import aging_fetch

V = TypeVar("V", bound=Callable[..., Any])

# Given words (spec §5): the callers compare them, so they are Turkish whatever language is asked for.
FETCHED = "Veri HANA'dan başarıyla çekildi ve güncellendi."
STOPPED = "Analiz durduruldu – veri uyumsuz. Lütfen güncel veri yükleyin."
TIMEZONE = "TRT (UTC+3)"
LONGEST_CODE = 32
KEPT_ANSWERS = 8
_keeping = threading.Lock()


class SummaryRow(msgspec.Struct):
    """An account by age. Beside these: one number per shown month, named Oca25 … Ara25."""

    CariKod: str
    CariAd: str
    GunelBakiye: Decimal
    Oncesi: Decimal


class Fetched(msgspec.Struct, rename={"last_updated": "lastUpdated"}):
    """The ERP was read and the data are new."""

    status: str
    message: str
    last_updated: str


class LastUpdated(msgspec.Struct, rename={"last_updated": "lastUpdated"}):
    """When the last good data were read; null when there are none yet."""

    last_updated: str | None
    timezone: str


class BadParameter(BadInput):
    """A query parameter that cannot be meant; `fields` names it."""

    status = 400
    code = "bad_parameter"

    def __init__(self, fields: dict[str, Any]) -> None:
        super().__init__(_l("A parameter cannot be understood."), fields=fields)
        self.details = {"status": "error", "fields": fields}


def bearer_with(permission: Permission) -> Callable[[V], V]:
    """Only with a good token: the configured issuer's, or where none is set one of ours with the permission."""

    def wrap(view: V) -> V:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            return view(*args, by=_who(permission), **kwargs)

        vars(guarded)["door"] = Door((permission,), signed_in=True)
        return cast("V", guarded)

    return wrap


def _who(permission: Permission) -> Actor:
    configured = issuer.configured()
    if configured is not None:
        return issuer.bearer(configured)
    person = somebody()
    if person is None:
        raise issuer.BearerRefused
    if not roles.may(person.role, permission):
        raise NotAllowed
    return current_actor()


_CODE = {"type": "string"}
_DAY = {"type": "string"}
_MODE = {"type": "string"}


def _routes(bp: Blueprint, side: Side) -> Blueprint:
    """The four routes of one side."""

    @bp.get("/summary/")
    @limited("240/minute")
    @bearer_with(Permission.AGING_SEE)
    @answers(
        200,
        list[SummaryRow],
        summary="Balances and the months they stem from",
        query={"cariKod": _CODE, "startDate": _DAY, "endDate": _DAY, "mode": _MODE},
    )
    def summary(by: Actor) -> Response:
        """Every account, or one: Öncesi and the months add up to the balance."""
        return _stopped(side) or _json(_summary(_view(side, by), _filter(side)))

    @bp.get("/export-xlsx/")
    @limited("60/minute")
    @bearer_with(Permission.AGING_SEE)
    @answers(
        200,
        bytes,
        summary="The same as an Excel file",
        query={"cariKod": _CODE, "startDate": _DAY, "endDate": _DAY, "mode": _MODE},
        media=xlsx.MIMETYPE,
    )
    def export_xlsx(by: Actor) -> Response:
        """The list as a file."""
        stopped = _stopped(side)
        if stopped:
            return stopped
        view = _view(side, by)
        return spreadsheet(side, view, _filter(side))

    @bp.get("/fetch-hana-data/")
    @limited("60/minute")
    @bearer_with(Permission.AGING_FETCH)
    @answers(200, Fetched, summary="Read the ERP now and renew the stored data")
    def fetch_hana_data(by: Actor) -> Response:
        """Read the ERP here and now; two who ask at once get one reading."""
        _only()
        patience = current_app.config["AGING_PATIENCE_SECONDS"]
        return _told(side, aging_fetch.read_now(side, by=by, patience_seconds=patience))

    @bp.get("/last-updated/")
    @limited("240/minute")
    @bearer_with(Permission.AGING_SEE)
    @answers(200, LastUpdated, summary="When the last good data were read")
    def last_updated(by: Actor) -> Response:
        """When the last good data were read."""
        assert by
        _only()
        return _json(ENCODER.encode(LastUpdated(_instant(queries.current(side)), TIMEZONE)))

    return bp


customers = _routes(Blueprint("aging_customers", __name__, url_prefix="/api/v2/logocustomercollection"), Side.CUSTOMERS)
suppliers = _routes(Blueprint("aging_suppliers", __name__, url_prefix="/api/v2/logosupplierpayment"), Side.SUPPLIERS)


# What is asked ----------------------------------------------------------------------------------------------


def _only(*known: str) -> None:
    strange = sorted(set(request.args) - set(known))
    if strange:
        raise BadParameter({name[:40]: _l("This parameter is not known here.") for name in strange[:5]})


def _filter(side: Side) -> Filter:
    code = request.args.get("cariKod", "").strip()
    plain = code.removesuffix("*")
    if len(code) > LONGEST_CODE or not plain.isprintable() or (plain and not plain.startswith(side.value)):
        begins = _l("An account code begins with %(code)s.", code=side.value)
        raise BadParameter({"cariKod": begins})
    return Filter(code=code)


def _window() -> Window:
    _only("cariKod", "startDate", "endDate", "mode")
    mode = request.args.get("mode", "") or Mode.FIFO
    if mode not in list(Mode):
        raise BadParameter({"mode": _l("One of: %(modes)s.", modes=", ".join(Mode))})
    try:
        return Window.of(_day("startDate"), _day("endDate"), Mode(mode))
    except BadInput as wrong:
        raise BadParameter(wrong.fields) from None


def _day(name: str) -> date | None:
    """2025-05-15, 15.05.2025 or 15-05-2025."""
    text = request.args.get(name, "").strip()
    if not text:
        return None
    parts = text.split("-")
    if len(parts) == 3 and len(parts[2]) == 4:
        text = ".".join(parts)
    if not text.isascii() or len(text) != 10:
        raise BadParameter({name: _l("Write the date like 2025-05-31.")})
    try:
        return formats.read_day(text, name)
    except BadInput:
        raise BadParameter({name: _l("Write the date like 2025-05-31.")}) from None


def _view(side: Side, by: Actor) -> View:
    """The figures; a day the stored months cannot tell is read from the ERP, as of that day."""
    window = _window()
    _filter(side)
    try:
        return queries.view(side, window)
    except NeedsItsOwnReading as wanting:
        patience = current_app.config["AGING_PATIENCE_SECONDS"]
        fetch = aging_fetch.read_now(side, wanting.as_of, by=by, patience_seconds=patience)
        if fetch.state != FetchState.DONE:
            raise
        return queries.view(side, window)


# What is answered -------------------------------------------------------------------------------------------


def _json(body: bytes, status: int = 200, **headers: str) -> Response:
    return Response(body, status=status, mimetype="application/json", headers=headers)


def _summary(view: View, wanted: Filter) -> bytes:
    """Data that were read never change: an answer made of them is kept, the last few of each process."""
    kept: OrderedDict[Any, bytes] = current_app.extensions.setdefault("aging_answers", OrderedDict())
    key = (view.fetch.id, view.fetch.fence, view.as_of, view.shown, view.mode, wanted.code)
    body = kept.get(key)
    if body is None:
        body = export.as_json(view, queries.all_rows(view, wanted))
        with _keeping:
            kept[key] = body
            while len(kept) > KEPT_ANSWERS:
                kept.popitem(last=False)
    return body


def spreadsheet(side: Side, view: View, wanted: Filter) -> Response:
    """The list as a file to keep."""
    out = io.BytesIO()
    title = str(export.SIDE_NAMES[side])
    export.write_xlsx(out, view, queries.all_rows(view, wanted), queries.reasons(view.fetch.id), title=title)
    doubted = "-supheli" if view.doubted else ""
    name = f"{'cari' if side is Side.CUSTOMERS else 'satici'}-yaslandirma-{view.as_of:%Y-%m-%d}{doubted}.xlsx"
    disposition = f'attachment; filename="{name}"'
    return Response(out.getvalue(), mimetype=xlsx.MIMETYPE, headers={"Content-Disposition": disposition})


def _told(side: Side, fetch: AgingFetch) -> Response:
    match FetchState(fetch.state):
        case FetchState.DONE:
            return _json(ENCODER.encode(Fetched("success", FETCHED, _instant(fetch) or "")))
        case FetchState.SUSPICIOUS:
            return _doubted(side, fetch)
        case _:
            words = REASONS[Reason(fetch.failure)] if fetch.failure in list(Reason) else _(fetch.note)
            # Without an ERP nothing is away that might come back.
            status = 409 if fetch.failure == Reason.NOT_CONFIGURED else 503
            return _error(status, "ledger_unreadable", str(words), side, reason=fetch.failure)


def _stopped(side: Side) -> Response | None:
    """While the newest reading is doubted the analysis stops, unless the settings say that the last good data serve."""
    if current_app.config["AGING_WHEN_SUSPICIOUS"] != "stop":
        return None
    fetch = queries.doubted(side)
    return _doubted(side, fetch) if fetch else None


def _doubted(side: Side, fetch: AgingFetch) -> Response:
    reasons = export.reasons_for_machines(queries.reasons(fetch.id))
    return _error(409, "does_not_reconcile", STOPPED, side, reasons=reasons)


def _error(status: int, code: str, message: str, side: Side, **more: Any) -> Response:
    good = _instant(queries.current(side))
    body = {"status": "error", "message": message, "error": code, "lastUpdated": good, **more}
    retry = {"Retry-After": "60"} if status == 503 else {}
    return _json(ENCODER.encode({**body, "request_id": g.get("request_id", "-")}), status, **retry)


def _instant(fetch: AgingFetch | None) -> str | None:
    """01-07-2025 13:56, in Istanbul."""
    if fetch is None or fetch.read_at is None:
        return None
    return f"{fetch.read_at.astimezone(clock.ISTANBUL):%d-%m-%Y %H:%M}"
