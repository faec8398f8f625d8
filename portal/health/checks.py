"""Small questions about the machinery."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from portal.core import queue
from portal.inbox import queries as inbox
from portal.outbox import queries as outbox
from portal.schedules import queries as schedules


class Health(NamedTuple):
    """How the machinery is."""

    redis: bool
    inbox: dict[str, int]
    outbox: dict[str, int]
    inbox_overdue: bool
    outbox_overdue: bool
    needs_person: int
    jobs: dict[str, datetime]


def look() -> Health:
    """Ask everything once. (That the database answers is shown by the fact that this returns.)"""
    return Health(
        redis=queue.redis_answers(),
        inbox=inbox.counts(),
        outbox=outbox.counts(),
        inbox_overdue=inbox.overdue(60),
        outbox_overdue=outbox.overdue(60),
        needs_person=outbox.waiting_for_a_person(),
        jobs=schedules.last_success(),
    )
