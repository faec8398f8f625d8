"""What a scanner says to the portal: messages of many scans from a script, or one typed barcode without one."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Annotated, Any, Literal, TypeVar, cast

import msgspec
from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from portal.accounts.guard import current_actor, requires
from portal.accounts.roles import Permission
from portal.core import clock
from portal.core.api import reply
from portal.core.errors import BadInput, NotFound, Refusal
from portal.core.unit_of_work import atomic
from portal.packing import queries, rules
from portal.packing.services import LONGEST_BARCODE, Heard, Said
from portal.packing.states import STOPS, VERDICT_WORDS, Verdict
from portal.portals.packing_board import board_of, key_of
from portal.workflows import packing as story

bp = Blueprint("packing_scans", __name__, url_prefix="/packing")
V = TypeVar("V", bound=Callable[..., Any])
NO_SCRIPT = "page"  # the device of pages without scripts


class ScanSent(msgspec.Struct, forbid_unknown_fields=True):
    """One scan as the device kept it; `at` is the device's clock, with its zone."""

    id: uuid.UUID
    kind: Literal["scan", "undo", "box"]
    at: Annotated[datetime, msgspec.Meta(tz=True)]
    barcode: Annotated[str, msgspec.Meta(max_length=LONGEST_BARCODE)] = ""
    parcel: uuid.UUID | None = None
    refused: bool = False


class ScansSent(msgspec.Struct, forbid_unknown_fields=True):
    """Some scans of one device, in their order."""

    device: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    scans: Annotated[list[ScanSent], msgspec.Meta(min_length=1, max_length=100)]


class AnswerView(msgspec.Struct):
    """What is said of one scan; `stops` asks the packer to look up."""

    id: uuid.UUID
    verdict: str
    words: str
    stops: bool
    line: int | None
    pieces: int
    number: int | None


class SaidView(msgspec.Struct):
    """The answers, and where the task stands: pieces packed by line."""

    answers: list[AnswerView]
    packed: dict[str, int]
    version: int
    state: str


def as_json(view: V) -> V:
    """A script is asking: a "no" is JSON as well, and never a redirect."""

    @wraps(view)
    def answered(*args: Any, **kwargs: Any) -> Any:
        try:
            return view(*args, **kwargs)
        except Refusal as no:
            fields = {name: str(why) for name, why in no.details.get("fields", {}).items()}
            words = " ".join(fields.values()) or str(no.message)
            return reply({"error": no.code, "message": words}, no.status)

    return cast("V", answered)


@bp.get("/tasks/<int:task_id>/board")
@as_json
@requires(Permission.PACKING_SEE)
def board(task_id: int) -> Response:
    """The task as it is now, for a screen that is already open; nothing when it has not changed since."""
    version = queries.version(task_id)
    if version is None:
        raise NotFound
    if request.args.get("version") == str(version):
        return Response(status=204)
    now = queries.board(task_id)
    body = render_template("packing/_board.html", **board_of(now))
    return reply({"html": body, "version": now.task.version, "state": now.task.state})


@bp.post("/tasks/<int:task_id>/scans")
@as_json
@requires(Permission.SHIPMENT_PACK)
def scans(task_id: int) -> Response:
    """Some scans of one device, in their order. Sent again, the same answers and nothing twice."""
    try:
        sent = msgspec.json.decode(request.get_data(), type=ScansSent)
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise BadInput(fields={"scans": str(wrong)}) from None
    heard = [_heard(one.id, one.kind, one.at, one.barcode, one.parcel, refused=one.refused) for one in sent.scans]
    with atomic():
        said = story.scan(task_id, heard, device=sent.device, by=current_actor())
    return reply(_said(said))


@bp.post("/tasks/<int:task_id>/scan")
@requires(Permission.SHIPMENT_PACK)
def scan(task_id: int) -> AnyResponse:
    """One barcode, typed or scanned into the form: the way without scripts."""
    scan_id, parcel = key_of(request.form.get("scan_id")), key_of(request.form.get("parcel"))
    barcode = request.form.get("barcode", "").strip()[:LONGEST_BARCODE]
    said = request.form.get("kind") or rules.command(barcode) or "scan"
    if scan_id is None or (said == "scan" and not barcode):
        return redirect(url_for("packing.task", task_id=task_id, parcel=parcel), code=303)
    if said == "box":
        parcel = key_of(request.form.get("box_id")) or scan_id
    elif said not in ("scan", "undo"):
        return redirect(_with_box(task_id, said, parcel), code=303)
    heard = _heard(scan_id, said, clock.now(), barcode, parcel)
    with atomic():
        story.scan(task_id, [heard], device=NO_SCRIPT, by=current_actor())
    shown = None if said == "box" else scan_id
    return redirect(url_for("packing.task", task_id=task_id, parcel=parcel, scan=shown), code=303)


def _heard(
    scan_id: uuid.UUID, kind: str, at: datetime, barcode: str, parcel: uuid.UUID | None, *, refused: bool = False
) -> Heard:
    if "\x00" in barcode or (kind == "scan" and not barcode.strip()) or (kind == "box" and parcel is None):
        raise BadInput(fields={"barcode": _("This scan cannot be read.")})
    return Heard(scan_id, kind, at, barcode if kind == "scan" else "", parcel, refused)


def _said(said: Said) -> SaidView:
    answers = [
        AnswerView(a.id, a.verdict, str(VERDICT_WORDS.get(Verdict(a.verdict), "")) if a.verdict != "BOX" else "",
                   a.verdict in STOPS, a.line_id, a.pieces, a.number)
        for a in said.answers
    ]  # fmt: skip
    return SaidView(answers, {str(line): count for line, count in said.packed.items()}, said.version, said.state)


def _with_box(task_id: int, said: str, parcel: uuid.UUID | None) -> str:
    """A command barcode without scripts: another box, or nothing that needs the server."""
    boxes = queries.boxes(task_id)
    numbers = {f"box-{box.number}": box.id for box in boxes}
    if said == "next":
        at = next((n for n, box in enumerate(boxes) if box.id == parcel), -1)
        parcel = boxes[(at + 1) % len(boxes)].id
    return url_for("packing.task", task_id=task_id, parcel=numbers.get(said, parcel))
