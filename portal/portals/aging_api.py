"""The ERP's four routes for customers, and their mirror for suppliers (spec §5; contracts to the letter)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Blueprint, Response, current_app, request
from flask_babel import lazy_gettext as _l

from portal.accounts import issuer, roles
from portal.accounts.guard import Door, current_actor, somebody
from portal.accounts.roles import Permission
from portal.core import formats, xlsx
from portal.core.actor import Actor
from portal.core.api import answers
from portal.core.errors import BadInput, NotAllowed
from portal.core.limits import limited
from portal.portals.aging_answers import (
    TIMEZONE,
    Fetched,
    LastUpdated,
    SummaryRow,
    as_json,
    instant,
    spreadsheet,
    stopped,
    summary_of,
    told,
)
from portal.receivables import queries
from portal.receivables.export import ENCODER
from portal.receivables.ports import Side
from portal.receivables.queries import Filter, NeedsItsOwnReading, Window
from portal.receivables.rules import Mode
from portal.receivables.states import FetchState
from portal.receivables.sums import View
from portal.workflows import aging_fetch

V = TypeVar("V", bound=Callable[..., Any])

LONGEST_CODE = 32


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
        return stopped(side) or as_json(summary_of(_view(side, by), _filter(side)))

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
        return stopped(side) or spreadsheet(side, _view(side, by), _filter(side))

    @bp.get("/fetch-hana-data/")
    @limited("60/minute")
    @bearer_with(Permission.AGING_FETCH)
    @answers(200, Fetched, summary="Read the ERP now and renew the stored data")
    def fetch_hana_data(by: Actor) -> Response:
        """Read the ERP here and now; two who ask at once get one reading."""
        _only()
        patience = current_app.config["AGING_PATIENCE_SECONDS"]
        return told(side, aging_fetch.read_now(side, by=by, patience_seconds=patience))

    @bp.get("/last-updated/")
    @limited("240/minute")
    @bearer_with(Permission.AGING_SEE)
    @answers(200, LastUpdated, summary="When the last good data were read")
    def last_updated(by: Actor) -> Response:
        """When the last good data were read."""
        assert by
        _only()
        return as_json(ENCODER.encode(LastUpdated(instant(queries.current(side)), TIMEZONE)))

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
