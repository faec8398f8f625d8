"""Packing tasks, their lines, the boxes, and every scan."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    PrimaryKeyConstraint,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Json, Model, PrimaryKey, recorded_now
from portal.packing.states import PACKING, Source, Verdict

MOST_GRAMS = 1_000_000
MOST_PARCELS = 50
SOURCES = ", ".join(f"'{source.value}'" for source in Source)
VERDICTS = ", ".join(f"'{verdict.value}'" for verdict in Verdict)


class PackingTask(Model):
    """One thing to pack: what it is, for whom, by when. It begins when somebody first takes it in hand.

    `version` counts everything that happened to it: whoever decides by what he has read, writes only while it is still
    the same, and a screen knows by it whether it is up to date.
    """

    __tablename__ = "packing_task"
    __table_args__ = (
        CheckConstraint(f"state IN ({PACKING.check})", name="state_known"),
        CheckConstraint(f"source_kind IN ({SOURCES})", name="source_known"),
        CheckConstraint("(state = 'PACKED') = (packed_at IS NOT NULL)", name="packed_ones_are_dated"),
        CheckConstraint("version >= 0", name="versions_are_counted"),
        UniqueConstraint("source_kind", "source_id", name="everything_is_packed_once"),
        Index("ix_packing_task_open", "id", postgresql_where=text("state IN ('OPEN', 'SHORT')")),
    )

    id: Mapped[PrimaryKey]
    source_kind: Mapped[str]
    source_id: Mapped[int]
    # What people call it, and what a scanner finds it by.
    number: Mapped[str]
    barcode: Mapped[str]
    receiver: Mapped[str]
    # Whose goods they are, where they are a seller's: he may see how they were packed.
    seller_organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    ship_by_on: Mapped[date | None]
    state: Mapped[str] = mapped_column(server_default="OPEN")
    version: Mapped[int] = mapped_column(server_default=text("0"))
    opened_at: Mapped[datetime] = recorded_now()
    packed_at: Mapped[datetime | None]
    packed_by: Mapped[str] = mapped_column(server_default="")


class PackingLine(Model):
    """So many pieces of a barcode. `packed` is the sum of the line's scans; the database never lets it exceed `wanted`."""

    __tablename__ = "packing_line"
    __table_args__ = (
        CheckConstraint("wanted > 0", name="wants_something"),
        CheckConstraint("packed BETWEEN 0 AND wanted", name="never_packs_more_than_wanted"),
        CheckConstraint("barcode <> ''", name="has_a_barcode"),
        UniqueConstraint("task_id", "source_line", name="a_line_is_packed_once"),
        UniqueConstraint("task_id", "id", name="lines_belong_to_their_task"),
    )

    id: Mapped[PrimaryKey]
    task_id: Mapped[int] = mapped_column(ForeignKey("packing_task.id"))
    source_line: Mapped[str]
    barcode: Mapped[str]
    name: Mapped[str]
    # Nothing: not a thing of our own stock; it is checked and packed, but no shelf falls.
    item_id: Mapped[int | None] = mapped_column(ForeignKey("stock_item.id"))
    # Barcode on a case → pieces in it, as known when the task began.
    cases: Mapped[Json]
    wanted: Mapped[int]
    packed: Mapped[int] = mapped_column(server_default=text("0"))

    @property
    def room(self) -> int:
        """Pieces still to be packed."""
        return self.wanted - self.packed


class PackingParcel(Model):
    """A box. Its id is made by the device that opened it, so that goods can be put into it before we hear of it."""

    __tablename__ = "packing_parcel"
    __table_args__ = (
        CheckConstraint(f"number BETWEEN 1 AND {MOST_PARCELS}", name="boxes_are_counted_from_one"),
        CheckConstraint(f"grams BETWEEN 1 AND {MOST_GRAMS}", name="weighs_something_sensible"),
        UniqueConstraint("task_id", "number", name="boxes_are_numbered_per_task"),
        UniqueConstraint("task_id", "id", name="boxes_belong_to_their_task"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    task_id: Mapped[int] = mapped_column(ForeignKey("packing_task.id"))
    number: Mapped[int]
    grams: Mapped[int | None]
    # What it became when the task was confirmed: a parcel's or a package's id.
    became: Mapped[str] = mapped_column(server_default="")
    opened_by: Mapped[str]
    opened_at: Mapped[datetime] = recorded_now()


class PackingScan(Model):
    """One scan as the device sent it, and what was said of it. Append-only: taking back is a further row."""

    __tablename__ = "packing_scan"
    __table_args__ = (
        CheckConstraint(f"verdict IN ({VERDICTS})", name="verdict_known"),
        CheckConstraint("(verdict IN ('OK', 'CASE', 'UNDONE')) = (line_id IS NOT NULL)", name="what_counts_has_a_line"),
        CheckConstraint("(verdict IN ('OK', 'CASE', 'UNDONE')) = (parcel_id IS NOT NULL)", name="what_counts_is_in_a_box"),
        CheckConstraint("(verdict = 'UNDONE') = (undoes IS NOT NULL)", name="taking_back_names_what"),
        CheckConstraint(
            "CASE verdict WHEN 'OK' THEN pieces = 1 WHEN 'CASE' THEN pieces > 1 WHEN 'UNDONE' THEN pieces < 0"
            " ELSE pieces = 0 END",
            name="counts_what_it_says",
        ),
        ForeignKeyConstraint(["task_id", "line_id"], ["packing_line.task_id", "packing_line.id"]),
        ForeignKeyConstraint(["task_id", "parcel_id"], ["packing_parcel.task_id", "packing_parcel.id"]),
        PrimaryKeyConstraint("id"),
        UniqueConstraint("undoes", name="a_scan_is_taken_back_once"),
        Index(None, "task_id", "seq"),
    )  # fmt: skip

    # The device's own id: a scan sent again is known by it.
    id: Mapped[uuid.UUID]
    seq: Mapped[int] = mapped_column(Identity(always=True))
    task_id: Mapped[int] = mapped_column(ForeignKey("packing_task.id"))
    barcode: Mapped[str]
    verdict: Mapped[str]
    line_id: Mapped[int | None]
    parcel_id: Mapped[uuid.UUID | None]
    pieces: Mapped[int]
    undoes: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("packing_scan.id"))
    device: Mapped[str]
    device_at: Mapped[datetime]
    actor: Mapped[str]
    actor_person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    recorded_at: Mapped[datetime] = recorded_now()


class PackingPresence(Model):
    """Who has a task in hand. A row per person; who puts it down is marked, never deleted."""

    __tablename__ = "packing_presence"

    task_id: Mapped[int] = mapped_column(ForeignKey("packing_task.id"), primary_key=True, autoincrement=False)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, autoincrement=False)
    name: Mapped[str]
    since_at: Mapped[datetime] = recorded_now()
    left_at: Mapped[datetime | None]
