"""What packers do: take a task in hand, scan, take back, weigh, report what is missing, and close the boxes."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert

from portal.core import clock
from portal.core.actor import Actor
from portal.core.database import DB_NOW, db
from portal.core.errors import BadInput, NotFound, Refusal
from portal.core.i18n import noted
from portal.packing.models import MOST_GRAMS, PackingLine, PackingParcel, PackingPresence, PackingTask
from portal.packing.states import PACKING, STILL_TO_PACK, Packing, Source

BECAME = text(
    """UPDATE packing_parcel p SET became = b.became
       FROM unnest(CAST(:boxes AS uuid[]), CAST(:became AS text[])) AS b(id, became) WHERE p.id = b.id"""
)


class NotComplete(Refusal):
    """Something is not in a box yet."""

    code = "not_complete"


class NoLongerPacked(Refusal):
    """It is packed already, or nobody wants it packed any more."""

    code = "no_longer_packed"


class Goods(NamedTuple):
    """So many pieces of one thing; `cases` are the barcodes on cases and the pieces in them."""

    source_line: str
    barcode: str
    name: str
    pieces: int
    item_id: int | None = None
    cases: Mapping[str, int] = {}


@dataclass(frozen=True)
class Wanted:
    """What is to be packed, as its own domain says it."""

    source: Source
    source_id: int
    number: str
    barcode: str
    receiver: str
    goods: Sequence[Goods] = field(default_factory=tuple)
    seller_organisation_id: int | None = None
    ship_by_on: date | None = None


def begin(wanted: Wanted, *, by: Actor) -> int:
    """Somebody takes it in hand for the first time; the task's id. Whoever comes second gets the same task."""
    assert wanted.goods, "nothing to pack"
    values = {name: getattr(wanted, name) for name in ("source_id", "number", "barcode", "receiver", "ship_by_on")}
    task: PackingTask | None = db.session.scalar(
        insert(PackingTask)
        .values(source_kind=wanted.source.value, seller_organisation_id=wanted.seller_organisation_id, **values)
        .on_conflict_do_nothing(constraint="everything_is_packed_once")
        .returning(PackingTask)
    )
    if task is None:
        return _known(wanted.source, wanted.source_id)
    PACKING.begin(task, actor=by, reason=noted("packing began"))
    db.session.add_all(_line(task.id, goods) for goods in wanted.goods)
    db.session.add(PackingParcel(task_id=task.id, number=1, opened_by=by.name))
    db.session.flush()
    return task.id


def join(task_id: int, *, by: Actor) -> None:
    """Others see who has it in hand."""
    assert by.person_id is not None
    row = insert(PackingPresence).values(task_id=task_id, person_id=by.person_id, name=by.name)
    again = {"since_at": DB_NOW, "left_at": None}
    db.session.execute(row.on_conflict_do_update(index_elements=["task_id", "person_id"], set_=again))
    changed(task_id)


def leave(task_id: int, *, by: Actor) -> None:
    """Put it down: somebody else may go on."""
    mine = (PackingPresence.task_id == task_id, PackingPresence.person_id == by.person_id)
    db.session.execute(update(PackingPresence).where(*mine).values(left_at=DB_NOW))
    changed(task_id)


def hold(task_id: int) -> PackingTask:
    """The task, locked until the unit of work ends."""
    found = db.session.get(PackingTask, task_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound
    return found


def open_parcel(task_id: int, parcel_id: uuid.UUID, *, by: Actor) -> int:
    """A further box; its number. Opened again, it is the same one."""
    task = _still_open(task_id)
    rows = select(PackingParcel).where(PackingParcel.task_id == task_id).order_by(PackingParcel.number)
    parcels = list(db.session.scalars(rows))
    known = next((parcel.number for parcel in parcels if parcel.id == parcel_id), None)
    if known is not None:
        return known
    number = len(parcels) + 1
    db.session.add(PackingParcel(id=parcel_id, task_id=task_id, number=number, opened_by=by.name))
    changed(task.id)
    return number


def weigh(task_id: int, number: int, grams: int | None) -> None:
    """A box's weight in grams; None: not weighed."""
    if grams is not None and not 1 <= grams <= MOST_GRAMS:
        raise BadInput(fields={f"grams-{number}": _l("From 1 to %(most)s grams.", most=MOST_GRAMS)})
    task = _still_open(task_id)
    box = (PackingParcel.task_id == task_id, PackingParcel.number == number)
    weighed = db.session.scalar(update(PackingParcel).where(*box).values(grams=grams).returning(PackingParcel.number))
    if weighed is None:
        raise NotFound
    changed(task.id)


def short(task_id: int, *, by: Actor, because: str) -> None:
    """Something is not where it should lie: the task waits. The next scan opens it again."""
    task = _still_open(task_id)
    if task.state == Packing.OPEN:
        PACKING.move(task, Packing.SHORT, actor=by, reason=because)
    changed(task.id)


def close(task: PackingTask, *, by: Actor) -> None:
    """Everything is in its box and every box is closed."""
    also = {"packed_at": clock.now(), "packed_by": by.name, "version": PackingTask.version + 1}
    PACKING.move(task, Packing.PACKED, actor=by, reason=noted("packed"), **also)


def note_became(became: Mapping[uuid.UUID, str]) -> None:
    """What each box is from now on: a parcel's or a package's id."""
    db.session.execute(BECAME, {"boxes": list(became), "became": list(became.values())})


def drop(task: PackingTask, *, by: Actor, because: str) -> None:
    """Nobody wants it packed any more."""
    if task.state in STILL_TO_PACK:
        PACKING.move(task, Packing.DROPPED, actor=by, reason=because)
        changed(task.id)


def drop_source(source: Source, source_id: int, *, by: Actor, because: str) -> None:
    """What was to be packed is not to be packed any more, or was packed without scanning. The source is locked."""
    wanted = select(PackingTask).where(PackingTask.source_kind == source.value, PackingTask.source_id == source_id)
    task = db.session.scalar(wanted.with_for_update().execution_options(populate_existing=True))
    if task is not None:
        drop(task, by=by, because=because)


def forget_receivers(source: Source, source_ids: Sequence[int]) -> None:
    """Whom these were for is no longer said."""
    these = (PackingTask.source_kind == source.value, PackingTask.source_id.in_(source_ids))
    db.session.execute(
        update(PackingTask).where(*these).values(receiver="").execution_options(synchronize_session=False)
    )


def insist_complete(task: PackingTask) -> None:
    """Refuse, naming what is not in a box yet, unless everything is."""
    rows = select(PackingLine).where(PackingLine.task_id == task.id, PackingLine.packed < PackingLine.wanted)
    missing = list(db.session.scalars(rows.order_by(PackingLine.id).execution_options(populate_existing=True)))
    if missing:
        named = ", ".join(f"{line.room} × {line.name}" for line in missing[:5]) + (", …" if len(missing) > 5 else "")
        raise NotComplete(
            _l("Not everything is in a box yet: %(missing)s", missing=named),
            missing=[{"barcode": line.barcode, "pieces": line.room} for line in missing],
        )


def changed(task_id: int) -> None:
    """Screens that show the task look again."""
    db.session.execute(
        update(PackingTask)
        .where(PackingTask.id == task_id)
        .values(version=PackingTask.version + 1)
        .execution_options(synchronize_session=False)
    )


def _still_open(task_id: int) -> PackingTask:
    task = hold(task_id)
    if task.state not in STILL_TO_PACK:
        raise NoLongerPacked(_l("This order is no longer being packed."), state=task.state)
    return task


def _known(source: Source, source_id: int) -> int:
    wanted = select(PackingTask.id).where(PackingTask.source_kind == source.value, PackingTask.source_id == source_id)
    return db.session.execute(wanted).scalar_one()


def _line(task_id: int, goods: Goods) -> PackingLine:
    return PackingLine(
        task_id=task_id,
        source_line=goods.source_line,
        barcode=goods.barcode,
        name=goods.name,
        item_id=goods.item_id,
        cases=dict(goods.cases),
        wanted=goods.pieces,
    )
