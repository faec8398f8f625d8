"""`GET /api/admin/health` for each of its troubles, provoked for real; and what it must not be alarmed by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Column, Integer, Table, event, text, update

from portal.app import create_app
from portal.core.database import DB_NOW, db
from portal.core.unit_of_work import atomic
from portal.embedded.valkey import Valkey
from portal.health import checks, money, schema
from portal.inbox.models import InboxMessage
from portal.orders.models import Order
from portal.outbox.models import ProviderIntent
from portal.settings import Settings
from tests import story
from tests.cast import Cast, api, sign_in
from tests.world import SandboxControl

MONDAY_NOON = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # 12:00 in Istanbul


@pytest.fixture(autouse=True)
def afresh() -> Iterator[None]:
    """Nobody remembers another test's tables."""
    schema._last.clear()
    yield
    schema._last.clear()


def ask(app: Flask, **more: str) -> tuple[int, dict[str, Any]]:
    """As a monitor asks."""
    answer = app.test_client().get(
        "/api/admin/health", headers={"X-Cron-Secret": app.config["CRON_SECRET"]}, query_string=more
    )
    return answer.status_code, answer.get_json()


def test_all_is_well(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    story.completed(app, cast, sandbox)
    story.drain("mail")
    status, answer = ask(app, books="1")
    assert (status, answer["status"], answer["books"]) == (200, "ok", {}), answer
    assert list(answer["checks"]) == ["database", "schema", "redis", "queues", "money"]
    assert {check["status"] for check in answer["checks"].values()} == {"ok"}
    assert answer["providers"]["iyzico"]["outcome"] == "DONE"


def test_only_operators_and_monitors_may_ask(app: Flask, cast: Cast) -> None:
    client = app.test_client()
    assert client.get("/api/admin/health").status_code == 401
    assert client.get("/api/admin/health", headers={"X-Cron-Secret": "wrong"}).status_code == 401
    for person, status in ((cast.gul, 200), (cast.ayse, 200), (cast.fatma, 401)):
        machine = api(app, person)
        assert machine.client.get("/api/admin/health", headers=machine.headers()).status_code == status


def test_redis_stopped(settings: Settings, tmp_path: Path) -> None:
    own = Valkey(tmp_path / "valkey", password="x", log=tmp_path / "valkey.log")
    own.start()
    own.wait()
    app = create_app(replace(settings, redis_url=own.url()))
    with app.app_context():
        before = ask(app)[1]["checks"]
        assert before["redis"] == {"status": "ok", "words": "PONG", "facts": {}}
        own.stop()
        status, answer = ask(app)
        db.engine.dispose()
    assert (status, answer["status"], answer["checks"]["redis"]["status"]) == (200, "degraded", "degraded")
    # Slower, not wrong; the demo's own first calls may be waiting since the run began.
    assert answer["checks"]["queues"]["status"] == before["queues"]["status"]


def test_a_model_changed_without_a_migration(app: Flask) -> None:
    before = {column.name for column in db.metadata.tables["offer"].columns}
    extra: Column[Any] = Column("forgotten", Integer)
    db.metadata.tables["offer"].append_column(extra)
    Table("whole_table_forgotten", db.metadata, Column("id", Integer, primary_key=True))
    try:
        status, answer = ask(app)
    finally:
        db.metadata.remove(db.metadata.tables["whole_table_forgotten"])
        db.metadata.tables["offer"]._columns.remove(extra)
    assert {column.name for column in db.metadata.tables["offer"].columns} == before
    assert (status, answer["status"]) == (503, "down")
    said = str(answer["checks"]["schema"]["facts"]["differences"])
    assert "forgotten" in said and "whole_table_forgotten" in said
    assert answer["checks"]["database"]["status"] == "ok"


def test_a_migration_that_was_not_run(app: Flask) -> None:
    with atomic():
        db.session.execute(text("UPDATE alembic_version SET version_num = '0004'"))
    status, answer = ask(app)
    assert (status, answer["checks"]["schema"]["facts"]["database"]) == (503, "0004")


def test_models_and_migrations_agree(app: Flask) -> None:
    found = schema.compare()
    assert found.differences == []
    assert found.wanted == found.found != ""


def test_a_stuck_queue(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    token = story.open_page(cast, story.place(cast))
    sandbox.pay(token)
    story.deliver_webhook(app, sandbox.webhooks()[0])  # and no worker is alive
    assert ask(app)[1]["checks"]["queues"]["status"] == "ok"
    with atomic():
        ago = DB_NOW - timedelta(minutes=5)
        db.session.execute(update(InboxMessage).values(next_attempt_at=ago, received_at=ago))
    status, answer = ask(app)
    queues = answer["checks"]["queues"]
    assert (status, answer["status"], queues["facts"]["late"]) == (200, "degraded", ["inbox"])
    assert queues["facts"]["oldest_unhandled_seconds"] >= 300
    story.drain("inbox")
    assert ask(app)[1]["checks"]["queues"]["status"] == "ok"


def test_dead_messages_and_decisions_nobody_takes_are_seen(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    story.paid(app, cast, sandbox)
    with atomic():
        db.session.execute(update(InboxMessage).values(state="DEAD"))
        db.session.execute(update(ProviderIntent).values(needs_person=True))
    queues = ask(app)[1]["checks"]["queues"]
    assert queues["status"] == "degraded"
    assert queues["facts"]["dead"] == 1 and queues["facts"]["needs_person"] >= 1


def money_that_waits(app: Flask, cast: Cast, sandbox: SandboxControl, now: datetime, minutes: int) -> None:
    """Sold and confirmed; the release was asked for some minutes before `now`, and nobody sends it."""
    story.confirmed(story.paid(app, cast, sandbox)[0], cast)
    with atomic():
        asked = update(ProviderIntent).where(ProviderIntent.operation == "approve_item")
        db.session.execute(asked.values(created_at=now - timedelta(minutes=minutes)))
        db.session.execute(update(Order).values(completed_at=now - timedelta(minutes=minutes)))


def test_money_that_is_due_and_does_not_leave(
    app: Flask, cast: Cast, sandbox: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    monkeypatch.setattr(money, "OPENS", datetime.min.time())  # this test may run at night and on Sundays
    monkeypatch.setattr(money, "CLOSES", datetime.max.time())
    monkeypatch.setattr(money, "is_working_day", lambda _day: True)
    money_that_waits(app, cast, sandbox, now, 14)
    assert ask(app)[1]["checks"]["money"]["status"] == "ok"
    with atomic():
        db.session.execute(update(ProviderIntent).values(created_at=now - timedelta(minutes=40)))
        db.session.execute(update(Order).values(completed_at=now - timedelta(minutes=40)))
    status, answer = ask(app)
    assert (status, answer["status"]) == (200, "degraded")
    assert answer["checks"]["money"]["facts"]["waited_minutes"] >= 39
    assert "40" in answer["checks"]["money"]["words"]
    story.drain("provider_calls")
    assert ask(app)[1]["checks"]["money"]["status"] == "ok"


@pytest.mark.parametrize(
    ("since", "now", "minutes"),
    [
        (MONDAY_NOON, MONDAY_NOON + timedelta(minutes=16), 16),
        # From Monday 19:50 to Tuesday 08:10: ten minutes in the evening, ten in the morning.
        (datetime(2026, 11, 23, 16, 50, tzinfo=UTC), datetime(2026, 11, 24, 5, 10, tzinfo=UTC), 20),
        # All Sunday, and Monday until 08:14.
        (datetime(2026, 11, 22, 8, 0, tzinfo=UTC), datetime(2026, 11, 23, 5, 14, tzinfo=UTC), 14),
        # 29 October is Republic Day; 30 August Victory Day (a Sunday in 2026).
        (datetime(2026, 10, 29, 6, 0, tzinfo=UTC), datetime(2026, 10, 29, 16, 0, tzinfo=UTC), 0),
        (MONDAY_NOON, MONDAY_NOON, 0),
        (MONDAY_NOON + timedelta(hours=1), MONDAY_NOON, 0),
    ],
)
def test_nights_sundays_and_holidays_do_not_count(since: datetime, now: datetime, minutes: int) -> None:
    assert money.working_time(since, now) == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("day", "works"),
    [(date(2026, 11, 21), True), (date(2026, 11, 22), False), (date(2026, 4, 23), False), (date(2026, 3, 20), False),
     (date(2027, 5, 17), False)],
)  # fmt: skip
def test_working_days_know_the_moving_feasts(day: date, works: bool) -> None:
    """Ramazan Bayramı begins on 20 March 2026, Kurban Bayramı on 16 May 2027."""
    assert money.is_working_day(day) is works


def test_the_page_shows_the_same_and_says_nothing_when_nothing_changed(app: Flask, cast: Cast) -> None:
    gul = sign_in(app, cast.gul)
    page = gul.get("/admin/")[1]
    assert "PONG" in page and page.count('id="health"') == 1
    again = page.split('hx-get="')[1].split('"')[0]
    htmx = {"HX-Request": "true", "HX-Request-Type": "partial"}
    assert gul.client.get(again, headers=htmx).status_code == 204
    story.place(cast)
    with atomic():
        db.session.execute(
            text("INSERT INTO schedule (name, kind, task, every_seconds, created_by) VALUES ('x','JOB','x',60,'x')")
        )
    changed = gul.client.get(again, headers=htmx)
    assert changed.status_code == 200 and "<html" not in changed.text


def test_a_look_costs_few_queries_however_much_there_is(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    gul = sign_in(app, cast.gul)
    asked: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *a: asked.append(a[2]))
    counts = []
    htmx = {"HX-Request": "true", "HX-Request-Type": "partial"}
    for _ in range(2):
        for _more in range(2):
            story.completed(app, cast, sandbox)
        gul.client.get("/admin/", headers=htmx)  # the tables were compared a moment ago
        asked.clear()
        assert gul.client.get("/admin/", headers=htmx).status_code == 200
        counts.append(len(asked))
    assert counts[0] == counts[1]
    assert 10 < counts[0] <= 40, asked


def test_prometheus_reads_the_figures(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    story.completed(app, cast, sandbox)
    assert app.test_client().get("/api/admin/metrics").status_code == 401
    answer = app.test_client().get("/api/admin/metrics", headers={"X-Cron-Secret": app.config["CRON_SECRET"]})
    assert answer.status_code == 200 and answer.content_type.startswith("text/plain")
    for line in (
        'emanet_check{check="database"} 2.0',
        'emanet_inbox_messages{state="APPLIED"} 1.0',
        "emanet_outbox_needs_person 0.0",
    ):
        assert line in answer.text
    assert checks.look().status == "ok"
