"""A slot runs once: whoever looks, dies, freezes or turns the clock."""

from __future__ import annotations

import contextvars
import threading
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import event, select, text, update
from sqlalchemy.exc import OperationalError

from jobs import schedule as jobs
from portal.core import timetable
from portal.core.database import DB_NOW, db
from portal.core.timetable import Periodic
from portal.core.unit_of_work import atomic
from portal.mail.models import MailMessage
from portal.reports import services as reports
from portal.schedules import queries
from portal.schedules import services as schedules
from portal.schedules.models import Schedule, ScheduleTick
from portal.schedules.services import MOST_ATTEMPTS, Claimed, SlotLost
from portal.schedules.states import CatchUp, TickOutcome
from tests import story
from tests.cast import Cast, actor, sign_in
from tests.schedules.conftest import Clockwork


def outcomes(schedule_id: int) -> list[str]:
    """What became of the slots, oldest first."""
    wanted = select(ScheduleTick.outcome).where(ScheduleTick.schedule_id == schedule_id).order_by(ScheduleTick.due_at)
    return list(db.session.scalars(wanted))


def crowd(app: Flask, what: object, size: int = 32) -> None:
    """Many at once, each on a connection of its own."""
    assert callable(what)

    def run() -> None:
        with app.app_context():
            what()

    people = [threading.Thread(target=contextvars.Context().run, args=(run,)) for _ in range(size)]
    for one in people:
        one.start()
    for one in people:
        one.join()


def test_of_many_schedulers_one_writes_the_slot_and_one_runs_it(app: Flask, clockwork: Clockwork) -> None:
    clockwork.passes(minutes=10)
    db.session.rollback()
    written: list[int] = []
    won: list[object] = []

    def look() -> None:
        written.append(clockwork.look())
        if (claimed := clockwork.claim()) is not None:
            won.append(claimed)

    crowd(app, look, 16)
    assert sum(written) == 1
    while (claimed := clockwork.claim()) is not None:
        won.append(claimed)
    assert len(won) == 1


def test_one_slot_of_a_schedule_runs_at_a_time(app: Flask, clockwork: Clockwork) -> None:
    clockwork.passes(minutes=30)
    assert clockwork.look() == 3
    first = clockwork.claim()
    assert first is not None
    assert clockwork.claim() is None
    with atomic():
        schedules.finish(first, TickOutcome.DONE, "")
    second = clockwork.claim()
    assert second is not None and second.due_at - first.due_at == timedelta(minutes=10)


@pytest.mark.parametrize(
    ("catch_up", "expected"),
    [
        (CatchUp.EACH, ["WAITING"] * 3),
        (CatchUp.ONCE, ["MISSED", "MISSED", "WAITING"]),
        (CatchUp.SKIP, ["MISSED", "MISSED", "MISSED"]),
    ],
)
def test_missed_slots_are_caught_up_as_the_schedule_says(
    app: Flask, clockwork: Clockwork, catch_up: CatchUp, expected: list[str]
) -> None:
    clockwork.set(catch_up=catch_up)
    clockwork.passes(minutes=32)  # the third slot is seven minutes old: late for SKIP
    clockwork.look()
    assert outcomes(clockwork.id) == expected


def test_a_worker_dead_over_three_slots_exactly_three_letters_the_late_ones_marked(
    app: Flask, cast: Cast, clockwork: Clockwork
) -> None:
    with atomic():
        schedule = queries.schedule_for_update(clockwork.id)
        reports.subscribe(schedule, cast.ayse, by=actor(cast.gul))
    clockwork.passes(minutes=26)  # nobody looked at three slots
    for _ in range(3):  # and now several schedulers do, again and again
        jobs.tick(app)
    story.drain("reports")
    letters = db.session.scalars(select(MailMessage).order_by(MailMessage.id)).all()
    assert len(letters) == 3
    assert [letter.subject.startswith("Gecikmeli") for letter in letters] == [True, True, False]
    assert "zamanı" in letters[0].text_body
    ticks = db.session.scalars(select(ScheduleTick).where(ScheduleTick.schedule_id == clockwork.id)).all()
    assert sorted((tick.late, tick.outcome) for tick in ticks) == [(False, "DONE"), (True, "DONE"), (True, "DONE")]


def test_a_frozen_runner_loses_its_slot_and_what_it_does_then_does_not_count(
    app: Flask, cast: Cast, clockwork: Clockwork
) -> None:
    clockwork.passes(minutes=10)
    clockwork.look()
    frozen = clockwork.claim()
    assert frozen is not None
    assert clockwork.claim() is None  # its lease is good
    lease_runs_out()
    second = clockwork.claim()
    assert second is not None and (second.due_at, second.attempt) == (frozen.due_at, 2)
    with atomic():
        reports.slot(second)
    with pytest.raises(SlotLost), atomic():
        reports.slot(frozen)
    with pytest.raises(SlotLost), atomic():
        schedules.finish(frozen, TickOutcome.FAILED, "")
    assert outcomes(clockwork.id) == ["DONE"]
    with atomic():
        assert not schedules.still_alive(frozen)


def lease_runs_out() -> None:
    """The runner is silent for longer than its lease."""
    with atomic():
        db.session.execute(
            update(ScheduleTick).where(ScheduleTick.lease_until.is_not(None)).values(lease_until=DB_NOW - timedelta(1))
        )


def test_a_heartbeat_keeps_the_slot(app: Flask, clockwork: Clockwork) -> None:
    clockwork.passes(minutes=10)
    clockwork.look()
    mine = clockwork.claim()
    assert mine is not None
    lease_runs_out()
    with atomic():
        assert schedules.still_alive(mine)
    assert clockwork.claim() is None


def test_a_slot_that_kills_everybody_is_given_up(app: Flask, clockwork: Clockwork) -> None:
    clockwork.passes(minutes=10)
    clockwork.look()
    for _ in range(MOST_ATTEMPTS):
        assert clockwork.claim() is not None
        lease_runs_out()
    assert clockwork.claim() is None
    assert outcomes(clockwork.id) == ["FAILED"]
    beat = next(beat for beat in queries.heartbeats() if beat.schedule_id == clockwork.id)
    assert beat.trouble == "failed"


def test_a_clock_that_jumps_there_and_back_runs_nothing_twice(app: Flask, clockwork: Clockwork) -> None:
    clockwork.passes(minutes=10)
    ran = [clockwork.look()]
    for jump in (-3600, 3600, -80_000, 80_000, 600):
        clockwork.passes(seconds=jump)
        ran.append(clockwork.look())
    assert ran == [1, 0, 0, 0, 0, 1]


def test_after_a_jump_of_years_and_back_it_goes_on_with_todays_slots(app: Flask, clockwork: Clockwork) -> None:
    clockwork.passes(days=3650)
    clockwork.look()
    clockwork.passes(days=-3650)
    clockwork.look()
    before = len(outcomes(clockwork.id))
    clockwork.passes(minutes=10)
    clockwork.look()
    assert len(outcomes(clockwork.id)) == before + 1


def test_one_sits_in_the_seat_until_he_is_silent(app: Flask) -> None:
    with atomic():
        assert schedules.sit_down("a")
    with atomic():
        assert schedules.sit_down("a")
        assert not schedules.sit_down("b")
    assert queries.leader() == "a"
    with atomic():
        schedules.get_up("a")
    with atomic():
        assert schedules.sit_down("b")
        assert not schedules.sit_down("a")


def test_off_has_a_reason_and_may_end_by_itself(app: Flask, cast: Cast, clockwork: Clockwork) -> None:
    gul = sign_in(app, cast.gul)
    url = f"/admin/schedules/{clockwork.id}"
    assert gul.post(f"{url}/pause", because="")[0] == 422
    assert gul.post(f"{url}/pause", because="sayım", until="01.01.2020")[0] == 422
    assert gul.post(f"{url}/pause", because="sayım", until="31.12.2099")[0] == 303
    assert "sayım" in gul.get(url)[1]
    clockwork.passes(minutes=30)
    assert clockwork.look() == 0
    clockwork.set(off_until=schedules.database_now() - timedelta(minutes=12))
    assert clockwork.look() == 1  # only what came after the end of the pause
    assert db.session.get_one(Schedule, clockwork.id, populate_existing=True).is_on
    assert sign_in(app, cast.burak).post(f"{url}/pause", because="x")[0] == 403


def test_by_hand_it_runs_once_also_while_it_is_off(app: Flask, cast: Cast, clockwork: Clockwork) -> None:
    ayse = sign_in(app, cast.ayse)
    url = f"/admin/schedules/{clockwork.id}"
    assert ayse.post(f"{url}/pause", because="x")[0] == 303
    assert ayse.post(f"{url}/runs")[0] == 303
    claimed = clockwork.claim()
    assert claimed is not None and claimed.by_hand and not claimed.late
    assert clockwork.claim() is None
    assert cast.ayse.full_name in ayse.get(url)[1]
    assert ayse.post(f"{url}/resumption")[0] == 303
    assert clockwork.look() == 0


def test_another_timing_begins_now(app: Flask, cast: Cast, clockwork: Clockwork) -> None:
    gul = sign_in(app, cast.gul)
    url = f"/admin/schedules/{clockwork.id}"
    clockwork.passes(minutes=30)
    assert gul.post(f"{url}/timing", how="cron", cron="0 8 * * 1-5", zone="Europe/Berlin", catch_up="SKIP")[0] == 303
    page = gul.get(url)[1]
    assert "hafta içi 08:00" in page and "Europe/Berlin" in page
    assert page.count("08:00</li>") == 5
    assert clockwork.look() == 0
    assert gul.post(f"{url}/timing", how="interval", every="-1", unit="minutes")[0] == 422
    assert gul.get("/admin/schedules/999999")[0] == 404


def test_the_codes_own_jobs_become_rows_once_and_keep_what_people_decided(app: Flask) -> None:
    ran: list[int] = []
    job = Periodic("say hello", lambda: ran.append(1), timedelta(minutes=5))
    with atomic():
        schedules.seed([job])
    with atomic():
        db.session.execute(update(Schedule).where(Schedule.name == "say hello").values(every_seconds=7200))
    with atomic():
        schedules.seed([job, job])
    [row] = db.session.scalars(select(Schedule).where(Schedule.task == "say hello")).all()
    assert (row.every_seconds, row.kind, row.catch_up) == (7200, "JOB", "ONCE")
    with atomic():
        assert schedules.write_down_due_slots() == 1  # at the first look the latest slot runs at once, as ever


def test_a_job_that_fails_says_so_and_its_slot_is_over(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ValueError("no")

    monkeypatch.setattr(jobs, "TIMETABLE", [timetable.Periodic("broken", fail, timedelta(minutes=5))])
    assert jobs.tick(app) == ["broken"]
    assert jobs.tick(app) == []
    [tick] = db.session.scalars(select(ScheduleTick)).all()
    assert (tick.outcome, tick.note) == ("FAILED", "ValueError: no")
    assert queries.last_success() == {}


def test_trouble_with_the_database_is_not_the_jobs_and_it_is_begun_again(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    troubles = [OperationalError("SELECT", {}, Exception("the line was lost"))]

    def stumble() -> None:
        if troubles:
            raise troubles.pop()

    monkeypatch.setattr(jobs, "TIMETABLE", [timetable.Periodic("stumbles", stumble, timedelta(minutes=5))])
    assert jobs.tick(app) == ["stumbles"]
    assert jobs.tick(app) == []
    lease_runs_out()
    assert jobs.tick(app) == ["stumbles"]
    assert db.session.scalar(select(ScheduleTick.outcome)) == "DONE"


def test_what_a_process_holds_that_froze_while_looking_fails_nobodys_slot(app: Flask, clockwork: Clockwork) -> None:
    clockwork.passes(minutes=10)
    clockwork.look()
    mine = clockwork.claim()
    assert mine is not None
    with app.app_context():
        schedules.write_down_due_slots()  # and does not come to its end
        crowd(app, lambda: jobs.run(app, mine), size=1)
        db.session.rollback()
    assert outcomes(clockwork.id) == ["DONE"]


def test_a_look_sends_no_pipeline_in_which_a_frozen_process_could_hold_the_schedules(
    app: Flask, cast: Cast, clockwork: Clockwork
) -> None:
    """Of a process frozen in the middle of many updates at once the database thinks that it works."""
    with atomic():
        for name in ("second", "third"):
            schedules.open_schedule(
                name=name, kind="REPORT", task="stock", parameters={}, cron="", every_seconds=86_400,
                zone="UTC", catch_up="EACH", by=actor(cast.gul),
            )  # fmt: skip
    many: list[str] = []

    def note(
        _connection: object, _cursor: object, sql: str, _values: object, _context: object, executemany: bool
    ) -> None:
        many.extend([sql] if executemany else [])

    clockwork.passes(minutes=10)
    event.listen(db.engine, "before_cursor_execute", note)
    assert clockwork.look() == 1  # and of the others it is noted that nothing was due
    event.remove(db.engine, "before_cursor_execute", note)
    assert many == []
    assert len({schedule.dealt_until_at for schedule in db.session.scalars(select(Schedule))}) == 1


def test_the_schedules_page_shows_everything_and_says_when_nobody_keeps_them(
    app: Flask, cast: Cast, clockwork: Clockwork
) -> None:
    gul = sign_in(app, cast.gul)
    assert "ENABLE_JOBS" in gul.get("/admin/schedules/")[1]
    jobs.tick(app)
    with atomic():
        schedules.sit_down("machine:1")
    page = gul.get("/admin/schedules/")[1]
    assert "machine:1" in page and "ENABLE_JOBS" not in page
    assert page.count("<tr>") == len(jobs.TIMETABLE) + 2


def test_without_the_claim_a_slot_runs_twice_and_without_its_key_it_is_written_twice(
    app: Flask, clockwork: Clockwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The naive twin: the same code over the same rows, once without the row's lock, once with it."""
    runs = {}
    for locked in (False, True):
        clockwork.passes(minutes=10)
        assert clockwork.look() == 1
        with monkeypatch.context() as fault:
            runs[locked] = how_often_it_runs(app, clockwork, fault, locked=locked)
    assert runs[False] > 1
    assert runs[True] == 1
    clockwork.set(dealt_until_at=None)  # a scheduler that does not know how far the last one came
    assert clockwork.look() == 0
    clockwork.set(dealt_until_at=None)
    db.session.execute(text("ALTER TABLE schedule_tick DROP CONSTRAINT pk_schedule_tick CASCADE"))
    assert schedules.write_down_due_slots() == 1
    assert len(outcomes(clockwork.id)) == 3
    db.session.rollback()


def how_often_it_runs(
    app: Flask, clockwork: Clockwork, fault: pytest.MonkeyPatch, *, locked: bool, size: int = 6
) -> int:
    """Everybody takes what he thinks is his, at the same moment: who has taken waits until the others have looked."""
    meeting = threading.Barrier(size)
    next_open, another_runs = schedules._next_open, schedules._another_runs
    ran: list[Claimed] = []

    def looked_then_marks(tick: ScheduleTick) -> bool:
        meeting.wait(60)
        return another_runs(tick)

    def without_lock() -> object:
        wanted = next_open()
        wanted._for_update_arg = None
        return wanted

    def run() -> None:
        claimed = clockwork.claim()
        if claimed is None:
            meeting.wait(60)
        else:
            ran.append(claimed)

    fault.setattr(schedules, "_another_runs", looked_then_marks)
    if not locked:
        fault.setattr(schedules, "_next_open", without_lock)
    crowd(app, run, size)
    with atomic():
        schedules.finish(ran[0], TickOutcome.DONE, "")
    return len(ran)
