"""The five checks, each by itself: one that fails must not hide the others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from flask_babel import gettext as _
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from portal.core import queue
from portal.core.database import DB_NOW, db, let_go
from portal.health import money, schema
from portal.inbox import queries as inbox
from portal.inbox.models import InboxMessage
from portal.inbox.states import Message
from portal.mail import queries as mail
from portal.outbox import queries as outbox
from portal.outbox.models import ProviderAttempt, ProviderIntent
from portal.reports import queries as reports
from portal.schedules import queries as schedules
from portal.schedules.services import database_now

T = TypeVar("T")
OK, DEGRADED, DOWN = "ok", "degraded", "down"
# So many new messages within five minutes are a flood, or a provider that repeats itself.
SPIKE = 500
STUCK_SECONDS = 60
TOO_LONG = timedelta(minutes=10)


class Check(NamedTuple):
    """One of the five: how it is, in a word and in words, and its figures."""

    name: str
    status: str
    words: str
    facts: dict[str, Any]


class Health(NamedTuple):
    """How the machinery is: the five checks and the worst of them."""

    checks: list[Check]

    @property
    def status(self) -> str:
        """DOWN when the portal cannot do its work; DEGRADED when somebody should look."""
        found = {check.status for check in self.checks}
        return DOWN if DOWN in found else DEGRADED if DEGRADED in found else OK


class ProviderStatus(NamedTuple):
    """How a provider last answered, and how often it did not within the last hour."""

    provider: str
    outcome: str
    at: datetime
    silent: int
    calls: int


def look() -> Health:
    """Ask everything once. Without a database the others that need it are not asked."""
    first = _database()
    if first.status == DOWN:
        return Health([first, _unknown("schema"), _redis(), _unknown("queues"), _unknown("money")])
    return Health(
        [first, _guarded("schema", _schema), _redis(), _guarded("queues", _queues), _guarded("money", _money)]
    )


def providers() -> list[ProviderStatus]:
    """Each provider's last answer to a call or question of ours."""
    hour = ProviderAttempt.ended_at > DB_NOW - timedelta(hours=1)
    silent = ProviderAttempt.outcome.in_(("UNKNOWN", "NOT_SENT"))
    figures = (
        select(
            ProviderIntent.provider,
            func.max(ProviderAttempt.id),
            func.count().filter(hour & silent),
            func.count().filter(hour),
        )
        .join(ProviderIntent, ProviderIntent.id == ProviderAttempt.intent_id)
        .where(ProviderAttempt.ended_at > DB_NOW - timedelta(days=7))
        .group_by(ProviderIntent.provider)
        .order_by(ProviderIntent.provider)
    )
    found = db.session.execute(figures).all()
    wanted = select(ProviderAttempt).where(ProviderAttempt.id.in_([row[1] for row in found]))
    last = {attempt.id: attempt for attempt in db.session.scalars(wanted)}
    return [ProviderStatus(p, last[i].outcome, last[i].ended_at, quiet, calls) for p, i, quiet, calls in found]


def _database() -> Check:
    try:
        size = db.session.scalar(text("SELECT pg_database_size(current_database())"))
    except (SQLAlchemyError, OSError) as away:
        let_go()
        return Check("database", DOWN, _("The database does not answer."), {"error": type(away).__name__})
    return Check("database", OK, _("answers"), {"bytes": int(size or 0)})


def _schema() -> Check:
    found = schema.compare()
    facts = {"code": found.wanted, "database": found.found, "differences": found.differences[:20]}
    if found.agrees:
        return Check("schema", OK, _("code and database agree"), facts)
    return Check("schema", DOWN, _("The code's tables and the database's differ: run the migrations."), facts)


def _redis() -> Check:
    if queue.redis_answers():
        return Check("redis", OK, "PONG", {})
    return Check("redis", DEGRADED, _("Redis is silent: everything is done, only a little later."), {})


def _queues() -> Check:
    oldest = _oldest_unhandled_seconds()
    late = {
        name: overdue(STUCK_SECONDS)
        for name, overdue in (
            ("inbox", inbox.overdue), ("outbox", outbox.overdue), ("mail", mail.overdue), ("reports", reports.overdue)
        )
    }  # fmt: skip
    facts: dict[str, Any] = {
        "late": sorted(name for name, is_late in late.items() if is_late),
        "oldest_unhandled_seconds": oldest,
        "dead": inbox.counts().get("DEAD", 0),
        "needs_person": outbox.waiting_for_a_person(),
        "new_in_five_minutes": _new_messages(),
        "schedules": [beat.name for beat in schedules.heartbeats() if beat.trouble in ("late", "failed")],
    }
    said = [
        (facts["late"], _("work is stuck: %(names)s", names=", ".join(facts["late"]))),
        (facts["dead"], _("%(n)d messages could not be applied", n=facts["dead"])),
        (facts["needs_person"], _("%(n)d calls wait for a person", n=facts["needs_person"])),
        (facts["new_in_five_minutes"] > SPIKE, _("unusually many messages come in")),
        (facts["schedules"], _("%(n)d schedules are late or failed", n=len(facts["schedules"]))),
    ]
    troubles = [words for is_so, words in said if is_so]
    return Check("queues", DEGRADED if troubles else OK, "; ".join(troubles) or _("on time"), facts)


def _money() -> Check:
    found = money.watch(database_now())
    facts = {
        "due": found.due,
        "oldest_due_at": found.oldest_due_at.isoformat() if found.oldest_due_at else None,
        "last_left_at": found.last_left_at.isoformat() if found.last_left_at else None,
        "sales_in_a_day": found.sales,
        "waited_minutes": int(found.waited.total_seconds() // 60),
    }
    if found.stuck:
        words = _("Money is due for %(n)d minutes and none has left.", n=facts["waited_minutes"])
        return Check("money", DEGRADED, words, facts)
    return Check("money", OK, _("money leaves when it is due"), facts)


def _oldest_unhandled_seconds() -> int:
    waiting = InboxMessage.state.in_((Message.RECEIVED, Message.WAITING))
    age = func.extract("epoch", DB_NOW - func.min(InboxMessage.received_at))
    return int(db.session.scalar(select(age).where(waiting)) or 0)


def _new_messages() -> int:
    recent = InboxMessage.received_at > DB_NOW - timedelta(minutes=5)
    return db.session.scalar(select(func.count()).where(recent)) or 0


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except SQLAlchemyError as trouble:
        let_go()
        return Check(name, DOWN, _("could not be looked at"), {"error": type(trouble).__name__})


def _unknown(name: str) -> Check:
    return Check(name, DOWN, _("not known without the database"), {})


def if_readable(ask: Callable[[], T], otherwise: T) -> T:
    """Where the tables are not as the code wants them, the checks have said so already."""
    try:
        return ask()
    except SQLAlchemyError:
        let_go()
        return otherwise
