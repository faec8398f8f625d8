"""Each word of the core, by itself."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from decimal import Decimal

import psycopg
import pytest
from flask import Flask
from flask_migrate import check
from sqlalchemy import CheckConstraint, select, text

from jobs import sweep
from portal.commission.states import MACHINES as COMMISSION
from portal.core import formats, queue
from portal.core.actor import SYSTEM
from portal.core.database import LONGEST_TRANSACTION, db
from portal.core.errors import BadInput
from portal.core.money import Money
from portal.core.state_machine import Transition, WrongMoment
from portal.core.unit_of_work import NestedUnit, after_commit, atomic
from portal.core.web import safe_next
from portal.despatch.states import NOTE
from portal.disputes.states import DISPUTE
from portal.escrow.states import HOLD, PAYMENT, REFUND
from portal.inbox.states import MESSAGE
from portal.mail.states import MAIL
from portal.orders.models import Order
from portal.orders.states import ORDER, PAYOUT, OrderState
from portal.outbox.states import INTENT
from portal.settings import Settings, WrongSettings
from portal.shipping.states import PARCEL
from portal.stock.states import RESERVATION
from tests import story
from tests.cast import Cast
from tests.world import SandboxControl


def test_the_models_and_the_migrations_agree(app: Flask) -> None:
    check(directory=str(app.extensions["migrate"].directory))


def test_the_checks_the_models_name_are_those_the_database_keeps(app: Flask) -> None:
    """What `check` does not compare."""
    named = text("SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'c' AND conrelid <> 0")
    there = {(table, name) for table, name in db.session.execute(named)}
    quoted = db.engine.dialect.identifier_preparer.format_constraint
    checks = [c for t in db.metadata.tables.values() for c in t.constraints if isinstance(c, CheckConstraint)]
    ours = {(check.table.name, str(quoted(check)).strip('"')) for check in checks}
    assert len(ours) > 100
    assert {pair for pair in there if pair[0] in db.metadata.tables} == ours


def test_a_unit_in_a_unit_is_refused(app: Flask) -> None:
    with pytest.raises(NestedUnit), atomic(), atomic():
        pass


def test_what_is_said_afterwards_is_said_only_when_it_is_durable(app: Flask) -> None:
    said: list[str] = []
    with atomic():
        after_commit(lambda: said.append("done"))
        assert said == []
    with pytest.raises(ZeroDivisionError), atomic():
        after_commit(lambda: said.append("never"))
        _ = 1 // 0
    assert said == ["done"]


def test_no_provider_is_called_inside_a_unit(app: Flask) -> None:
    from portal.core.ports import port
    from portal.escrow.ports import PaymentGateway

    with pytest.raises(AssertionError, match="inside atomic"), atomic():
        port(PaymentGateway)


@pytest.mark.parametrize(
    "machine",
    [ORDER, PAYOUT, PARCEL, HOLD, PAYMENT, REFUND, MESSAGE, INTENT, DISPUTE, NOTE, MAIL, RESERVATION, *COMMISSION],
)
def test_every_state_can_be_reached_and_has_a_meaning(machine) -> None:  # type: ignore[no-untyped-def]
    first = next(iter(machine.moves))
    reached, todo = {first}, [first]
    while todo:
        for target in machine.moves[todo.pop()]:
            if target not in reached:
                reached.add(target)
                todo.append(target)
    assert reached == set(machine.moves)
    assert all(machine.meaning(state.value).label for state in machine.moves)


def test_of_two_who_move_it_one_is_told_that_the_other_was_faster(
    app: Flask, cast: Cast, sandbox: SandboxControl
) -> None:
    order = story.paid(app, cast, sandbox)[0]
    stale = db.session.get_one(Order, order.id)
    db.session.expunge(stale)
    with atomic():
        ORDER.move(db.session.get_one(Order, order.id), OrderState.SHIPPED, actor=SYSTEM, reason="first")
    with pytest.raises(WrongMoment), atomic():
        ORDER.move(stale, OrderState.CANCELLED, actor=SYSTEM, reason="second")
    moves = db.session.scalars(select(Transition).where(Transition.subject_kind == "order").order_by(Transition.id))
    assert [move.to_state for move in moves] == ["PENDING_PAYMENT", "PAID", "SHIPPED"]
    with atomic():  # so that the books' questions, which run after every test, find the parcel this order never had
        db.session.execute(Order.__table__.update().values(state="PAID"))  # type: ignore[attr-defined]


def test_redis_may_be_deaf(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    import redis

    app.extensions["wake_redis"] = redis.Redis(host="127.0.0.1", port=1, socket_timeout=0.1)
    order = story.paid(app, cast, sandbox)[0]
    assert order.state == "PAID"
    assert queue.redis_answers() is False
    app.extensions["wake_redis"] = redis.Redis.from_url(app.extensions["worker_redis_url"])


def test_a_lost_wake_up_is_found_by_the_sweeper(
    app: Flask, cast: Cast, sandbox: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = story.open_page(cast, story.place(cast))
    sandbox.pay(token)
    story.deliver_webhook(app, sandbox.webhooks()[0])
    app.extensions["wake_redis"].flushdb()
    monkeypatch.setattr(sweep, "OVERDUE_SECONDS", 0)
    assert sweep.sweep(app) == ["inbox"]
    assert sweep.sweep(app) == []


@pytest.mark.parametrize(
    ("kurus", "tr", "en"),
    [(125430050, "1.254.300,50", "1,254,300.50"), (-5, "−0,05", "−0.05"), (0, "0,00", "0.00")],
)
def test_money_as_people_read_it(app: Flask, kurus: int, tr: str, en: str) -> None:
    assert formats.money(kurus, language="tr") == f"{tr}\u00a0₺"
    assert formats.money(kurus, language="en") == f"{en}\u00a0₺"
    if kurus > 0:
        assert formats.read_lira(tr, "tr") == Money(kurus)
        assert formats.read_lira(en, "en") == Money(kurus)


@pytest.mark.parametrize("text", ["1,254.30", "", "abc", "1.2.3", "10,505", "--1", "1 000,5x"])
def test_an_amount_that_could_mean_two_things_is_asked_again(app: Flask, text: str) -> None:
    with pytest.raises(BadInput):
        formats.read_lira(text, "tr")


def test_turkish_letters() -> None:
    assert formats.tr_lower("IŞIK İĞNE") == "ışık iğne"
    assert formats.tr_upper("ışık iğne") == "IŞIK İĞNE"
    assert formats.fold("Işık") == formats.fold("isik") == "isik"
    names = ["Şule", "Su", "Ömer", "Osman", "İrem", "Işık", "Irmak", "Çağla", "Cem"]
    assert sorted(names, key=formats.sort_key) == [
        "Cem", "Çağla", "Irmak", "Işık", "İrem", "Osman", "Ömer", "Su", "Şule",
    ]  # fmt: skip


def test_dates_and_rates(app: Flask) -> None:
    assert formats.percent(Decimal("8.50"), "tr") == "%8,5"
    assert formats.percent(Decimal("8.50"), "en") == "8.5%"
    assert formats.read_day("21.11.2026") == formats.read_day("2026-11-21") == date(2026, 11, 21)
    assert formats.instant(datetime(2026, 11, 20, 21, 30, tzinfo=UTC)) == "21.11.2026 00:30"


def test_what_could_rob_somebody_is_masked() -> None:
    text = "fatma@x.tr TR330006100519786457841326 5528790000000008 Bearer abc.def 10000000146 +905321112233"
    masked = formats.masked(text)
    for secret in ("fatma@x.tr", "330006100519", "5528790000000008", "abc.def", "10000000146", "5321112233"):
        assert secret not in masked


@pytest.mark.parametrize("target", ["//evil", "/\\evil", "https://evil", "\\\\evil", "/a\r\nb", "", None, "evil"])
def test_the_way_back_never_leads_elsewhere(target: str | None) -> None:
    assert safe_next(target) is None
    assert safe_next("/buyer/orders?page=2") == "/buyer/orders?page=2"


def test_wrong_settings_are_named_together() -> None:
    with pytest.raises(WrongSettings) as refusal:
        Settings.from_env({"JWT_SECRET": "kisa-sir", "PORTAL_URL": "ftp://x", "PROXY_HOPS": "two"})
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "JWT_SECRET", "PORTAL_URL", "PROXY_HOPS"):
        assert name in str(refusal.value)
    assert "kisa-sir" not in str(refusal.value)


@pytest.mark.parametrize("bounded", [False, True])
def test_who_freezes_in_the_middle_of_a_pipeline_lets_go_in_the_end(settings: Settings, bounded: bool) -> None:
    """The naive twin knows only the limit for idle transactions: this one is not idle, it has not said all."""
    address = settings.database_url.replace("postgresql+psycopg://", "postgresql://")
    longest = "1500ms" if bounded else "0"
    with psycopg.connect(address, autocommit=True) as other, psycopg.connect(address) as frozen:
        frozen.execute(f"SET idle_in_transaction_session_timeout = '300ms'; SET transaction_timeout = '{longest}'")
        frozen.commit()
        line = frozen.pgconn
        line.enter_pipeline_mode()
        line.send_query_params(b"BEGIN", None)
        line.send_query_params(b"SELECT pg_advisory_xact_lock(7)", None)
        line.send_flush_request()
        line.flush()  # and no end of the pipeline
        free = "SELECT pg_try_advisory_xact_lock(7)"
        time.sleep(1)
        assert other.execute(free).fetchone() == (False,)
        time.sleep(1)
        assert other.execute(free).fetchone() == (bounded,)
        line.finish()


def test_every_transaction_of_ours_is_bounded(app: Flask) -> None:
    assert db.session.scalar(text("SHOW transaction_timeout")) == LONGEST_TRANSACTION
