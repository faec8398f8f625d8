"""A report is the same on the screen, in the file, in the letter and in the API; and nobody waits for nothing."""

from __future__ import annotations

import io
import json
import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import func, select

from portal.core import clock
from portal.core.database import db
from portal.core.errors import BadInput, NotAllowed, Refusal
from portal.core.unit_of_work import atomic
from portal.mail.models import MailMessage
from portal.reports import catalogue, queries, services
from portal.reports.definition import Asked, Column, Kind, Report, build, days_of
from portal.reports.models import ReportRun
from portal.reports.spreadsheet import xlsx
from portal.reports.states import Run
from portal.schedules import services as schedules
from portal.schedules.models import Schedule
from tests import story
from tests.cast import Cast, actor, api, sign_in
from tests.world import SandboxControl


def scheduled(cast: Cast, code: str, *readers: Any, **parameters: str) -> Schedule:
    """A report every ten minutes, with its readers."""
    with atomic():
        made = schedules.open_schedule(
            name=f"{code} test", kind="REPORT", task=code, parameters=parameters, cron="", every_seconds=600,
            zone="Europe/Istanbul", catch_up="EACH", by=actor(cast.gul),
        )  # fmt: skip
        for reader in readers:
            services.subscribe(made, reader, by=actor(cast.gul))
    return made


def run_by_hand(schedule: Schedule, cast: Cast) -> None:
    """Its slot comes now, and a worker makes it."""
    with atomic():
        schedules.run_now(schedule, by=actor(cast.gul))
        claimed = schedules.claim("test")
        assert claimed is not None
        services.slot(claimed)
    story.drain("reports")


def the_run() -> ReportRun:
    """The only run."""
    return db.session.scalars(select(ReportRun).execution_options(populate_existing=True)).one()


ABOUT_ORDERS = ("daily_operations", "payouts", "seller_balances", "stock")


@pytest.mark.parametrize("code", ABOUT_ORDERS)
def test_screen_file_api_and_letter_say_the_same(app: Flask, cast: Cast, sandbox: SandboxControl, code: str) -> None:
    for lines in (((story.TAPE, 3),), ((story.PAPER, 2), (story.FILM, 1))):
        story.completed(app, cast, sandbox, *lines)
    report = catalogue.report(code)
    values = report.values({"period": "today"})
    said = build(report, Asked(clock.today(), values)).totals
    machine = api(app, cast.ayse)
    answer = machine.client.get(f"/api/reports/{code}?period=today", headers=machine.headers()).get_json()
    assert answer["totals"] == said
    assert len(answer["rows"]) == said["rows"]

    run_by_hand(scheduled(cast, code, cast.ayse, **values), cast)
    run = the_run()
    assert (run.state, run.totals, run.row_count) == (Run.BUILT, said, said["rows"])
    status, page = sign_in(app, cast.ayse).get(f"/reports/{code}?period=today")
    assert status == 200
    for key, shown in read_file(report, file_of(app, cast, run)).items():
        assert shown == said[key], key
    with app.test_request_context():
        from portal.reports.cells import shown as words

        money = [words(said[c.key], c.kind) for c in report.columns if c.summed]
    letter = db.session.scalars(select(MailMessage).where(MailMessage.about_kind == "report run")).one()
    footer = page[page.index("<tfoot>") :] if "<tfoot>" in page else page
    for total in money:
        assert f">{total}<" in footer or said["rows"] == 0
        assert f">{total}<" in letter.html_body
        assert total in letter.text_body


def file_of(app: Flask, cast: Cast, run: ReportRun) -> bytes:
    """Downloaded by Ayşe."""
    answer = sign_in(app, cast.ayse).client.get(f"/reports/runs/{run.id}/file")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    return bytes(answer.data)


def read_file(report: Report, content: bytes) -> dict[str, int]:
    """The totals by the file: its last row, which must be the sum of the rows above it and of the control sheet."""
    book = load_workbook(io.BytesIO(content))
    rows = list(book.worksheets[0].iter_rows(min_row=2, values_only=True))
    control = {str(label): value for label, value in book.worksheets[1].iter_rows(values_only=True)}
    found = {"rows": len(rows) - 1}
    for place, column in enumerate(report.columns):
        if column.summed:
            total = counted(rows[-1][place], column.kind)
            assert total == sum(counted(row[place], column.kind) for row in rows[:-1])
            assert total == counted(control[str(column.title)], column.kind)
            found[column.key] = total
    return found


def counted(value: Any, kind: Kind) -> int:
    """A cell in kuruş or pieces."""
    number = Decimal(str(value or 0))
    return int(number.scaleb(2)) if kind is Kind.MONEY else int(number)


def test_the_figures_are_the_storys(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    order = story.completed(app, cast, sandbox, (story.TAPE, 3))
    daily = build(catalogue.report("daily_operations"), Asked(clock.today(), {"period": "today"}))
    [row] = daily.rows
    assert row[:4] == ("Deniz Ambalaj", 1, order.total_kurus, 1)
    assert daily.totals["released"] == order.total_kurus
    payouts = build(catalogue.report("payouts"), Asked(clock.today(), {"period": "today", "state": "on_its_way"}))
    assert payouts.totals["seller_share"] + payouts.totals["commission"] == order.total_kurus
    balances = build(catalogue.report("seller_balances"), Asked(clock.today(), {}))
    assert balances.totals["balance"] == payouts.totals["seller_share"]
    assert (
        build(catalogue.report("seller_balances"), Asked(clock.today() - timedelta(days=1), {})).totals["balance"] == 0
    )


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [
        ("today", date(2026, 3, 1), date(2026, 3, 1)), ("yesterday", date(2026, 2, 28), date(2026, 2, 28)),
        ("last_7_days", date(2026, 2, 22), date(2026, 2, 28)), ("this_month", date(2026, 3, 1), date(2026, 3, 1)),
        ("last_month", date(2026, 2, 1), date(2026, 2, 28)),
        ("15.01.2026..2026-01-20", date(2026, 1, 15), date(2026, 1, 20)),
    ],
)  # fmt: skip
def test_periods(period: str, first: date, last: date) -> None:
    assert days_of(period, date(2026, 3, 1)) == (first, last)


@pytest.mark.parametrize("period", ["", "morgen", "2026-01-02..2026-01-01", "2026-01-32..", "..", "1..2"])
def test_a_period_that_is_none_is_refused(period: str) -> None:
    with pytest.raises(BadInput):
        days_of(period, date(2026, 3, 1))


EVIL = ["=HYPERLINK(\"http://evil\",\"x\")", "+1+1", "-2+3", "@SUM(A1)", "a\x00b\x0bc", "x" * 40_000]  # fmt: skip


def test_no_text_becomes_a_formula(app: Flask) -> None:
    columns = (Column("a", "A"), Column("n", "N", Kind.COUNT, summed=True))
    report = Report("x", "X", "", columns, lambda _asked: [(text, 1) for text in EVIL])
    content = xlsx(build(report, Asked(date(2026, 1, 1), {})))
    sheet = load_workbook(io.BytesIO(content)).worksheets[0]
    cells = [row[0] for row in sheet.iter_rows(min_row=2, max_row=1 + len(EVIL))]
    assert [cell.data_type for cell in cells] == ["s"] * len(EVIL)
    assert cells[0].value == EVIL[0]


def broken(monkeypatch: pytest.MonkeyPatch, code: str, trouble: Exception) -> None:
    """The report cannot be made any more."""

    def fail(_asked: Asked) -> Any:
        raise trouble

    monkeypatch.setitem(catalogue.REPORTS, code, catalogue.REPORTS[code]._replace(rows=fail))


def test_a_report_that_cannot_be_made_is_not_waited_for(
    app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch, "stock", Refusal("the warehouse is closed"))
    run_by_hand(scheduled(cast, "stock", cast.burak), cast)
    assert the_run().state == Run.FAILED
    letters = db.session.scalars(select(MailMessage).order_by(MailMessage.recipient)).all()
    assert [letter.recipient for letter in letters] == [cast.burak.email, cast.ayse.email]  # the reader, and finance
    assert all("the warehouse is closed" in letter.text_body for letter in letters)


def test_our_own_mistake_is_tried_three_times_and_its_words_stay_here(
    app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch, "stock", ValueError("secret words of the database"))
    run_by_hand(scheduled(cast, "stock", cast.burak), cast)
    assert (the_run().state, the_run().attempts) == (Run.ASKED, 1)
    for _ in range(2):
        due_now()
        story.drain("reports")
    assert (the_run().state, the_run().attempts, the_run().last_note) == (Run.FAILED, 3, "ValueError")
    assert "secret words" not in "".join(db.session.scalars(select(MailMessage.text_body)))


def due_now() -> None:
    """Time passes."""
    with atomic():
        run = the_run()
        run.next_attempt_at = run.next_attempt_at - timedelta(hours=1)


def test_a_maker_that_died_is_followed_by_another_and_the_letter_is_one(app: Flask, cast: Cast) -> None:
    made = scheduled(cast, "stock", cast.ayse)
    with atomic():
        schedules.run_now(made, by=actor(cast.gul))
        services.slot(schedules.claim("test"))  # type: ignore[arg-type]
    with atomic():
        dead = services.claim()
    assert dead is not None
    due_now()
    story.drain("reports")
    assert (the_run().state, the_run().attempts) == (Run.BUILT, 2)
    db.session.rollback()
    with atomic():
        built = services.made(dead)
    with atomic():
        assert not services.note_built(dead, built)  # the dead one was only frozen, and comes too late
    assert db.session.scalar(select(func.count()).select_from(MailMessage)) == 1


def test_a_seller_reads_his_own_rows_only(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    story.completed(app, cast, sandbox, (story.TAPE, 1))
    for person, rows in ((cast.deniz, 1), (cast.ece, 0)):
        machine = api(app, person)
        answer = machine.client.get("/api/reports/payouts?period=today", headers=machine.headers()).get_json()
        assert answer["totals"]["rows"] == rows
    assert sign_in(app, cast.deniz).get("/reports/stock")[0] == 404
    assert sign_in(app, cast.deniz).get("/reports/nothing")[0] == 404
    run_by_hand(scheduled(cast, "payouts", cast.deniz, cast.ece, cast.ayse, period="today"), cast)
    runs = {run.organisation_id: run.row_count for run in db.session.scalars(select(ReportRun))}
    assert runs == {None: 1, cast.deniz.organisation_id: 1, cast.ece.organisation_id: 0}
    letters = {m.recipient: m.text_body for m in db.session.scalars(select(MailMessage))}
    assert "Koli bandı" not in letters[cast.ece.email]
    assert "0,00" in letters[cast.ece.email]
    foreign = next(run for run in db.session.scalars(select(ReportRun)) if run.organisation_id is None)
    assert sign_in(app, cast.deniz).get(f"/reports/runs/{foreign.id}/file")[0] == 404


def test_everybody_subscribes_for_himself_and_only_to_what_is_for_him(app: Flask, cast: Cast) -> None:
    made = scheduled(cast, "stock")
    burak = sign_in(app, cast.burak)
    for wanted, names in (("1", [cast.burak.id]), ("1", [cast.burak.id]), ("0", [])):
        assert burak.post(f"/reports/stock/schedules/{made.id}/subscription", wanted=wanted)[0] == 303
        assert [p.id for p in queries.readers(made.id)] == names
    with pytest.raises(NotAllowed), atomic():
        services.subscribe(made, cast.deniz, by=actor(cast.gul))
    assert sign_in(app, cast.gul).post(f"/reports/stock/schedules/{made.id}/readers", person="x")[0] == 422
    assert sign_in(app, cast.gul).post(f"/reports/payouts/schedules/{made.id}/readers", person="1")[0] == 404


def test_who_lost_his_part_gets_no_more_letters(app: Flask, cast: Cast) -> None:
    made = scheduled(cast, "stock", cast.ayse, cast.burak)
    with atomic():
        db.session.merge(cast.burak).is_active = False
    run_by_hand(made, cast)
    assert list(db.session.scalars(select(MailMessage.recipient))) == [cast.ayse.email]


def test_the_page_makes_a_file_and_a_schedule(app: Flask, cast: Cast) -> None:
    ayse = sign_in(app, cast.ayse)
    status, place = ayse.post("/reports/daily_operations/runs", period="today")
    assert status == 303
    assert "every 1s" in ayse.get(place)[1]
    story.drain("reports")
    status, page = ayse.get(place)
    assert "every 1s" not in page
    assert f"{place}/file" in page
    form = {"name": "Sabah", "how": "cron", "cron": "0 8 * * 1-5", "zone": "Europe/Istanbul", "catch_up": "EACH"}
    assert ayse.post("/reports/daily_operations/schedules", period="yesterday", **form)[0] == 303
    assert ayse.post("/reports/daily_operations/schedules", period="yesterday", **form)[0] == 422
    assert ayse.post("/reports/daily_operations/schedules", period="yesterday", **{**form, "cron": "x"})[0] == 422
    [made] = queries.schedules_of("daily_operations")
    assert (made.parameters, made.cron) == ({"period": "yesterday"}, "0 8 * * 1-5")
    assert [p.id for p in queries.readers(made.id)] == [cast.ayse.id]
    assert re.search(r"hafta içi 08:00", ayse.get("/reports/daily_operations")[1])
    assert json.dumps(made.parameters)


def test_a_letter_looks_right_in_a_mail_client(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    """What mail clients can show: tables and inline style, one column of 600, nothing to load, a plain twin."""
    story.completed(app, cast, sandbox, (story.TAPE, 3))
    run_by_hand(scheduled(cast, "daily_operations", cast.ayse, period="today"), cast)
    letter = db.session.scalars(select(MailMessage).where(MailMessage.about_kind == "report run")).one()
    assert letter.subject.startswith("Günlük işlemler · ")
    assert "₺" in letter.subject
    assert 'lang="tr"' in letter.html_body
    assert not re.search(r"<(img|script|link|style)\b|class=|url\(|position:|display:(flex|grid)", letter.html_body)
    assert re.search(r"max-width:600px", letter.html_body)
    assert letter.html_body.count("<a ") == 1
    story.drain("mail")
    [kept] = [kept for kept in sandbox.mail() if kept["subject"].startswith("Günlük")]
    names = {name for name, _value in kept["headers"]}
    assert {"List-Unsubscribe", "Message-ID"} <= names
    assert "Günlük işlemler" in kept["html"]
