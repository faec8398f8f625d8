"""What went wrong, kept where every machine can be asked: errors from the log, masked, on a page and in a letter."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CheckConstraint, Index, Select, func, select
from sqlalchemy.orm import Mapped

from portal.core.database import DB_NOW, Model, PrimaryKey, db, recorded_now


class Trouble(Model):
    """One error. Equal ones (same place, same kind) share a fingerprint."""

    __tablename__ = "trouble"
    __table_args__ = (
        CheckConstraint("level IN ('ERROR', 'CRITICAL')", name="level_known"),
        Index(None, "at"),
        Index(None, "fingerprint", "id"),
    )

    id: Mapped[PrimaryKey]
    at: Mapped[datetime] = recorded_now()
    level: Mapped[str]
    module: Mapped[str]
    fingerprint: Mapped[str]
    message: Mapped[str]
    trace: Mapped[str]
    request_id: Mapped[str]
    job: Mapped[str]
    process: Mapped[str]
    # When somebody was written to about it.
    told_at: Mapped[datetime | None]


def recent(*, module: str = "", words: str = "") -> Select[Any]:
    """Errors, newest first; the caller pages."""
    wanted = select(Trouble).order_by(Trouble.id.desc())
    if module:
        wanted = wanted.where(Trouble.module == module)
    if words:
        found = (
            Trouble.message.icontains(words, autoescape=True) | (Trouble.request_id == words) | (Trouble.job == words)
        )
        wanted = wanted.where(found)
    return wanted


def counts(hours: int = 24) -> dict[str, int]:
    """How many in the last hours, by module."""
    since = DB_NOW - timedelta(hours=hours)
    rows = db.session.execute(
        select(Trouble.module, func.count())
        .where(Trouble.at >= since)
        .group_by(Trouble.module)
        .order_by(Trouble.module)
    )
    return {module: count for module, count in rows}
