"""The diary of commission: who did what, when, and what changed (spec §6, `commission_audit_event`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert

from portal.commission.models import CommissionAuditEvent
from portal.core import clock
from portal.core.actor import Actor
from portal.core.database import Json, db


def write(
    action: str, kind: str, subject_id: int, *, by: Actor, because: str = "", before: Any = None, **after: Any
) -> None:
    """Remember one act, in the transaction of the act itself. `after` is what is true now."""
    write_many(action, kind, [(subject_id, after)], by=by, because=because, before=before)


def write_many(
    action: str,
    kind: str,
    changes: Sequence[tuple[int, Json]],
    *,
    by: Actor,
    because: str = "",
    before: Json | None = None,
) -> None:
    """Remember the same act on many things."""
    who = {"at": clock.now(), "actor": by.name, "actor_person_id": by.person_id, "because": because}
    what = {"action": action, "subject_kind": kind, "before": before or {}}
    rows = [{"subject_id": subject_id, "after": after, **who, **what} for subject_id, after in changes]
    if rows:
        db.session.execute(insert(CommissionAuditEvent), rows)
