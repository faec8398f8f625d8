"""The packing screen: what is to pack, one order in hand, and a message per scan."""

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

from portal.accounts.guard import current_actor, current_person, requires
from portal.accounts.roles import Permission, Role
from portal.core import clock
from portal.core.api import reply
from portal.core.errors import BadInput, NotFound, Refusal
from portal.core.unit_of_work import atomic
from portal.core.web import paged, region, search_words
from portal.packing import queries, rules
from portal.packing import services as packing
from portal.packing.models import PackingTask
from portal.packing.services import LONGEST_BARCODE, Heard, Said
from portal.packing.states import PACKING, STILL_TO_PACK, STOPS, VERDICT_WORDS, Packing, Source, Verdict
from portal.stock import queries as stock_queries
from portal.workflows import packing as story
from portal.workflows import packing_queue, set_aside

bp = Blueprint("packing", __name__, url_prefix="/packing")
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


@bp.get("/")
@requires(Permission.PACKING_SEE)
def queue() -> str:
    """What is to be packed now, ship-by first."""
    words = search_words()
    return render_template(
        "packing/queue.html", waiting=packing_queue.waiting(words), q=words, today=clock.today(), machine=PACKING
    )


@bp.post("/tasks")
@requires(Permission.SHIPMENT_PACK)
def take() -> AnyResponse:
    """Take it in hand: chosen from the list, or by its scanned barcode."""
    code = request.form.get("code", "").strip()[:LONGEST_BARCODE]
    if code:
        row = packing_queue.meant_by(code)
        if row is None:
            return redirect(url_for(".queue", q=code), code=303)
        source, source_id = row.source, row.source_id
    else:
        source, source_id = request.form.get("source", ""), _whole(request.form.get("id")) or 0
    if source not in list(Source):
        raise BadInput(fields={"source": _("Choose what to pack.")})
    with atomic():
        task_id = story.take_in_hand(Source(source), source_id, by=current_actor())
    return redirect(url_for(".task", task_id=task_id), code=303)


@bp.get("/tasks/<int:task_id>")
@requires(Permission.PACKING_SEE)
def task(task_id: int) -> str:
    """The screen. Without scripts, each scan is one load of this page."""
    board = queries.board(task_id)
    said = _uuid(request.args.get("scan"))
    return render_template(
        "packing/task.html",
        **_board(board),
        said=queries.scan(task_id, said) if said else None,
        stops=[verdict.value for verdict in STOPS],
        scan_id=uuid.uuid4(),
        box_id=uuid.uuid4(),
        words={verdict.value: words for verdict, words in VERDICT_WORDS.items()},
        caught=queries.caught(task_id) if board.task.state == Packing.PACKED else {},
    )


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
    body = render_template("packing/_board.html", **_board(now))
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
    scan_id, parcel = _uuid(request.form.get("scan_id")), _uuid(request.form.get("parcel"))
    barcode = request.form.get("barcode", "").strip()[:LONGEST_BARCODE]
    said = request.form.get("kind") or rules.command(barcode) or "scan"
    if scan_id is None or (said == "scan" and not barcode):
        return redirect(url_for(".task", task_id=task_id, parcel=parcel), code=303)
    if said == "box":
        parcel = _uuid(request.form.get("box_id")) or scan_id
    elif said not in ("scan", "undo"):
        return redirect(_with_box(task_id, said, parcel), code=303)
    heard = _heard(scan_id, said, clock.now(), barcode, parcel)
    with atomic():
        story.scan(task_id, [heard], device=NO_SCRIPT, by=current_actor())
    shown = None if said == "box" else scan_id
    return redirect(url_for(".task", task_id=task_id, parcel=parcel, scan=shown), code=303)


@bp.post("/tasks/<int:task_id>/weights")
@requires(Permission.SHIPMENT_PACK)
def weights(task_id: int) -> AnyResponse:
    """Grams, box by box; an empty field is a box that was not weighed."""
    said = {name.removeprefix("grams-"): value for name, value in request.form.items() if name.startswith("grams-")}
    with atomic():
        for number, grams in sorted(said.items()):
            packing.weigh(task_id, _whole(number) or 0, _grams(number, grams))
    return region("", page=url_for(".task", task_id=task_id, parcel=request.form.get("parcel") or None))


@bp.get("/tasks/<int:task_id>/shortage")
@requires(Permission.SHIPMENT_PACK)
def missing(task_id: int) -> str:
    """What is not where it should lie?"""
    return render_template("packing/shortage.html", **_board(queries.board(task_id)))


@bp.post("/tasks/<int:task_id>/shortage")
@requires(Permission.SHIPMENT_PACK)
def report_missing(task_id: int) -> AnyResponse:
    """Less lies there than the order wants: written down, and the order waits."""
    there = _whole(request.form.get("there"))
    if there is None:
        raise BadInput(fields={"there": _("How many pieces lie there?")})
    with atomic():
        story.report_missing(
            task_id,
            _whole(request.form.get("line")) or 0,
            there=there,
            shelf_id=_whole(request.form.get("shelf")) or None,
            by=current_actor(),
        )
    return region("", page=url_for(".task", task_id=task_id), toast=_("Written down. The order waits."), tone="warn")


@bp.post("/tasks/<int:task_id>/leave")
@requires(Permission.SHIPMENT_PACK)
def leave(task_id: int) -> AnyResponse:
    """Put it down; what was scanned stays scanned."""
    with atomic():
        packing.leave(queries.task(task_id).id, by=current_actor())
    return redirect(url_for(".queue"), code=303)


@bp.post("/tasks/<int:task_id>/confirmation")
@requires(Permission.SHIPMENT_PACK)
def confirm(task_id: int) -> AnyResponse:
    """Everything is right: goods leave their shelves and the boxes go on their way. Only now there are labels."""
    by = current_actor()
    with set_aside.shortages_noted(by=by), atomic():
        story.confirm(task_id, by=by)
    return redirect(url_for(".task", task_id=task_id), code=303)


@bp.get("/tasks/<int:task_id>/log")
@requires(Permission.PACKING_SEE, Permission.SALE_SEE_OWN)
def log(task_id: int) -> str:
    """Every scan, as evidence: packers see all, a seller how his own goods were packed."""
    found = _seen_by_me(task_id)
    return render_template(
        "packing/log.html",
        task=found,
        scans=paged(queries.scans(task_id), row=queries.ScanRow),
        boxes=queries.boxes(task_id),
        words=VERDICT_WORDS,
        machine=PACKING,
    )


def _board(now: queries.Board) -> dict[str, Any]:
    """What the moving part of the screen needs."""
    active = _uuid(request.args.get("parcel"))
    box = next((b for b in now.boxes if b.id == active), now.boxes[-1])
    items = [line.item_id for line in now.lines if line.item_id is not None]
    return {
        "board": now,
        "task": now.task,
        "active": box,
        "shelves": stock_queries.shelves_of(items) if items else {},
        "machine": PACKING,
        "verdicts": VERDICT_WORDS,
        "is_open": now.task.state in STILL_TO_PACK,
        "today": clock.today(),
    }


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


def _seen_by_me(task_id: int) -> PackingTask:
    found, person = queries.task(task_id), current_person()
    if person.role == Role.SELLER and found.seller_organisation_id != person.organisation_id:
        raise NotFound
    return found


def _with_box(task_id: int, said: str, parcel: uuid.UUID | None) -> str:
    """A command barcode without scripts: another box, or nothing that needs the server."""
    boxes = queries.boxes(task_id)
    numbers = {f"box-{box.number}": box.id for box in boxes}
    if said == "next":
        at = next((n for n, box in enumerate(boxes) if box.id == parcel), -1)
        parcel = boxes[(at + 1) % len(boxes)].id
    return url_for(".task", task_id=task_id, parcel=numbers.get(said, parcel))


def _uuid(text: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(text or "")
    except ValueError:
        return None


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None


def _grams(number: str, text: str) -> int | None:
    if not text.strip():
        return None
    grams = _whole(text.strip())
    if grams is None:
        raise BadInput(fields={f"grams-{number}": _("A weight in whole grams.")})
    return grams
