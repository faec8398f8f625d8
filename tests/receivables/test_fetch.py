"""Reading the ERP: one at a time, whole or not at all, and whatever happens the last good data stay."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import text

from portal.core.actor import Actor
from portal.core.database import db
from portal.core.errors import BadInput
from portal.core.unit_of_work import atomic
from portal.health.aging_books import AGING_QUESTIONS
from portal.health.books import ask_the_books
from portal.receivables import queries
from portal.receivables import services as receivables
from portal.receivables.models import AgingFetch
from portal.receivables.ports import Account, Finding, Oddity, Reason, Side
from portal.receivables.queries import Filter, Window
from portal.receivables.rules import Mode
from portal.receivables.services import AnotherReading
from portal.workflows import aging_fetch
from tests import story
from tests.receivables import CODE
from tests.receivables.conftest import travel
from tests.receivables.source import Ledger, Line

AYSE = Actor("Ayşe")
SPEC = (
    "120.40.0000123",
    "AYTEK TEKNOLOJİ A.Ş.",
    1_254_300_50,
    200_000_00,
    354_300_50,
    400_000_00,
    250_000_00,
    50_000_00,
    0,
)


def read(side: Side = Side.CUSTOMERS, as_of: date | None = None) -> AgingFetch:
    """Read now, and hear how it went."""
    return aging_fetch.read_now(side, as_of, by=AYSE, patience_seconds=30)


def rows(
    window: Window | None = None, side: Side = Side.CUSTOMERS, wanted: Filter | None = None
) -> list[tuple[object, ...]]:
    """What is shown."""
    found = [
        tuple(row) for row in queries.all_rows(queries.view(side, window or Window.of(None, None)), wanted or Filter())
    ]
    db.session.rollback()
    return found


def number(sql: str) -> int:
    """One number from the database."""
    found = db.session.scalar(text(sql))
    db.session.rollback()
    return int(found or 0)


def codes(fetch: AgingFetch) -> dict[str, str]:
    """The checks that complained, and how gravely."""
    found = {reason.check_code: reason.severity for reason in queries.reasons(fetch.id)}
    db.session.rollback()
    return found


# Whole ------------------------------------------------------------------------------------------------------


def test_the_specs_row_comes_out_of_the_stored_months(aytek: Ledger) -> None:
    fetch = read()
    assert (fetch.state, fetch.is_current, fetch.accounts, fetch.lines) == ("DONE", True, 1, 6)
    assert rows() == [SPEC]
    assert aytek.readings == 1


def test_suppliers_are_the_mirror_image(ledger: Ledger) -> None:
    ledger.add("320.01.1", date(2025, 4, 2), 900_00, debit=False)
    ledger.add("320.01.1", date(2025, 5, 2), 250_00, debit=True)
    ledger.add("320.01.1", date(2025, 5, 3), -50_00, debit=True)
    ledger.add(CODE, date(2025, 5, 3), 77_00)
    assert read(Side.SUPPLIERS).state == "DONE"
    assert rows(side=Side.SUPPLIERS) == [("320.01.1", "Cari 320.01.1", 700_00, 0, 0, 0, 650_00, 50_00, 0)]


def test_a_new_reading_takes_the_old_ones_place_and_names_follow(aytek: Ledger) -> None:
    first = read()
    aytek.add(CODE, date(2025, 5, 9), 54_300_50, debit=False)
    aytek.cards[CODE] = Account(CODE, "AYTEK TEKNOLOJİ VE TİCARET A.Ş.")
    second = read()
    assert [row[1:4] for row in rows()] == [("AYTEK TEKNOLOJİ VE TİCARET A.Ş.", 1_200_000_00, 145_699_50)]
    assert number(f"SELECT count(*) FROM aging_fetch WHERE is_current AND id = {second.id}") == 1
    assert number(f"SELECT count(*) FROM aging_month WHERE fetch_id = {first.id}") > 0
    change = db.session.execute(queries.changes(queries.fetch(second.id), queries.fetch(first.id))).one()
    assert tuple(change)[3:] == (1_254_300_50, 1_200_000_00, -54_300_50)
    db.session.rollback()


def test_old_months_are_put_away_and_standings_stay(aytek: Ledger) -> None:
    for _ in range(4):
        assert read().state == "DONE"
    assert number("SELECT count(DISTINCT fetch_id) FROM aging_month") == 2
    assert number("SELECT count(DISTINCT fetch_id) FROM aging_standing") == 4
    assert rows() == [SPEC]


def test_a_month_that_comes_from_two_partitions_is_one(ledger: Ledger) -> None:
    reading = Ledger.reading

    for day in (1, 2, 3):
        ledger.add("120.1", date(2025, 5, day), 100)
    with reading(ledger, Side.CUSTOMERS, date(2025, 5, 15)) as found:
        whole = found.sums[0]
    from portal.receivables.services import Claim, Staging

    with atomic():
        fetch = receivables.ask(Side.CUSTOMERS, date(2025, 5, 15), live=True, by=AYSE)
        claim = receivables.claim(fetch.id)
    assert isinstance(claim, Claim)
    staging = Staging(claim)
    with atomic():
        staging.add([whole])
        staging.lay_down()  # the account may go on in the next chunk: nothing is written yet
        staging.add([whole])
        staging.lay_down(all_of_it=True)
    assert number("SELECT count(*) FROM aging_month") == 1
    assert number("SELECT owed_kurus FROM aging_month") == 600


# As of any day ----------------------------------------------------------------------------------------------


def test_any_month_end_is_known_and_any_other_day_is_read(aytek: Ledger) -> None:
    aytek.add(CODE, date(2025, 4, 20), 100_000_00, debit=False)
    read()
    april = Window.of(None, date(2025, 4, 30))
    assert rows(april)[0][2:8] == (1_104_300_50, 100_000_00, 0, 354_300_50, 400_000_00, 250_000_00)
    middle = Window.of(None, date(2025, 4, 15))
    with pytest.raises(queries.NeedsItsOwnReading):
        rows(middle)
    assert read(as_of=date(2025, 4, 15)).state == "DONE"
    assert rows(middle)[0][2] == 1_204_300_50
    assert rows()[0][2] == 1_154_300_50
    assert number("SELECT count(*) FROM aging_fetch WHERE is_current") == 1
    # A day on which nothing lies on both sides needs no reading: 7 March and 7 April are whole months to it.
    assert rows(Window.of(None, date(2025, 3, 10)))[0][2] == 954_300_50


def test_a_day_that_has_not_come_is_refused(aytek: Ledger) -> None:
    with pytest.raises(BadInput), atomic():
        receivables.ask(Side.CUSTOMERS, date(2025, 5, 16), live=False, by=AYSE)


def test_future_lines_stand_apart_until_their_day(aytek: Ledger) -> None:
    aytek.add(CODE, date(2025, 5, 20), 1_000_00)
    aytek.add(CODE, date(2025, 7, 1), 5_00)
    fetch = read()
    assert rows() == [SPEC]
    assert codes(fetch) == {"FUTURE": "NOTE"}
    assert queries.not_yet(fetch, 1) == 1_005_00
    db.session.rollback()
    travel(2025, 5, 21)
    read()
    assert rows()[0][2] == 1_255_300_50


@pytest.mark.parametrize(
    ("day", "months"), [((2026, 1, 5), 4), ((2026, 2, 28), 4), ((2026, 3, 31), 12), ((2028, 2, 29), 3)]
)
def test_the_sql_says_what_the_rules_say_over_the_turn_of_the_year(
    ledger: Ledger, day: tuple[int, int, int], months: int
) -> None:
    from portal.receivables import months as calendar
    from portal.receivables.rules import MonthOwed, aged

    travel(*day)
    today = date(*day)
    for n in range(400):
        on = date.fromordinal(today.toordinal() - (n * 37) % 900)
        ledger.add(f"120.{n % 7}", on, (n * 7919) % 90_001 - 500, debit=n % 5 < 3)
    assert read().state == "DONE"
    last = calendar.month_of(today)
    window = Window.of(calendar.first_day(calendar.later(last, 1 - months)), today)
    for mode in (Mode.FIFO, Mode.NET_SIGNED):
        found = rows(Window(window.as_of, window.shown, mode))
        assert len(found) == 7
        for row in found:
            sums = []
            for line in ledger.lines:
                if line.account == row[0] and line.on:
                    owed, paid = line.sides
                    sums.append(MonthOwed(calendar.month_of(line.on), owed, paid))
            wanted = aged(sums, window.shown, mode)
            assert (row[2], row[3], row[4:-1]) == (wanted.balance, wanted.before, wanted.shown)


def test_open_items_are_offered_only_when_they_are_the_balance(aytek: Ledger) -> None:
    aytek.keeps_open_items = True
    for line in aytek.lines:
        line.open_kurus = 0 if not line.debit else line.kurus
    aytek.lines[0].open_kurus, aytek.lines[0].due_on = 200_000_00, date(2025, 6, 30)
    assert codes(read()) == {}
    window = Window.of(None, None)
    open_item = Window(window.as_of, window.shown, Mode.OPEN_ITEM)
    assert rows(open_item)[0][2:] == (1_254_300_50, 0, 354_300_50, 400_000_00, 250_000_00, 50_000_00, 200_000_00)
    aytek.open_items_out = {CODE: 1}
    fetch = read()
    assert (fetch.state, codes(fetch)) == ("DONE", {"OPEN_ITEMS_DIFFER": "VIEW"})
    with pytest.raises(queries.OpenItemsNotOffered):
        rows(open_item)
    assert rows() == [SPEC]


# Not whole --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", [Reason.UNREACHABLE, Reason.WRONG_PASSWORD, Reason.TIMEOUT, Reason.NOT_CONFIGURED])
def test_an_erp_that_cannot_be_read_leaves_the_last_good_data(aytek: Ledger, reason: Reason) -> None:
    read()
    aytek.away = reason
    fetch = read()
    assert (fetch.state, fetch.failure) == ("FAILED", reason.value)
    assert rows() == [SPEC]
    assert queries.situation(Side.CUSTOMERS).newest.failure == reason.value  # type: ignore[union-attr]
    db.session.rollback()


def test_a_connection_that_breaks_in_the_middle_leaves_nothing_behind(ledger: Ledger) -> None:
    for n in range(30):
        ledger.add(f"120.{n:02}", date(2025, 5, 1), 100)
    read()
    before = rows()
    ledger.breaks_after = 4
    fetch = read()
    assert (fetch.state, fetch.failure) == ("FAILED", "DROPPED")
    assert number(f"SELECT count(*) FROM aging_month WHERE fetch_id = {fetch.id}") == 0
    assert rows() == before


def test_our_own_mistake_ends_the_reading_and_still_crashes(aytek: Ledger) -> None:
    aytek.at_chunk = lambda _place: 1 // 0  # type: ignore[assignment]
    with pytest.raises(ZeroDivisionError):
        read()
    assert number("SELECT count(*) FROM aging_fetch WHERE state = 'FAILED' AND failure = 'OUR_MISTAKE'") == 1
    aytek.at_chunk = lambda _place: None
    assert read().state == "DONE"


def finds(oddity: Oddity) -> Callable[[Ledger], object]:
    """The ERP itself finds something odd."""
    return lambda ledger: ledger.odd.append(Finding(oddity, 3, 7_00, (CODE,)))


SUSPICIONS: dict[str, tuple[Callable[[Ledger], object], str]] = {
    "half an answer": (lambda ledger: setattr(ledger, "missing", 1), "TOTALS_DIFFER"),
    "the totals are others": (lambda ledger: setattr(ledger, "totals_out_micro", 10_000), "TOTALS_DIFFER"),
    "a balance is another": (lambda ledger: ledger.balances_out.update({CODE: 1_00}), "BALANCES_DIFFER"),
    "a balance of an account we never saw": (lambda ledger: ledger.balances_out.update({"120.99": 5_00}), "BALANCES_DIFFER"),
    "a month is another": (lambda ledger: ledger.months_out.update({date(2025, 3, 1): 2_00}), "MONTHS_DIFFER"),
    "two names for one code": (lambda ledger: ledger.more_cards.append(Account(CODE, "BAŞKA A.Ş.")), "TWO_CARDS"),
    "no card": (lambda ledger: ledger.cards.pop(CODE), "NO_CARD"),
    "nothing at all": (lambda ledger: ledger.lines.clear(), "EMPTY"),
    "a blank in a code": (lambda ledger: ledger.lines.append(Line("120 1", date(2025, 5, 1), 5)), "ODD_CODE"),
    **{
        f"the ERP finds {oddity}": (finds(oddity), oddity.value)
        for oddity in Oddity
        if oddity is not Oddity.OPENING_UNDATED
    },
}  # fmt: skip


@pytest.mark.parametrize("name", SUSPICIONS)
def test_suspicion_stops_the_figures_and_says_why(aytek: Ledger, name: str) -> None:
    assert read().state == "DONE"
    wrong, check = SUSPICIONS[name]
    wrong(aytek)
    fetch = read()
    assert fetch.state == "SUSPICIOUS", queries.reasons(fetch.id)
    assert codes(fetch)[check] == "STOP"
    assert rows() == [SPEC]  # the last good data
    assert queries.doubted(Side.CUSTOMERS).id == fetch.id  # type: ignore[union-attr]
    db.session.rollback()


def test_a_reason_names_accounts_and_amounts_the_largest_first(ledger: Ledger) -> None:
    for n in range(30):
        ledger.add(f"120.{n:02}", date(2025, 5, 1), 100_00)
        ledger.balances_out[f"120.{n:02}"] = (n + 1) * 1_00
    reason = queries.reasons(read().id)[0]
    assert (reason.count, reason.amount_kurus) == (30, sum(range(1, 31)) * 1_00)
    assert [found["code"] for found in reason.accounts][:2] == ["120.29", "120.28"]
    assert len(reason.accounts) == 20
    db.session.rollback()


def test_rounding_is_no_suspicion(aytek: Ledger) -> None:
    aytek.balances_out = {CODE: 5}  # six months, a cent each
    aytek.months_out = {date(2025, 3, 1): 1}
    assert read().state == "DONE"


def test_a_few_lines_without_account_are_only_noted(aytek: Ledger) -> None:
    for _ in range(400):
        aytek.add(CODE, date(2025, 5, 2), 100)
    aytek.odd = [Finding(Oddity.NO_CARD, 2, 10_00), Finding(Oddity.OPENING_UNDATED, 1)]
    fetch = read()
    assert (fetch.state, codes(fetch)) == ("DONE", {"NO_CARD": "NOTE", "OPENING_UNDATED": "NOTE"})


def test_sums_that_are_not_their_months_are_found(aytek: Ledger) -> None:
    """Check 10 can fail: tamper with what was summed up, and it says by how much."""
    from portal.receivables import sums

    fetch = read()
    with atomic():
        assert db.session.execute(sums.not_the_balance(fetch.id)).all() == []
        db.session.execute(text("UPDATE aging_standing SET paid_kurus = paid_kurus + 7"))
        assert db.session.execute(sums.not_the_balance(fetch.id)).all() == [(CODE, -7)]
        recorded, kept = [[dict(row) for row in db.session.execute(text(q.sql)).mappings()] for q in AGING_QUESTIONS]
        assert (recorded, [row["paid_kurus"] - row["paid"] for row in kept]) == ([], [7])  # and so do the books
        db.session.execute(text("UPDATE aging_standing SET paid_kurus = paid_kurus - 7"))
        assert ask_the_books() == []
        db.session.execute(text("UPDATE aging_month SET owed_kurus = owed_kurus + 1 WHERE month = 202505"))
        assert [trouble.question for trouble in ask_the_books()] == [question.asks for question in AGING_QUESTIONS]
        db.session.rollback()


# At the same time, and dead ---------------------------------------------------------------------------------


def test_two_who_ask_at_once_get_one_reading(app: Flask, aytek: Ledger) -> None:
    begun, go = threading.Event(), threading.Event()

    def wait(_place: int) -> None:
        begun.set()
        assert go.wait(60)

    aytek.at_chunk = wait

    def fetcher() -> int:
        with app.app_context():
            return read().id

    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(fetcher)
        assert begun.wait(60)
        others = [pool.submit(fetcher) for _ in range(3)]
        with pytest.raises(AnotherReading):  # another day is another reading: not while this one runs
            read(as_of=date(2025, 3, 15))
        go.set()
        ids = {first.result(60), *(other.result(60) for other in others)}
    assert len(ids) == 1
    assert (aytek.readings, aytek.most_at_once) == (1, 1)


def test_a_naive_pair_would_read_twice(app: Flask, aytek: Ledger) -> None:
    """Without the claim both readers read at once: the race above is a real one."""
    both = threading.Barrier(2)
    aytek.at_chunk = lambda _place: both.wait(60)  # type: ignore[assignment]

    def naive() -> None:
        with aytek.reading(Side.CUSTOMERS, date(2025, 5, 15)) as reading:
            list(reading.months())

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(naive) for _ in range(2)]:
            done.result(60)
    assert aytek.most_at_once == 2


class Killed(BaseException):
    """The process is gone: nothing of ours runs afterwards."""


def test_a_reader_that_dies_in_the_middle_is_followed_by_another(
    app: Flask, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(30):
        ledger.add(f"120.{n:02}", date(2025, 5, 1), 100)
    before = read()
    ledger.lines[0].kurus = 200

    def dies(place: int) -> None:
        if place == 5:
            raise Killed

    ledger.at_chunk = dies
    with atomic():
        asked = receivables.ask(Side.CUSTOMERS, date(2025, 5, 15), live=True, by=AYSE)
    with pytest.raises(Killed):
        aging_fetch.read_next()
    assert number(f"SELECT count(*) FROM aging_month WHERE fetch_id = {asked.id}") > 0  # half a reading lies there
    assert number(f"SELECT count(*) FROM aging_fetch WHERE id = {before.id} AND is_current") == 1
    assert rows()[0][2] == 100  # and nobody sees it
    ledger.at_chunk = lambda _place: None
    assert not aging_fetch.read_next()  # its lease still runs
    with atomic():
        db.session.execute(text("UPDATE aging_fetch SET leased_until = clock_timestamp() WHERE state = 'RUNNING'"))
    assert queries.overdue(2)
    db.session.rollback()
    assert story.drain("aging_fetch") == 1
    assert rows()[0][2] == 200
    assert number(f"SELECT count(*) FROM aging_month WHERE fetch_id = {asked.id}") == 30
    assert (
        number(f"SELECT lines FROM aging_fetch WHERE id = {asked.id}") == 30
    )  # those read by the dead are not counted


def test_a_reader_given_up_for_dead_cannot_come_back(app: Flask, aytek: Ledger) -> None:
    with atomic():
        asked = receivables.ask(Side.CUSTOMERS, date(2025, 5, 15), live=True, by=AYSE)
        late = receivables.claim(asked.id)
    assert late
    with atomic():
        db.session.execute(text("UPDATE aging_fetch SET leased_until = clock_timestamp()"))
    assert story.drain("aging_fetch") == 1
    with pytest.raises(receivables.LostTheReading), atomic():
        receivables.finish(late, [])
    assert rows() == [SPEC]


def test_after_three_deaths_it_is_given_up(app: Flask, aytek: Ledger) -> None:
    def dies(_place: int) -> None:
        raise Killed

    aytek.at_chunk = dies
    with atomic():
        receivables.ask(Side.CUSTOMERS, date(2025, 5, 15), live=True, by=AYSE)
    for _ in range(3):
        with pytest.raises(Killed):
            aging_fetch.read_next()
        with atomic():
            db.session.execute(text("UPDATE aging_fetch SET leased_until = clock_timestamp()"))
    assert not aging_fetch.read_next()
    assert number("SELECT count(*) FROM aging_fetch WHERE state = 'FAILED' AND failure = 'DIED'") == 1


def test_the_database_itself_allows_one_reading_and_one_truth(app: Flask, aytek: Ledger) -> None:
    from sqlalchemy.exc import IntegrityError

    read()
    for sql in (
        "INSERT INTO aging_fetch (side, as_of_on, live, asked_by) VALUES ('120', '2025-05-15', true, 'x'), ('120', '2025-05-15', true, 'y')",
        "UPDATE aging_fetch SET state = 'SUSPICIOUS'",
        "UPDATE aging_month SET owed_kurus = -1",
        "UPDATE aging_month SET month = 202513",
    ):
        with pytest.raises(IntegrityError), atomic():
            db.session.execute(text(sql))


def test_every_morning_every_side_is_asked_for_once(app: Flask, aytek: Ledger) -> None:
    assert aging_fetch.read_every_side(by=AYSE) == 2
    assert aging_fetch.read_every_side(by=AYSE) == 0
    assert story.drain("aging_fetch") == 2
    assert rows() == [SPEC]
