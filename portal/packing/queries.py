"""What packing screens ask."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import func, select

from portal.core.database import db
from portal.core.errors import NotFound
from portal.packing.models import PackingLine, PackingParcel, PackingPresence, PackingScan, PackingTask
from portal.packing.states import COUNTS, STILL_TO_PACK, Source, Verdict

SHOWN_SCANS = 12


class BoxRow(NamedTuple):
    """A box and how many pieces are in it."""

    id: uuid.UUID
    number: int
    grams: int | None
    became: str
    pieces: int


class ScanRow(NamedTuple):
    """One scan in the list of the last ones."""

    id: uuid.UUID
    verdict: str
    barcode: str
    name: str
    pieces: int
    box: int | None
    actor: str
    at: datetime


class Progress(NamedTuple):
    """How far a task is, in pieces, and who has it in hand."""

    task_id: int
    state: str
    packed: int
    wanted: int
    names: list[str]


class Board(NamedTuple):
    """A task as its screen shows it."""

    task: PackingTask
    lines: list[PackingLine]
    boxes: list[BoxRow]
    scans: list[ScanRow]
    present: list[str]

    @property
    def wanted(self) -> int:
        """Pieces in all."""
        return sum(line.wanted for line in self.lines)

    @property
    def packed(self) -> int:
        """Pieces in boxes."""
        return sum(line.packed for line in self.lines)

    @property
    def complete(self) -> bool:
        """Whether every piece is in a box."""
        return self.packed == self.wanted

    @property
    def full_boxes(self) -> list[BoxRow]:
        """Boxes with something in them."""
        return [box for box in self.boxes if box.pieces]


class BoxContent(NamedTuple):
    """A box that goes out: pieces by the source's own line."""

    id: uuid.UUID
    number: int
    grams: int | None
    pieces: dict[str, int]


def task(task_id: int) -> PackingTask:
    """A task; what does not exist is not found."""
    found = db.session.get(PackingTask, task_id, populate_existing=True) if 0 < task_id < 2**63 else None
    if found is None:
        raise NotFound
    return found


def source_of(task_id: int) -> tuple[Source, int]:
    """What a task packs; that never changes."""
    wanted = select(PackingTask.source_kind, PackingTask.source_id).where(PackingTask.id == task_id)
    found = db.session.execute(wanted).one_or_none() if 0 < task_id < 2**63 else None
    if found is None:
        raise NotFound
    return Source(found.source_kind), found.source_id


def board(task_id: int) -> Board:
    """Everything the screen shows, in five statements whatever the number of lines."""
    return Board(task(task_id), lines(task_id), boxes(task_id), last_scans(task_id), present(task_id))


def version(task_id: int) -> int | None:
    """How often the task has changed: cheap to ask, for a screen that wants to know whether it is up to date."""
    return db.session.scalar(select(PackingTask.version).where(PackingTask.id == task_id))


def lines(task_id: int) -> list[PackingLine]:
    """A task's lines as they are now, in the order of its source."""
    rows = select(PackingLine).where(PackingLine.task_id == task_id).order_by(PackingLine.id)
    return list(db.session.scalars(rows.execution_options(populate_existing=True)))


def boxes(task_id: int) -> list[BoxRow]:
    """A task's boxes, empty ones as well."""
    rows = (
        select(
            PackingParcel.id,
            PackingParcel.number,
            PackingParcel.grams,
            PackingParcel.became,
            func.coalesce(func.sum(PackingScan.pieces), 0),
        )
        .outerjoin(
            PackingScan, (PackingScan.task_id == PackingParcel.task_id) & (PackingScan.parcel_id == PackingParcel.id)
        )
        .where(PackingParcel.task_id == task_id)
        .group_by(PackingParcel.id)
        .order_by(PackingParcel.number)
    )
    return [BoxRow(row[0], row[1], row[2], row[3], int(row[4])) for row in db.session.execute(rows)]


def contents(task_id: int) -> list[BoxContent]:
    """The boxes that go out, and what is in them; empty ones stay here."""
    pieces = func.sum(PackingScan.pieces)
    rows = (
        select(PackingParcel.id, PackingParcel.number, PackingParcel.grams, PackingLine.source_line, pieces)
        .join(PackingScan, (PackingScan.task_id == PackingParcel.task_id) & (PackingScan.parcel_id == PackingParcel.id))
        .join(PackingLine, PackingLine.id == PackingScan.line_id)
        .where(PackingParcel.task_id == task_id)
        .group_by(PackingParcel.id, PackingLine.id)
        .having(pieces > 0)
        .order_by(PackingParcel.number, PackingLine.id)
    )
    found: dict[uuid.UUID, BoxContent] = {}
    for box_id, number, grams, source_line, count in db.session.execute(rows):
        box = found.setdefault(box_id, BoxContent(box_id, number, grams, {}))
        box.pieces[source_line] = box.pieces.get(source_line, 0) + int(count)
    return list(found.values())


def last_scans(task_id: int, limit: int | None = SHOWN_SCANS) -> list[ScanRow]:
    """The last scans of a task, newest first; with no limit, all of them."""
    rows = (
        _scans().where(PackingScan.task_id == task_id).order_by(PackingScan.seq.desc()).limit(limit)
    )  # fmt: skip
    return [ScanRow(*row) for row in db.session.execute(rows)]


def scan(task_id: int, scan_id: uuid.UUID) -> ScanRow | None:
    """One scan: what a page without scripts says after it was sent."""
    rows = _scans().where(PackingScan.task_id == task_id, PackingScan.id == scan_id)
    return next((ScanRow(*row) for row in db.session.execute(rows)), None)


def scans(task_id: int) -> Any:
    """A task's whole log, newest first. The caller pages; wrap rows in ScanRow."""
    return _scans().where(PackingScan.task_id == task_id).order_by(PackingScan.seq.desc())


def caught(task_id: int) -> dict[str, int]:
    """How many scans were refused, by verdict: what did not go out wrong."""
    refused = [v for v in Verdict if v not in COUNTS and v is not Verdict.NOTHING_TO_UNDO]
    rows = (
        select(PackingScan.verdict, func.count())
        .where(PackingScan.task_id == task_id, PackingScan.verdict.in_(refused))
        .group_by(PackingScan.verdict)
    )
    return {verdict: count for verdict, count in db.session.execute(rows)}


def present(task_id: int) -> list[str]:
    """Who has the task in hand."""
    rows = select(PackingPresence.name).where(PackingPresence.task_id == task_id, PackingPresence.left_at.is_(None))
    return list(db.session.scalars(rows.order_by(PackingPresence.since_at)))


def progress(of: Sequence[tuple[Source, int]]) -> dict[tuple[str, int], Progress]:
    """How far these things to pack are, where packing has begun; in two statements."""
    ids = [source_id for _kind, source_id in of]
    rows = (
        select(
            PackingTask.source_kind,
            PackingTask.source_id,
            PackingTask.id,
            PackingTask.state,
            func.sum(PackingLine.packed),
            func.sum(PackingLine.wanted),
        )
        .join(PackingLine, PackingLine.task_id == PackingTask.id)
        .where(PackingTask.source_id.in_(ids))
        .group_by(PackingTask.id)
    )
    known = list(db.session.execute(rows))
    names = _names([row.id for row in known])
    return {
        (kind, source_id): Progress(task_id, state, int(packed), int(wanted), names.get(task_id, []))
        for kind, source_id, task_id, state, packed, wanted in known
    }


def still_to_pack() -> int:
    """How many tasks are in somebody's hands or wait for something missing."""
    wanted = select(func.count()).select_from(PackingTask).where(PackingTask.state.in_(STILL_TO_PACK))
    return db.session.scalar(wanted) or 0


def _names(task_ids: Sequence[int]) -> dict[int, list[str]]:
    rows = (
        select(PackingPresence.task_id, PackingPresence.name)
        .where(PackingPresence.task_id.in_(task_ids), PackingPresence.left_at.is_(None))
        .order_by(PackingPresence.since_at)
    )
    found: dict[int, list[str]] = {}
    for task_id, name in db.session.execute(rows):
        found.setdefault(task_id, []).append(name)
    return found


def _scans() -> Any:
    return (
        select(
            PackingScan.id,
            PackingScan.verdict,
            PackingScan.barcode,
            func.coalesce(PackingLine.name, ""),
            PackingScan.pieces,
            PackingParcel.number,
            PackingScan.actor,
            PackingScan.device_at,
        )
        .outerjoin(PackingLine, PackingLine.id == PackingScan.line_id)
        .outerjoin(PackingParcel, PackingParcel.id == PackingScan.parcel_id)
    )
