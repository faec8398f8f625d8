"""The packing screen: what is to pack, one order in hand, and a message per scan."""

from __future__ import annotations

import uuid

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from portal.accounts.guard import current_actor, current_person, requires
from portal.accounts.roles import Permission, Role
from portal.core import clock
from portal.core.errors import BadInput, NotFound
from portal.core.unit_of_work import atomic
from portal.core.web import paged, region, search_words
from portal.marketplace import queries as marketplace_queries
from portal.marketplace.models import StorefrontPackage
from portal.packing import queries
from portal.packing import services as packing
from portal.packing.models import PackingTask
from portal.packing.services import LONGEST_BARCODE
from portal.packing.states import PACKING, STOPS, VERDICT_WORDS, Packing, Source
from portal.portals.packing_board import board_of, key_of
from portal.workflows import package_labels, packing_queue, set_aside
from portal.workflows import packing as story

bp = Blueprint("packing", __name__, url_prefix="/packing")


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
    said = key_of(request.args.get("scan"))
    return render_template(
        "packing/task.html",
        **board_of(board),
        said=queries.scan(task_id, said) if said else None,
        stops=[verdict.value for verdict in STOPS],
        scan_id=uuid.uuid4(),
        box_id=uuid.uuid4(),
        words={verdict.value: words for verdict, words in VERDICT_WORDS.items()},
        caught=queries.caught(task_id) if board.task.state == Packing.PACKED else {},
        packages=_packages(board.task) if board.task.state == Packing.PACKED else [],
    )


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
    return render_template("packing/shortage.html", **board_of(queries.board(task_id)))


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


def _packages(task: PackingTask) -> list[StorefrontPackage]:
    """What a marketplace's label is printed for: the package, or what the marketplace made of its boxes."""
    if task.source_kind != Source.STOREFRONT:
        return []
    return package_labels.goes_out(marketplace_queries.package(task.source_id))


def _seen_by_me(task_id: int) -> PackingTask:
    found, person = queries.task(task_id), current_person()
    if person.role == Role.SELLER and found.seller_organisation_id != person.organisation_id:
        raise NotFound
    return found


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None


def _grams(number: str, text: str) -> int | None:
    if not text.strip():
        return None
    grams = _whole(text.strip())
    if grams is None:
        raise BadInput(fields={f"grams-{number}": _("A weight in whole grams.")})
    return grams
