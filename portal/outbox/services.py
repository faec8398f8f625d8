"""Write down the intention, call, write down the answer. (The calling itself is the dispatcher's: workflows/provider_calls.)"""

from __future__ import annotations

import random
from datetime import timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from flask import current_app
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from portal.core import audit, clock
from portal.core.actor import SYSTEM, Actor
from portal.core.database import DB_NOW, Json, db
from portal.core.errors import BadInput, Refusal
from portal.core.i18n import noted
from portal.core.queue import wake
from portal.outbox.models import ProviderAttempt, ProviderIntent
from portal.outbox.states import INTENT, Intent

TOPIC = "provider_calls"
# A call that certainly never arrived is tried again; a question that was not answered is asked again.
RETRY_SECONDS = (2, 10, 60, 300, 600)


class NotForPeople(Refusal):
    """Only a call that waits for a person can be decided by one."""

    code = "not_waiting_for_a_person"


def intend(operation: str, *, provider: str, key: str, subject: tuple[str, object], request: Json, by: Actor) -> int:
    """Write a call down, once per key; it is sent after the commit. Returns the intent's id."""
    intent_id = db.session.execute(
        insert(ProviderIntent)
        .values(
            provider=provider,
            operation=operation,
            idempotency_key=key,
            subject_kind=subject[0],
            subject_id=str(subject[1]),
            request=request,
            created_by=by.name,
            created_by_person_id=by.person_id,
        )
        .on_conflict_do_nothing(index_elements=[ProviderIntent.idempotency_key])
        .returning(ProviderIntent.id)
    ).scalar()
    wake(TOPIC)
    if intent_id is not None:
        return intent_id
    return db.session.execute(select(ProviderIntent.id).where(ProviderIntent.idempotency_key == key)).scalar_one()


def lease() -> timedelta:
    """How long a claimed call is left alone: several times the provider's own time-out."""
    return timedelta(seconds=current_app.config["OUTBOX_LEASE_SECONDS"])


def quiet_period() -> timedelta:
    """How long after silence we wait before asking: longer than the provider's own slowest work."""
    return timedelta(seconds=current_app.config["OUTBOX_QUIET_SECONDS"])


class Step(StrEnum):
    """What the claimed call needs now."""

    SEND = "SEND"
    ASK = "ASK"
    WAIT = "WAIT"


class Claimed(NamedTuple):
    """A call that is ours for a while, and what to do with it."""

    intent: ProviderIntent
    step: Step


def claim() -> Claimed | None:
    """Take the next due call.

    READY is to be sent, UNKNOWN to be asked about. One whose lease ran out becomes UNKNOWN and waits for the quiet
    period first: its sender died in the middle, and the provider may still be working on it.
    """
    intent = db.session.execute(
        select(ProviderIntent)
        .where(
            ProviderIntent.state.in_((Intent.READY, Intent.SENDING, Intent.UNKNOWN)),
            ~ProviderIntent.needs_person,
            ProviderIntent.next_attempt_at <= DB_NOW,
        )
        .order_by(ProviderIntent.next_attempt_at)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if intent is None:
        return None
    if intent.state == Intent.SENDING:
        lost(intent)
        return Claimed(intent, Step.WAIT)
    if intent.state == Intent.READY:
        _leased(intent)
        return Claimed(intent, Step.SEND)
    _note(intent, asked=intent.asked + 1, next_attempt_at=DB_NOW + lease())
    return Claimed(intent, Step.ASK)


class Fence(NamedTuple):
    """Which try of an intent it was."""

    state: str
    attempts: int
    asked: int


def fence(intent: ProviderIntent) -> Fence:
    """The try that is about to be made; read it at once, a rollback makes the intent forget it."""
    return Fence(intent.state, intent.attempts, intent.asked)


def still_mine(intent: ProviderIntent, ours: Fence) -> bool:
    """Whether the try we made is still the latest one of this intent; locks it."""
    now = db.session.execute(
        select(ProviderIntent.state, ProviderIntent.attempts, ProviderIntent.asked)
        .where(ProviderIntent.id == intent.id)
        .with_for_update()
    ).one()
    return Fence(*now) == ours


def succeeded(intent: ProviderIntent, *, reference: str, note: str, kind: str) -> None:
    """The provider did it."""
    _attempted(intent, kind, "DONE", note)
    _settle(intent, Intent.SUCCEEDED, note, provider_reference=reference)


def failed(intent: ProviderIntent, *, note: str, kind: str) -> None:
    """The provider said no. A definite no ends the intent; a new try would be a new intent with a new key."""
    _attempted(intent, kind, "REFUSED", note)
    _settle(intent, Intent.FAILED, note)


def unknown(intent: ProviderIntent, *, note: str) -> None:
    """Silence after sending: it may have been done. Nobody sends again; after a quiet period we ask."""
    _attempted(intent, "CALL", "UNKNOWN", note)
    _becomes_unknown(intent, note)


def lost(intent: ProviderIntent) -> None:
    """The sender died between claiming and noting the answer."""
    note = noted("the sender died before it could note the answer")
    _attempted(intent, "LOST", "UNKNOWN", note)
    _becomes_unknown(intent, note)


def never_arrived(intent: ProviderIntent, *, note: str) -> None:
    """It certainly did not reach the provider (no connection, throttled): sent again a little later."""
    _attempted(intent, "CALL", "NOT_SENT", note)
    _ready_again(intent, note, wait=_patience(intent.attempts))


def not_answered(intent: ProviderIntent, *, note: str) -> None:
    """We asked what became of it and heard nothing: asked again later."""
    _attempted(intent, "ASK", "UNKNOWN", note)
    _note(intent, last_note=note, next_attempt_at=DB_NOW + _patience(intent.asked))


def not_done(intent: ProviderIntent, *, note: str) -> None:
    """We asked, and the provider knows nothing of it: safe to send again."""
    _attempted(intent, "ASK", "NOT_DONE", note)
    _ready_again(intent, note, wait=timedelta(0))


def leave_to_a_person(intent: ProviderIntent, *, note: str) -> None:
    """We asked, the provider shows nothing, and doing it twice would cost money: a person decides."""
    _attempted(intent, "ASK", "NOT_DONE", note)
    _note(intent, last_note=note, needs_person=True)


def does_not_fit(intent: ProviderIntent, *, note: str) -> None:
    """The provider answered, and our books refuse what follows from it: a person looks at both."""
    _attempted(intent, "CALL" if intent.state == Intent.SENDING else "ASK", "UNKNOWN", note)
    if intent.state == Intent.SENDING:
        _becomes_unknown(intent, note)
    _note(intent, last_note=note, needs_person=True)


def send_again_by_hand(intent: ProviderIntent, *, by: Actor, because: str) -> None:
    """A person has looked at the provider's list and takes the responsibility for sending again."""
    _decided_by(intent, by, because, "intent sent again")
    _ready_again(intent, because, wait=timedelta(0), by=by)
    wake(TOPIC)


def settle_by_hand(intent: ProviderIntent, *, done: bool, by: Actor, because: str) -> None:
    """A person has seen at the provider that it was, or was not, done."""
    _decided_by(intent, by, because, "intent settled by hand")
    _settle(intent, Intent.SUCCEEDED if done else Intent.FAILED, because, by=by)


def ask_soon(intent: ProviderIntent) -> None:
    """Do not wait for the quiet period: somebody wants the truth now."""
    if intent.state == Intent.UNKNOWN and not intent.needs_person:
        _note(intent, next_attempt_at=DB_NOW)
        wake(TOPIC)


def _decided_by(intent: ProviderIntent, by: Actor, because: str, action: str) -> None:
    if not because.strip():
        raise BadInput(fields={"because": _l("Say why, so that others understand it later.")})
    if intent.state != Intent.UNKNOWN or not intent.needs_person:
        raise NotForPeople(_l("This call does not wait for a decision."))
    _attempted(intent, "PERSON", "DECIDED", because)
    audit.write_down(action, by=by, about=("intent", intent.id), because=because)


def _leased(intent: ProviderIntent) -> None:
    until = DB_NOW + lease()
    INTENT.move(
        intent,
        Intent.SENDING,
        actor=SYSTEM,
        reason=noted("being sent"),
        attempts=intent.attempts + 1,
        lease_until=until,
        next_attempt_at=until,
    )


def _ready_again(intent: ProviderIntent, note: str, *, wait: timedelta, by: Actor = SYSTEM) -> None:
    INTENT.move(
        intent,
        Intent.READY,
        actor=by,
        reason=note,
        lease_until=None,
        next_attempt_at=DB_NOW + wait,
        last_note=note,
        needs_person=False,
    )


def _becomes_unknown(intent: ProviderIntent, note: str) -> None:
    INTENT.move(
        intent,
        Intent.UNKNOWN,
        actor=SYSTEM,
        reason=note,
        lease_until=None,
        next_attempt_at=DB_NOW + quiet_period(),
        last_note=note,
    )


def _settle(intent: ProviderIntent, state: Intent, note: str, *, by: Actor = SYSTEM, **also: str) -> None:
    INTENT.move(
        intent,
        state,
        actor=by,
        reason=note,
        lease_until=None,
        settled_at=clock.now(),
        last_note=note,
        needs_person=False,
        **also,
    )


def _note(intent: ProviderIntent, **columns: Any) -> None:
    db.session.execute(
        update(ProviderIntent)
        .where(ProviderIntent.id == intent.id)
        .values(**columns)
        .execution_options(synchronize_session=False)
    )
    db.session.refresh(intent)


def _attempted(intent: ProviderIntent, kind: str, outcome: str, note: str) -> None:
    number = db.session.scalar(
        select(func.coalesce(func.max(ProviderAttempt.number), 0) + 1).where(ProviderAttempt.intent_id == intent.id)
    )
    db.session.add(ProviderAttempt(intent_id=intent.id, number=number, kind=kind, outcome=outcome, note=note[:2000]))


def _patience(tries: int) -> timedelta:
    seconds = RETRY_SECONDS[min(max(tries, 1), len(RETRY_SECONDS)) - 1]
    return timedelta(seconds=seconds * random.uniform(0.8, 1.2))  # noqa: S311 (jitter, not a secret)


AFTER_RESTORE = noted("restored from a backup: it may have been done since; somebody has to let it go")


def hold_everything() -> int:
    """After a restore: no call that was open in the backup goes out before a person says so. How many are held."""
    held = (
        update(ProviderIntent)
        .where(ProviderIntent.state.in_((Intent.READY, Intent.SENDING, Intent.UNKNOWN)), ~ProviderIntent.needs_person)
        .values(needs_person=True, last_note=AFTER_RESTORE)
        .returning(ProviderIntent.id)
        .execution_options(synchronize_session=False)
    )
    return len(db.session.scalars(held).all())


def let_everything_go() -> int:
    """A person has looked: what was held after a restore is asked about first, and only then sent if it was not done."""
    mine = (ProviderIntent.needs_person, ProviderIntent.last_note == AFTER_RESTORE)
    held = list(db.session.scalars(select(ProviderIntent).where(*mine).order_by(ProviderIntent.id).with_for_update()))
    for intent in held:
        if intent.state == Intent.READY:
            _leased(intent)
        if intent.state == Intent.SENDING:
            lost(intent)
        intent.needs_person = False
    wake(TOPIC)
    return len(held)
