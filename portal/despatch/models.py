"""e-Despatch notes as we issued them, and what came back."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import DB_NOW, Json, Model, PrimaryKey, recorded_now
from portal.despatch.states import NOTE


class DespatchNote(Model):
    """The e-despatch note of one parcel. `uuid` is the document's id everywhere; what the office has
    taken never changes."""

    __tablename__ = "despatch_note"
    __table_args__ = (
        CheckConstraint(f"state IN ({NOTE.check})", name="state_known"),
        CheckConstraint("number ~ '^[A-Z0-9]{3}20[0-9]{2}[0-9]{9}$'", name="number_as_the_tax_office_wants_it"),
        CheckConstraint("verdict IS NULL OR verdict IN ('FULL', 'PARTIAL', 'REFUSED')", name="verdict_known"),
        CheckConstraint("(verdict IS NULL) = (answer IS NULL)", name="an_answer_has_a_verdict"),
        UniqueConstraint("seller_organisation_id", "number", name="a_number_is_used_once"),
        Index(
            "ix_despatch_note_to_ask",
            "next_ask_at",
            postgresql_where=text("state IN ('DRAFTED', 'SENT') OR (state = 'TAKEN' AND verdict IS NULL)"),
        ),
    )

    id: Mapped[PrimaryKey]
    uuid: Mapped[uuid.UUID] = mapped_column(unique=True)
    shipment_id: Mapped[int] = mapped_column(ForeignKey("shipment.id"), unique=True)
    seller_organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    number: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="WRITTEN")
    # Exactly what was asked of the office, and the UBL-TR document that says the same.
    document: Mapped[Json] = mapped_column(deferred=True)
    ubl: Mapped[str] = mapped_column(deferred=True)
    office_words: Mapped[str] = mapped_column(server_default="")
    verdict: Mapped[str | None]
    answer: Mapped[Json | None]
    answered_at: Mapped[datetime | None]
    asked: Mapped[int] = mapped_column(server_default=text("0"))
    next_ask_at: Mapped[datetime] = mapped_column(server_default=DB_NOW)
    issued_at: Mapped[datetime]
    recorded_at: Mapped[datetime] = recorded_now()


class DespatchSeries(Model):
    """The last number of a seller's series in a year: counted without gaps under its row's lock."""

    __tablename__ = "despatch_series"
    __table_args__ = (CheckConstraint("last_serial >= 0", name="counted_from_nothing"),)

    seller_organisation_id: Mapped[int] = mapped_column(
        ForeignKey("organisation.id"), primary_key=True, autoincrement=False
    )
    series: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last_serial: Mapped[int]
