"""What the scheduler and its operators do. A slot is a row; whoever holds its lease runs it, and its end is fenced."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from flask import current_app
from flask_babel import lazy_gettext as _l
from sqlalchemy import and_, exists, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased
from sqlalchemy.orm.attributes import set_committed_value

from portal.core import audit, clock
from portal.core.actor import SYSTEM, Actor
from portal.core.database import DB_NOW, Json, db
from portal.core.errors import BadInput, Refusal
from portal.core.i18n import noted
from portal.core.timetable import Periodic
from portal.schedules.models import Schedule, SchedulerSeat, ScheduleTick
from portal.schedules.rules import Plan, checked, plan
from portal.schedules.states import CatchUp, TickOutcome

# A slot whose runner died is tried so often; then it is a failure somebody has to look at.
MOST_ATTEMPTS = 3
# So many tombstones of missed slots are kept per look: enough to see what happened, not a million rows.
MOST_TOMBSTONES = 20
HOW_FAR = text(
    """UPDATE schedule s SET dealt_until_at = r.until_at
       FROM unnest(CAST(:ids AS bigint[]), CAST(:until AS timestamptz[])) AS r(id, until_at) WHERE s.id = r.id"""
)


class Claimed(NamedTuple):
    """A slot in our hands. `attempt` is the fence: who holds an older one has lost it."""

    schedule_id: int
    due_at: datetime
    attempt: int
    kind: str
    task: str
    parameters: Json
    late: bool
    by_hand: bool
    asked_by: str


class SlotLost(Refusal):
    """Somebody else has taken the slot over: what we did about it must not count."""

    code = "slot_lost"

    def __init__(self) -> None:
        super().__init__(_l("Somebody else has taken this slot over."))


def database_now() -> datetime:
    """The instant by the database's clock: schedulers on several machines must not disagree."""
    now: datetime = db.session.execute(select(DB_NOW)).scalar_one()
    return now + clock.shift()


# The seat ---------------------------------------------------------------------------------------------------


def sit_down(holder: str) -> bool:
    """Take the seat or stay in it; False while somebody else sits there and is alive."""
    until = DB_NOW + _lease()
    seat = insert(SchedulerSeat).values(id=1, holder=holder, lease_until=until)
    free = or_(SchedulerSeat.holder == holder, SchedulerSeat.lease_until < DB_NOW)
    taken = seat.on_conflict_do_update(
        index_elements=[SchedulerSeat.id],
        set_={"holder": holder, "lease_until": until},
        where=free,
    ).returning(SchedulerSeat.holder)
    return db.session.execute(taken).scalar() is not None


def get_up(holder: str) -> None:
    """Leave the seat to the next one, who need not wait."""
    db.session.execute(update(SchedulerSeat).where(SchedulerSeat.holder == holder).values(lease_until=DB_NOW))


# Slots ------------------------------------------------------------------------------------------------------


def seed(timetable: Iterable[Periodic]) -> None:
    """The code's own jobs become rows, once; how they are timed afterwards is decided on the screen."""
    for job in timetable:
        db.session.execute(
            insert(Schedule)
            .values(
                name=job.job,
                kind="JOB",
                task=job.job,
                cron=job.cron,
                every_seconds=job.every_seconds,
                catch_up=job.catch_up,
                created_by=SYSTEM.name,
            )
            .on_conflict_do_nothing(index_elements=[Schedule.name])
        )


def begin_gently(timetable: Iterable[Periodic]) -> None:
    """Somebody has just sat down: jobs that wait after a start have their first slot then, and none before."""
    now = database_now()
    for job in timetable:
        if not job.first_after:
            continue
        first = now + job.first_after
        waits = update(Schedule).where(Schedule.name == job.job, Schedule.is_on).values(dealt_until_at=first)
        schedule_id = db.session.scalar(waits.returning(Schedule.id))
        if schedule_id is not None:
            _insert(schedule_id, Plan([first], []), now)


def write_down_due_slots() -> int:
    """One look: every slot since the last one becomes a row, by its schedule's policy. Returns how many will run."""
    now = database_now()
    _switch_on_again(now)
    # Not the key: what a frozen process holds here must not keep another's run from naming its schedule.
    held = (
        select(Schedule).where(Schedule.is_on).order_by(Schedule.id).with_for_update(skip_locked=True, key_share=True)
    )
    due = list(db.session.scalars(held))
    will_run = sum(_write_down(schedule, now) for schedule in due)
    _note_how_far(due, now)
    return will_run


def claim(runner: str) -> Claimed | None:
    """Take the next slot that waits, or one whose runner died. One slot of a schedule runs at a time."""
    _give_up_dead_slots()
    found = db.session.execute(_next_open()).one_or_none()
    if found is None:
        return None
    tick, schedule = found
    if _another_runs(tick):
        return None  # it began between our look and our lock
    tick.attempts += 1
    # The first slot of a new row may be older than the row: nobody was late for it.
    on_time = tick.by_hand or tick.due_at < schedule.created_at
    tick.late = not on_time and database_now() - tick.due_at > timedelta(seconds=schedule.late_after_seconds)
    tick.outcome, tick.runner, tick.lease_until, tick.begun_at = TickOutcome.RUNNING, runner, DB_NOW + _lease(), DB_NOW
    db.session.flush()
    return Claimed(
        schedule.id, tick.due_at, tick.attempts, schedule.kind, schedule.task, schedule.parameters,
        tick.late, tick.by_hand, tick.asked_by,
    )  # fmt: skip


def still_alive(claimed: Claimed) -> bool:
    """The heartbeat: the slot stays ours a while longer; False when somebody has taken it over."""
    renewed = update(ScheduleTick).where(*_ours(claimed)).values(lease_until=DB_NOW + _lease())
    return db.session.execute(renewed.returning(ScheduleTick.due_at)).scalar() is not None


def fence(claimed: Claimed) -> None:
    """Hold the slot until the unit of work ends; refuses when it is no longer ours."""
    held = select(ScheduleTick.due_at).where(*_ours(claimed)).with_for_update()
    if db.session.execute(held).scalar() is None:
        raise SlotLost


def finish(claimed: Claimed, outcome: TickOutcome, note: str) -> None:
    """The slot is over. Refuses when somebody else has taken it over meanwhile."""
    fence(claimed)
    db.session.execute(
        update(ScheduleTick)
        .where(*_ours(claimed))
        .values(outcome=outcome.value, note=note[:2000], ended_at=DB_NOW, lease_until=None)
    )


# Operators --------------------------------------------------------------------------------------------------


def open_schedule(
    *, name: str, kind: str, task: str, parameters: Json, cron: str, every_seconds: int | None, zone: str,
    catch_up: str, by: Actor,
) -> Schedule:  # fmt: skip
    """A new schedule; its first slot is the next one from now."""
    timing = _checked(name, cron, every_seconds, zone, catch_up)
    if db.session.scalar(select(Schedule.id).where(Schedule.name == name)):
        raise BadInput(fields={"name": _l("There is already a schedule with this name.")})
    schedule = Schedule(
        name=name,
        kind=kind,
        task=task,
        parameters=parameters,
        cron=timing.cron,
        every_seconds=timing.every_seconds,
        zone=zone,
        catch_up=catch_up,
        dealt_until_at=database_now(),
        created_by=by.name,
    )
    db.session.add(schedule)
    db.session.flush()
    _audit(schedule, "schedule opened", by)
    return schedule


def retime(
    schedule: Schedule, *, cron: str, every_seconds: int | None, zone: str, catch_up: str, parameters: Json, by: Actor
) -> None:
    """Another timing or other parameters, from now on: slots of the old timing are not caught up by the new one."""
    timing = _checked(schedule.name, cron, every_seconds, zone, catch_up)
    before = {"cron": schedule.cron, "every_seconds": schedule.every_seconds, "parameters": schedule.parameters}
    schedule.cron, schedule.every_seconds, schedule.zone = timing
    schedule.catch_up, schedule.parameters = catch_up, parameters
    schedule.dealt_until_at = database_now()
    _audit(schedule, "schedule changed", by, before=before)


def switch_off(schedule: Schedule, *, because: str, until: datetime | None, by: Actor) -> None:
    """Nothing runs until somebody switches it on, or until the given instant."""
    schedule.is_on, schedule.off_because, schedule.off_until = False, because, until
    _audit(schedule, "schedule switched off", by, because=because)


def switch_on(schedule: Schedule, *, by: Actor) -> None:
    """It runs again, from now on: what would have run while it was off is not caught up."""
    schedule.is_on, schedule.off_because, schedule.off_until = True, "", None
    schedule.dealt_until_at = database_now()
    _audit(schedule, "schedule switched on", by)


def run_now(schedule: Schedule, *, by: Actor) -> datetime:
    """A slot by hand, also while the schedule is off: a person decided. Returns the slot's instant."""
    due_at = database_now()
    db.session.add(ScheduleTick(schedule_id=schedule.id, due_at=due_at, by_hand=True, asked_by=by.name))
    _audit(schedule, "schedule run by hand", by)
    return due_at


# Inside -----------------------------------------------------------------------------------------------------


def _lease() -> timedelta:
    return timedelta(seconds=current_app.config["SLOT_LEASE_SECONDS"])


def _write_down(schedule: Schedule, now: datetime) -> int:
    dealt, late_after = _dealt_until(schedule, now), timedelta(seconds=schedule.late_after_seconds)
    todo = plan(schedule.timing, dealt_until=dealt, now=now, catch_up=schedule.catch_up, late_after=late_after)
    return _insert(schedule.id, todo, now)


def _dealt_until(schedule: Schedule, now: datetime) -> datetime | None:
    """A clock that was ahead and came back: from here on slots are looked at again; tombstones refuse those that ran."""
    dealt = schedule.dealt_until_at
    return min(dealt, now) if dealt is not None and dealt - now > timedelta(days=1) else dealt


def _note_how_far(due: Sequence[Schedule], now: datetime) -> None:
    """All of them in one statement. The session would send many updates as one pipeline, and a process that freezes in
    the middle of a pipeline holds what it locked for as long as it is frozen: its connection is not idle, and no
    statement runs, so none of the database's shorter limits ends it (seen 2026-11-21)."""
    reached = [max(_dealt_until(schedule, now) or now, now) for schedule in due]
    db.session.execute(HOW_FAR, {"ids": [schedule.id for schedule in due], "until": reached})
    for schedule, until in zip(due, reached, strict=True):
        set_committed_value(schedule, "dealt_until_at", until)


def _insert(schedule_id: int, todo: Plan, now: datetime) -> int:
    rows: list[dict[str, Any]] = [
        {"schedule_id": schedule_id, "due_at": at, "outcome": TickOutcome.WAITING, "ended_at": None, "late": False}
        for at in todo.run
    ]
    rows += [
        {"schedule_id": schedule_id, "due_at": at, "outcome": TickOutcome.MISSED, "ended_at": now, "late": True}
        for at in todo.missed[-MOST_TOMBSTONES:]
    ]
    if not rows:
        return 0
    new = insert(ScheduleTick).values(rows).on_conflict_do_nothing().returning(ScheduleTick.outcome)
    return list(db.session.scalars(new)).count(TickOutcome.WAITING)


def _switch_on_again(now: datetime) -> None:
    """Whose pause is over runs again, from the end of the pause on."""
    over = update(Schedule).where(~Schedule.is_on, Schedule.off_until <= now)
    db.session.execute(over.values(is_on=True, off_because="", off_until=None, dealt_until_at=Schedule.off_until))


def _next_open() -> Any:
    busy = aliased(ScheduleTick)
    another_runs = exists().where(
        busy.schedule_id == ScheduleTick.schedule_id,
        busy.due_at != ScheduleTick.due_at,
        busy.outcome == TickOutcome.RUNNING,
        busy.lease_until >= DB_NOW,
    )
    open_ = or_(
        ScheduleTick.outcome == TickOutcome.WAITING,
        and_(ScheduleTick.outcome == TickOutcome.RUNNING, ScheduleTick.lease_until < DB_NOW),
    )
    return (
        select(ScheduleTick, Schedule)
        .join(Schedule, Schedule.id == ScheduleTick.schedule_id)
        .where(open_, ~another_runs, ScheduleTick.due_at <= database_now())
        .order_by(ScheduleTick.due_at)
        .limit(1)
        # The schedule's row as well: of two who claim its slots at once, the second takes another schedule's.
        .with_for_update(skip_locked=True, key_share=True)
        .execution_options(populate_existing=True)
    )


def _another_runs(tick: ScheduleTick) -> bool:
    other = select(ScheduleTick.due_at).where(
        ScheduleTick.schedule_id == tick.schedule_id,
        ScheduleTick.due_at != tick.due_at,
        ScheduleTick.outcome == TickOutcome.RUNNING,
        ScheduleTick.lease_until >= DB_NOW,
    )
    return db.session.execute(other.limit(1)).scalar() is not None


def _give_up_dead_slots() -> None:
    db.session.execute(
        update(ScheduleTick)
        .where(
            ScheduleTick.outcome == TickOutcome.RUNNING,
            ScheduleTick.lease_until < DB_NOW,
            ScheduleTick.attempts >= MOST_ATTEMPTS,
        )
        .values(
            outcome=TickOutcome.FAILED.value,
            note=noted("its runner died again and again"),
            ended_at=DB_NOW,
            lease_until=None,
        )
    )


def _ours(claimed: Claimed) -> tuple[Any, ...]:
    return (
        ScheduleTick.schedule_id == claimed.schedule_id,
        ScheduleTick.due_at == claimed.due_at,
        ScheduleTick.outcome == TickOutcome.RUNNING,
        ScheduleTick.attempts == claimed.attempt,
    )


def _checked(name: str, cron: str, every_seconds: int | None, zone: str, catch_up: str) -> Any:
    if not name.strip():
        raise BadInput(fields={"name": _l("Give it a name.")})
    if catch_up not in list(CatchUp):
        raise BadInput(fields={"catch_up": _l("Choose what happens to missed ones.")})
    return checked(cron, every_seconds, zone)


def _audit(schedule: Schedule, what: str, by: Actor, **details: Any) -> None:
    audit.write_down(what, by=by, about=("schedule", schedule.id), name=schedule.name, **details)
