"""What the ERP's routes answer: figures, files, how a reading went, and why there are none."""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from decimal import Decimal
from typing import Any

import msgspec
from flask import Response, current_app, g
from flask_babel import gettext as _

from portal.core import clock, xlsx
from portal.receivables import export, queries
from portal.receivables.export import ENCODER
from portal.receivables.models import AgingFetch
from portal.receivables.ports import REASONS, Reason, Side
from portal.receivables.queries import Filter
from portal.receivables.states import FetchState
from portal.receivables.sums import View

# Given words (spec §5): the callers compare them, so they are Turkish whatever language is asked for.
FETCHED = "Veri HANA'dan başarıyla çekildi ve güncellendi."
STOPPED = "Analiz durduruldu – veri uyumsuz. Lütfen güncel veri yükleyin."
TIMEZONE = "TRT (UTC+3)"
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


def as_json(body: bytes, status: int = 200, **headers: str) -> Response:
    """Bytes that are JSON already."""
    return Response(body, status=status, mimetype="application/json", headers=headers)


def summary_of(view: View, wanted: Filter) -> bytes:
    """Data that were read never change: an answer made of them is kept, the last few of each process."""
    kept: OrderedDict[Any, bytes] = current_app.extensions.setdefault("aging_answers", OrderedDict())
    key = (view.fetch.id, view.fetch.fence, view.as_of, view.shown, view.mode, wanted.code)
    body = kept.get(key)
    if body is None:
        body = export.as_json(queries.all_told(view, wanted, export.column_names(view)[2:]))
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


def told(side: Side, fetch: AgingFetch) -> Response:
    """How a reading went, to the one who asked for it."""
    match FetchState(fetch.state):
        case FetchState.DONE:
            return as_json(ENCODER.encode(Fetched("success", FETCHED, instant(fetch) or "")))
        case FetchState.SUSPICIOUS:
            return doubted(side, fetch)
        case _:
            words = REASONS[Reason(fetch.failure)] if fetch.failure in list(Reason) else _(fetch.note)
            # Without an ERP nothing is away that might come back.
            status = 409 if fetch.failure == Reason.NOT_CONFIGURED else 503
            return error(status, "ledger_unreadable", str(words), side, reason=fetch.failure)


def stopped(side: Side) -> Response | None:
    """While the newest reading is doubted the analysis stops, unless the settings say that the last good data serve."""
    if current_app.config["AGING_WHEN_SUSPICIOUS"] != "stop":
        return None
    fetch = queries.doubted(side)
    return doubted(side, fetch) if fetch else None


def doubted(side: Side, fetch: AgingFetch) -> Response:
    """409 with every reason, its accounts and amounts."""
    reasons = export.reasons_for_machines(queries.reasons(fetch.id))
    return error(409, "does_not_reconcile", STOPPED, side, reasons=reasons)


def error(status: int, code: str, message: str, side: Side, **more: Any) -> Response:
    """Words for people, a code for machines, and when the last good data were read."""
    good = instant(queries.current(side))
    body = {"status": "error", "message": message, "error": code, "lastUpdated": good, **more}
    retry = {"Retry-After": "60"} if status == 503 else {}
    return as_json(ENCODER.encode({**body, "request_id": g.get("request_id", "-")}), status, **retry)


def instant(fetch: AgingFetch | None) -> str | None:
    """01-07-2025 13:56, in Istanbul."""
    if fetch is None or fetch.read_at is None:
        return None
    return f"{fetch.read_at.astimezone(clock.ISTANBUL):%d-%m-%Y %H:%M}"
