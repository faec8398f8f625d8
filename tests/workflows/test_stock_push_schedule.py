"""When storefronts are told: at once, every ten minutes, first after three, by one leader, and by hand."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from jobs import drain, schedule
from portal.cli import schedule as schedule_command
from portal.core.unit_of_work import atomic
from portal.health.books import ask_the_books
from portal.schedules import services as schedules
from portal.schedules.states import TickOutcome
from tests.cast import Cast, sign_in
from tests.marketplace.pushing import HOUR, MINUTE, Shop, shop

__all__ = ["shop"]

COMPARISON = "compare stock with storefronts"
MINUTES = timedelta(minutes=1)
CRON = {"X-Cron-Secret": "c" * 40}


LINE = [periodic for periodic in schedule.TIMETABLE if periodic.job == COMPARISON]


def look() -> int:
    """One look of the scheduler; how many slots were run."""
    with atomic():
        schedules.write_down_due_slots()
    ran = 0
    while True:
        with atomic():
            claimed = schedules.claim("here")
        if claimed is None:
            return ran
        with atomic():
            schedules.finish(claimed, TickOutcome.DONE, "")
        ran += 1


def sit_down() -> None:
    """The scheduler has just started."""
    with atomic():
        schedules.seed(LINE)
        schedules.begin_gently(LINE)


def test_the_first_comparison_comes_three_minutes_after_the_start(shop: Shop) -> None:
    assert LINE[0].every == 10 * MINUTES
    sit_down()
    assert look() == 0
    shop.later(2 * MINUTE)
    assert look() == 0
    shop.later(MINUTE + 1)
    assert look() == 1
    # And again after a restart, however many slots there were meanwhile.
    shop.later(HOUR)
    sit_down()
    assert look() == 0
    shop.later(3 * MINUTE + 1)
    assert look() == 1


def test_every_ten_minutes_and_never_twice(shop: Shop) -> None:
    sit_down()
    shop.later(4 * MINUTE)
    assert look() == 1
    ran = 0
    for _minute in range(30):
        ran += look() + look()
        shop.later(MINUTE)
    assert ran in (3, 4)  # half an hour begins anywhere within a slot


def test_jobs_run_only_where_they_are_enabled(shop: Shop) -> None:
    shop.app.config["ENABLE_JOBS"] = False
    answer = shop.app.test_cli_runner().invoke(schedule_command)
    assert answer.exit_code != 0 and "ENABLE_JOBS" in answer.output


def test_a_worker_drains_the_topic_in_all_its_lanes(shop: Shop) -> None:
    shop.keeps(A1=50, B2=3)
    drain.drain("stock_push")
    assert shop.believed() == {"A1": 50, "B2": 3}
    assert len(shop.log()) == 1


def test_cron_compares_by_hand_and_needs_its_secret(shop: Shop) -> None:
    shop.keeps(A1=50)
    client = shop.app.test_client()
    assert client.post("/api/cron/stock-push").status_code == 401
    answer = client.get("/api/cron/stock-push", headers=CRON)
    assert answer.get_json() == {"storefronts": 1, "differing": 0}  # new barcodes are due without differing
    shop.works()
    assert shop.believed() == {"A1": 50}
    assert client.post("/api/cron/stock-push", headers=CRON).get_json() == {"storefronts": 1, "differing": 0}


def test_the_administrators_buttons(shop: Shop, cast: Cast) -> None:
    shop.keeps(A1=50)
    shop.twin.lever("rules", reject_every=1)
    shop.works()
    shop.later(10)
    shop.works()
    gul = sign_in(shop.app, cast.gul)
    status, page = gul.get("/warehouse/push/?standing=REJECTED")
    assert status == 200 and "kilitli" in page and 'id="again-' in page
    shop.twin.lever("rules", reject_every=0)
    listing = shop.listing("A1").id
    back = "/warehouse/push/?standing=REJECTED"
    assert gul.post(f"/warehouse/push/listings/{listing}/again", next=back) == (303, back)
    for _look in range(3):
        shop.works()
        shop.later(HOUR)
    assert shop.believed() == {"A1": 50}
    assert gul.post(f"/warehouse/push/listings/{listing}/again")[0] == 409
    assert gul.post("/warehouse/push/listings/99/again")[0] == 404
    assert gul.post("/warehouse/push/now")[0] == 303
    assert gul.post("/warehouse/push/comparison", next="https://elsewhere.example/") == (303, "/warehouse/push/")
    assert shop.app.test_client().post("/warehouse/push/now").status_code in (303, 400)


def test_the_pages_say_what_was_sent_and_what_they_believe(shop: Shop, cast: Cast) -> None:
    shop.keeps(A1=50, B2=3)
    for pieces in (3, 4, 1):
        shop.sells("A1", pieces)
    shop.works()
    shop.later(10)
    shop.works()
    shop.sells("B2", 2)
    cem = sign_in(shop.app, cast.cem)
    _status, page = cem.get("/warehouse/push/?standing=EXPOSED")
    assert "B2" in page and "A1" not in page and 'id="push-now"' not in page
    _status, page = cem.get("/warehouse/push/?q=a1&storefront=trendyol&page=1")
    assert "A1" in page and "B2" not in page
    _status, page = cem.get("/warehouse/push/log?outcome=good")
    assert "45" in page and "8" in page
    _status, page = cem.get("/warehouse/push/log?outcome=bad")
    assert "<td" not in page
    assert cem.post("/warehouse/push/now")[0] == 403


def test_the_books_find_a_push_whose_figures_are_not_its_batches(shop: Shop) -> None:
    shop.keeps(A1=50)
    shop.works()
    assert ask_the_books() == []
    with atomic() as session:
        session.execute(text("UPDATE stock_push_log SET total_quantity = 51"))
    (trouble,) = ask_the_books()
    assert trouble.rows[0]["total_quantity"] == 51
    with atomic() as session:
        session.execute(text("UPDATE stock_push_log SET total_quantity = 50"))
