"""What we mean to ask of providers, written down before we ask."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import DB_NOW, Json, Model, PrimaryKey, recorded_now
from portal.outbox.states import INTENT


class ProviderIntent(Model):
    """One call we mean to make, once. The business transaction writes it; a dispatcher sends it afterwards."""

    __tablename__ = "provider_intent"
    __table_args__ = (
        CheckConstraint(f"state IN ({INTENT.check})", name="state_known"),
        CheckConstraint("(state = 'SENDING') = (lease_until IS NOT NULL)", name="leased_while_sending"),
        CheckConstraint(
            "state NOT IN ('SUCCEEDED', 'FAILED', 'CANCELLED') OR settled_at IS NOT NULL", name="ends_are_dated"
        ),
        Index(
            "ix_provider_intent_due",
            "next_attempt_at",
            postgresql_where=text("state IN ('READY', 'SENDING', 'UNKNOWN')"),
        ),
        Index(None, "subject_kind", "subject_id"),
        Index(None, "state", "id"),
    )

    id: Mapped[PrimaryKey]
    provider: Mapped[str]
    operation: Mapped[str]
    # What the provider sees as the name of this wish; the same at every try.
    idempotency_key: Mapped[str] = mapped_column(unique=True)
    subject_kind: Mapped[str]
    subject_id: Mapped[str]
    request: Mapped[Json]
    state: Mapped[str] = mapped_column(server_default="READY")
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    asked: Mapped[int] = mapped_column(server_default=text("0"))
    lease_until: Mapped[datetime | None]
    next_attempt_at: Mapped[datetime] = mapped_column(server_default=DB_NOW)
    # Set when a machine may not decide any more: a refund without an answer is never sent again by a machine.
    needs_person: Mapped[bool] = mapped_column(server_default=text("false"))
    provider_reference: Mapped[str] = mapped_column(server_default="")
    last_note: Mapped[str] = mapped_column(server_default="")
    created_by: Mapped[str]
    created_by_person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime] = recorded_now()
    settled_at: Mapped[datetime | None]


class ProviderAttempt(Model):
    """One call or one question about a call, with its outcome. Append-only."""

    __tablename__ = "provider_attempt"
    __table_args__ = (
        UniqueConstraint("intent_id", "number", name="attempts_are_numbered_per_intent"),
        CheckConstraint("kind IN ('CALL', 'ASK', 'LOST', 'PERSON')", name="kind_known"),
    )

    id: Mapped[PrimaryKey]
    intent_id: Mapped[int] = mapped_column(ForeignKey("provider_intent.id"))
    number: Mapped[int]
    kind: Mapped[str]
    outcome: Mapped[str]
    note: Mapped[str]
    ended_at: Mapped[datetime] = recorded_now()
