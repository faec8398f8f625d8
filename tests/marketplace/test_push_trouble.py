"""Silence, refusals, forgotten results, dead senders: in the end they believe what is free."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from jobs import sweep
from portal.core.database import db
from portal.core.ports import Outcome
from portal.core.unit_of_work import atomic
from portal.integrations.trendyol.limits import Limits
from portal.marketplace.ports import StockSubmitted, StockWish
from portal.marketplace.push import queries, rules
from portal.stock import services as stock
from portal.workflows import stock_push
from tests.integrations.trendyol import MISHAPS
from tests.marketplace.pushing import GUL, HOUR, MINUTE, Shop, level_again, shop
from tests.stock import number

__all__ = ["level_again", "shop"]


class Killed(BaseException):
    """The process is gone: nothing after this line happens in it."""


class Front:
    """The storefront, with something happening around the sending."""

    def __init__(self, shop: Shop, around: Callable[[Callable[[], StockSubmitted]], StockSubmitted]) -> None:
        self.code, self.title, self.abilities = shop.front.code, shop.front.title, shop.front.abilities
        self.front, self.around = shop.front, around

    def submit_stock(self, wishes: list[StockWish]) -> StockSubmitted:
        """With what happens around it."""
        return self.around(lambda: self.front.submit_stock(wishes))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.front, name)


def until(true: Callable[[], object], seconds: float = 30) -> None:
    """Until it is so."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.05)


def agrees(shop: Shop) -> bool:
    """They believe what is free, and we know it."""
    standing = queries.counts()
    db.session.rollback()
    return shop.believed() == shop.available() == shop.sent() and set(standing) == {"AGREES"}


@pytest.mark.parametrize("mode", [mode for mode, _outcome, _done in MISHAPS])
def test_after_silence_they_are_asked_and_the_number_is_there_once(
    shop: Shop, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Which look is too early must not depend on how fast this machine is.
    monkeypatch.setattr(rules, "PAUSE_SECONDS", (600,))
    shop.app.config["STOCK_PUSH_QUIET_SECONDS"] = 600
    shop.keeps(A1=50, B2=7)
    shop.twin.fails("stock", mode)
    shop.works()
    assert shop.batches() == ["UNKNOWN"]
    (push,) = shop.log()
    assert push.success is False and push.error_message
    shop.works()
    assert shop.batches() == ["UNKNOWN"]  # they are left alone for a while, and not asked too early
    shop.days_go_by(hours=1)
    assert agrees(shop)
    done = {name: done for name, _outcome, done in MISHAPS}[mode]
    # Whether they saw the body nobody knows, so it is said again in two parts that they cannot have seen.
    assert len(shop.batches()) == (1 if done else 3)


def test_the_first_one_arrived_when_they_say_the_same_again(shop: Shop) -> None:
    """Somebody else sent the very same body with the same keys: theirs counts as ours."""
    shop.keeps(A1=5)
    shop.front.submit_stock([StockWish("A1", 5)])
    shop.works()
    assert shop.batches() == ["UNKNOWN"]
    shop.works()
    row = shop.listing("A1")
    assert (row.believed, row.expected, row.attempts) == (5, 5, 0)
    assert agrees(shop)


def test_up_and_down_within_their_window_takes_another_barcode_along(shop: Shop) -> None:
    """5, 4, 5, 4, 5: they refuse a body they have just seen, but another list is another body."""
    shop.keeps(A1=5, B2=7, C3=9)
    shop.works()
    shop.later(10)
    shop.works()
    for _time in range(2):
        order = shop.sells("A1", 1)
        shop.works()
        assert shop.believed() == {"A1": 4, "B2": 7, "C3": 9}
        with atomic():
            stock.release(order, because="cancelled")
        shop.works()
        assert shop.believed() == {"A1": 5, "B2": 7, "C3": 9}
        shop.later(10)
        shop.works()
    assert "UNKNOWN" not in shop.batches()
    bodies = [{item["barcode"] for item in row["items"]} for row in shop.twin.world.store.all("trendyol_batch")]
    assert bodies == [{"A1", "B2", "C3"}, {"A1"}, {"A1"}, {"A1", "B2"}, {"A1", "B2"}]


def test_alone_within_their_window_it_waits(shop: Shop) -> None:
    shop.keeps(A1=5)
    shop.works()
    order = shop.sells("A1", 1)
    shop.works()
    with atomic():
        stock.release(order, because="cancelled")
    shop.works()
    assert shop.believed() == {"A1": 4}
    assert shop.listing("A1").due_at is not None
    shop.later(16 * MINUTE)
    shop.works()
    assert shop.believed() == {"A1": 5}
    assert "UNKNOWN" not in shop.batches()


def test_a_lost_result_is_replaced_by_what_they_believe(shop: Shop) -> None:
    shop.twin.lever("rules", lose_batch_results=True, reject_every=2)
    shop.keeps(A1=5, B2=7)
    shop.works()
    shop.later(10)
    shop.works()
    assert shop.items("A1") == [(5, "ASKED")]
    assert shop.listing("A1").believed == 5
    assert shop.items("B2")[0] == (7, "ASKED")
    shop.days_go_by(hours=1)
    assert agrees(shop)


def test_a_batch_that_never_ends_is_given_up_after_four_hours(shop: Shop) -> None:
    shop.twin.lever("rules", batch_questions=10_000)
    shop.keeps(A1=5)
    shop.days_go_by(hours=3)
    assert shop.batches() == ["WAITING"]
    assert shop.items("A1") == [(5, None)]
    shop.days_go_by(hours=2)
    assert shop.batches() == ["GONE"]
    assert agrees(shop)
    polls = number("SELECT polls FROM stock_push_batch")
    assert 10 < polls < 60


def test_a_newer_number_does_not_wait_for_the_older_ones_result(shop: Shop) -> None:
    """Both are on their way; nobody says in which order they count, so afterwards they are asked."""
    shop.twin.lever("rules", batch_questions=3)
    shop.keeps(A1=5)
    shop.works()
    shop.sells("A1", 1)
    shop.works()
    assert shop.items("A1") == [(5, None), (4, None)]
    assert shop.believed() == {"A1": 4}
    shop.twin.lever("items", barcode="A1", quantity=5)  # they applied them the other way round
    for _look in range(10):
        shop.later(MINUTE)
        shop.works()
    assert [quantity for quantity, _result in shop.items("A1")][:2] == [5, 4]
    shop.days_go_by(hours=1)
    assert agrees(shop)


def test_when_they_refuse_for_good_nothing_else_is_hurt(shop: Shop) -> None:
    """Wrong keys: they are asked seldom, everything stays due, the log says why; then the keys are mended."""
    shop.keeps(A1=5, B2=7)
    broken = shop.twin.storefront(shop.twin.client(api_secret="wrong"))
    shop.play(broken)
    shop.twin.lever("rules", limits=True)
    for _minute in range(120):
        shop.works()
        shop.later(MINUTE)
    assert 5 < len(shop.batches()) < 30
    assert set(shop.batches()) == {"REFUSED"}
    assert all(push.success is False and push.error_message for push in shop.log())
    assert shop.believed() == {"A1": 0, "B2": 0}
    (turn,) = queries.turns()
    assert turn.failures > 5 and turn.words
    db.session.rollback()
    shop.play(shop.front)
    stock_push.push_now(by=GUL)
    shop.days_go_by(hours=7)
    assert agrees(shop)


def test_one_item_that_spoils_the_batch_is_found_and_set_aside(shop: Shop) -> None:
    """They refuse every body with X in it; the others must not suffer."""
    shop.keeps(**{f"A{at}": 5 + at for at in range(30)}, X=3)

    class Spoilt(Front):
        def submit_stock(self, wishes: list[StockWish]) -> StockSubmitted:
            if any(wish.barcode == "X" for wish in wishes):
                return StockSubmitted(Outcome.REFUSED, why="X is not a barcode", code="400")
            return self.front.submit_stock(wishes)

    shop.play(Spoilt(shop, lambda send: send()))
    for _minute in range(30):
        shop.works()
        shop.later(MINUTE)
    shop.works()
    wanted = shop.available()
    assert {code: qty for code, qty in shop.believed().items() if code != "X"} == {
        code: qty for code, qty in wanted.items() if code != "X"
    }
    assert shop.listing("X").rejection == "X is not a barcode"


@pytest.mark.parametrize("after", [False, True])
def test_a_sender_that_dies_in_the_middle(shop: Shop, after: bool) -> None:
    shop.keeps(A1=5, B2=7)
    shop.app.config["OUTBOX_LEASE_SECONDS"] = 4

    def dies(send: Callable[[], StockSubmitted]) -> StockSubmitted:
        if after:
            send()
        raise Killed

    shop.play(Front(shop, dies))
    with pytest.raises(Killed):
        shop.works()
    db.session.rollback()
    shop.play()
    assert shop.works() == 0  # the turn is still the dead one's
    until(lambda: queries.overdue(0))
    db.session.rollback()
    shop.works()
    (push,) = [push for push in shop.log() if not push.success]
    assert "died" in push.error_message and push.duration_seconds is not None
    shop.days_go_by(hours=1)
    assert agrees(shop)
    assert len(shop.batches()) == (1 if after else 3)


def test_a_sender_that_sleeps_too_long_cannot_leave_an_older_number(shop: Shop) -> None:
    """It wakes up and sends 42 after somebody else has sent 41: it is noticed, they are asked, and told 41 again."""
    shop.keeps(A1=42, B2=7)
    shop.works()
    shop.later(10)
    shop.works()
    order = shop.sells("A1", 2)  # 40 shall be sent by the sleeper
    shop.app.config["OUTBOX_LEASE_SECONDS"] = 6
    sleeps, wakes = threading.Event(), threading.Event()

    def sleep_first(send: Callable[[], StockSubmitted]) -> StockSubmitted:
        sleeps.set()
        assert wakes.wait(60)
        return send()

    sleeper = Front(shop, sleep_first)

    def push_asleep() -> None:
        with shop.app.app_context():
            stock_push.note_changes()
            shop.play(sleeper)
            stock_push.push_some(sleeper)
            db.session.remove()

    thread = threading.Thread(target=push_asleep)
    thread.start()
    assert sleeps.wait(30)
    shop.play()
    until(lambda: queries.overdue(0))
    db.session.rollback()
    shop.works()
    shop.later(MINUTE)
    shop.sells("A1", 7)
    shop.works()
    assert shop.believed()["A1"] == 33
    wakes.set()
    thread.join(60)
    assert shop.believed()["A1"] == 40, "the older number lies over the newer one"
    assert order
    shop.later(MINUTE)
    shop.works()
    shop.later(10)
    shop.works()
    assert shop.believed()["A1"] == 33
    shop.days_go_by(hours=1)
    assert agrees(shop)


def test_who_claimed_too_long_ago_does_not_send(shop: Shop) -> None:
    shop.keeps(A1=5)
    shop.app.config["OUTBOX_LEASE_SECONDS"] = 0
    shop.works()
    assert shop.believed() == {"A1": 0}
    shop.app.config["OUTBOX_LEASE_SECONDS"] = 6
    shop.days_go_by(hours=1)
    assert agrees(shop)


def test_redis_forgets_everything_and_nothing_is_late_for_long(shop: Shop) -> None:
    shop.app.extensions["wake_redis"].flushdb()
    shop.keeps(A1=5)
    shop.app.extensions["wake_redis"].flushdb()
    until(lambda: "stock_push" in sweep.sweep(shop.app))
    assert shop.believed() == {"A1": 5}
    db.session.rollback()


def test_a_change_knocks_at_once(shop: Shop) -> None:
    shop.keeps(A1=5)
    shop.works()
    line = shop.app.extensions["wake_redis"]
    line.flushdb()
    shop.sells("A1", 1)
    assert line.exists("emanet:wake:stock_push")


@pytest.mark.usefixtures("level_again")
def test_no_call_is_refused_in_a_normal_run(shop: Shop) -> None:
    """More batches than ten seconds allow, by two processes that know nothing of each other but the database."""
    shop.twin.lever("rules", limits=True)
    shop.app.config["STOCK_PUSH_BATCH"] = 1
    fronts = [shop.twin.storefront(shop.twin.client(limits=Limits(margin_seconds=0.05))) for _process in range(2)]
    shop.keeps_many(60)
    shop.play(fronts[0])
    began = time.monotonic()
    for turn in range(100_000):
        shop.play(fronts[turn % 2])
        shop.works()
        if not queries.overdue(-1):
            break
        db.session.rollback()
        time.sleep(0.05)
    db.session.rollback()
    calls = shop.twin.look("calls")
    assert calls["stock"]["count"] == 60 and time.monotonic() - began > 10
    assert {name: row["refused"] for name, row in calls.items()} == dict.fromkeys(calls, 0)
    assert all(row["most_in_10_seconds"] <= 50 for row in calls.values())
    assert all(push.success for push in shop.log())
    assert shop.believed() == shop.available()


def test_when_somebody_else_uses_up_the_limit_we_wait_and_go_on(shop: Shop) -> None:
    shop.twin.lever("rules", limits=True)
    stranger = shop.twin.client()
    for _call in range(50):
        stranger.tell("POST", "stock", {"items": []})
    shop.keeps(A1=5)
    shop.works()
    assert shop.batches() == ["NOT_SENT"]
    (push,) = shop.log()
    assert push.error_message == "too many requests"
    shop.twin.lever("rules", limits=False)
    shop.works()
    assert shop.batches() == ["NOT_SENT"]  # left alone as long as they said
    shop.later(MINUTE)
    shop.works()
    assert len(shop.batches()) == 2 and shop.believed() == {"A1": 5}
    shop.later(HOUR)
    shop.works()
    assert agrees(shop)
