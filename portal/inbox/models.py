"""What providers told us, kept as it came."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, deferred, mapped_column

from portal.core.database import DB_NOW, Json, Model, PrimaryKey, recorded_now
from portal.inbox.states import MESSAGE


class InboxMessage(Model):
    """A verified message, raw, once per (provider, dedupe key); repeats are counted.

    A message is a hint: the worker asks the provider what is true and applies that.
    The view `payment_event_inbox` shows the payment messages under the name the specification gives them.
    """

    __tablename__ = "event_inbox"
    __table_args__ = (
        UniqueConstraint("provider", "dedupe_key", name="a_repeat_is_not_a_second_event"),
        CheckConstraint(f"state IN ({MESSAGE.check})", name="state_known"),
        CheckConstraint("topic IN ('payments', 'shipments', 'orders')", name="topic_known"),
        CheckConstraint("seen_count >= 1", name="seen_at_least_once"),
        CheckConstraint("attempts >= 0", name="attempts_are_counted"),
        Index("ix_event_inbox_due", "next_attempt_at", postgresql_where=text("state IN ('RECEIVED', 'WAITING')")),
        Index(None, "state", "id"),
        Index(None, "aggregate_key"),
    )

    id: Mapped[PrimaryKey]
    provider: Mapped[str]
    topic: Mapped[str]
    event_type: Mapped[str]
    dedupe_key: Mapped[str]
    aggregate_key: Mapped[str]
    signed: Mapped[bool]
    headers: Mapped[Json]
    # Nulled after the retention period; the key row stays for ever, so that a late repeat is still a repeat.
    raw_body: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))
    received_at: Mapped[datetime] = recorded_now()
    last_seen_at: Mapped[datetime] = recorded_now()
    seen_count: Mapped[int] = mapped_column(server_default=text("1"))
    state: Mapped[str] = mapped_column(server_default="RECEIVED")
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    next_attempt_at: Mapped[datetime] = mapped_column(server_default=DB_NOW)
    last_note: Mapped[str] = mapped_column(server_default="")
    applied_at: Mapped[datetime | None]


class InboxAttempt(Model):
    """One try to apply a message. Append-only."""

    __tablename__ = "event_inbox_attempt"
    __table_args__ = (UniqueConstraint("message_id", "number", name="attempts_are_numbered"),)

    id: Mapped[PrimaryKey]
    message_id: Mapped[int] = mapped_column(ForeignKey("event_inbox.id"))
    number: Mapped[int]
    outcome: Mapped[str]
    note: Mapped[str]
    ended_at: Mapped[datetime] = recorded_now()
