"""Packing meets what is packed: taken in hand, scanned, short, confirmed in one transaction.

Locks: the source first (order, then parcel; or the marketplace's package), then its packing task, then the goods, all at once.
"""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import lazy_gettext as _l

from portal.core.actor import Actor
from portal.core.errors import BadInput, NotFound
from portal.core.i18n import noted
from portal.packing import queries as packing_queries
from portal.packing import services as packing
from portal.packing.models import PackingLine
from portal.packing.services import Heard, Said
from portal.packing.states import Packing, Source
from portal.stock import queries as stock_queries
from portal.stock import services as stock
from portal.workflows.packing_sources import SOURCES, NothingToPack


def take_in_hand(source: Source, source_id: int, *, by: Actor) -> int:
    """A packer begins, or goes on where another left; the task's id. Refuses what is not to be packed now."""
    kind = SOURCES[source]
    kind.hold_still(source_id)
    task_id = packing.begin(kind.wanted(source_id), by=by)
    packing.join(task_id, by=by)
    return task_id


def scan(task_id: int, heard: Sequence[Heard], *, device: str, by: Actor) -> Said:
    """What a device says is decided, in its order."""
    return packing.hear(task_id, heard, device=device, by=by, known=lambda codes: stock_queries.meant(codes).keys())


def report_missing(task_id: int, line_id: int, *, there: int, shelf_id: int | None, by: Actor) -> None:
    """Less lies there than this line still wants: it is written down, and the task waits.

    `there` is what was found, in pieces; without a shelf it was looked for on all of them.
    """
    line = next((line for line in packing_queries.lines(task_id) if line.id == line_id), None)
    if line is None:
        raise NotFound
    if not 0 <= there < line.room:
        most = max(0, line.room - 1)
        raise BadInput(fields={"there": _l("From 0 to %(most)s pieces: fewer than are still wanted.", most=most)})
    packing.short(task_id, by=by, because=noted("something is not on its shelf"))
    if line.item_id is not None:
        stock.note_shortage(_shortage(task_id, line, there, shelf_id), by=by)


def confirm(task_id: int, *, by: Actor) -> list[str]:
    """Everything is in its box: goods leave their shelves, and what was packed goes on; what each box became.

    All of it or nothing. Confirmed again, the answer is the same and nothing moves. Refuses what is not complete, and
    with a `Shortage` what our books do not have (call it within `set_aside.shortages_noted`).
    """
    source, source_id = packing_queries.source_of(task_id)
    kind = SOURCES[source]
    held = kind.hold_still(source_id)
    task = packing.hold(task_id)
    if task.state == Packing.PACKED:
        return [box.became for box in packing_queries.boxes(task_id) if box.pieces]
    if task.state == Packing.DROPPED:
        raise NothingToPack(_l("This is not to be packed now."), state=task.state)
    packing.insist_complete(task)
    boxes = packing_queries.contents(task_id)
    packing.close(task, by=by)
    became = kind.packed(held, task, boxes, by)
    return [became[box.id] for box in boxes]


def _shortage(task_id: int, line: PackingLine, there: int, shelf_id: int | None) -> stock.Shortage:
    assert line.item_id is not None
    shelf = next(
        (s for s in stock_queries.shelves_of([line.item_id]).get(line.item_id, []) if s.shelf_id == shelf_id), None
    )
    if shelf_id is not None and shelf is None:
        raise NotFound
    missing = stock.Missing(
        line.item_id, line.barcode, shelf_id, shelf.shelf if shelf else "", line.room, there
    )  # fmt: skip
    task = packing_queries.task(task_id)
    return stock.Shortage(f"packing:{task_id}", (task.source_kind, str(task.source_id)), [missing])
