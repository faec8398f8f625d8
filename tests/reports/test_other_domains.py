"""Aging and commission as reports: the figures of their own pages, files and routes, and nothing over doubted data."""

from __future__ import annotations

import io
import json
from datetime import date, timedelta

import pytest
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import select

from portal.commission.statements import statement
from portal.core import clock
from portal.core.database import db
from portal.core.errors import Refusal
from portal.mail.models import MailMessage
from portal.receivables.ports import Account, Side
from portal.reports import catalogue
from portal.reports.definition import Asked, Built, build
from portal.reports.states import Run
from portal.workflows import aging_fetch
from tests.cast import Cast, actor, api, sign_in
from tests.commission import Office
from tests.receivables import CODE, CUSTOMERS
from tests.receivables.conftest import aytek, ledger, travel  # noqa: F401 (fixtures)
from tests.receivables.source import Ledger
from tests.reports.test_reports import file_of, run_by_hand, scheduled, the_run


def seen(code: str, **typed: str) -> Built:
    """As the page builds it today."""
    report = catalogue.report(code)
    return build(report, Asked(clock.today(), report.values(typed)))


def read_the_erp(cast: Cast) -> None:
    """Both sides, now."""
    for side in Side:
        aging_fetch.read_now(side, by=actor(cast.ayse), patience_seconds=30)


def test_aging_says_the_same_on_screen_in_file_letter_and_both_apis(app: Flask, cast: Cast, aytek: Ledger) -> None:  # noqa: F811
    aytek.cards["120.1"] = Account("120.1", "=Küçük & Oğulları")
    aytek.add("120.1", date(2025, 5, 2), 1_000_05, debit=False)
    aytek.add("320.01.7", date(2025, 5, 2), 12_05, debit=False)
    with pytest.raises(Refusal, match="henüz veri okunmadı"):
        seen("collection_aging")
    assert "henüz veri okunmadı" in sign_in(app, cast.ayse).get("/reports/collection_aging")[1]
    read_the_erp(cast)
    built = seen("collection_aging")
    assert [row[0] for row in built.rows] == [CODE, "120.1"]  # the largest debt first
    assert built.rows[0][2:] == (1_254_300_50, 200_000_00, 354_300_50, 400_000_00, 250_000_00, 50_000_00)
    machine = api(app, cast.ayse)
    summary = json.loads(machine.client.get(f"{CUSTOMERS}/summary/", headers=machine.headers()).data)
    assert built.totals["balance"] == round(100 * sum(row["GunelBakiye"] for row in summary))
    assert seen("collection_aging", who="owing").totals["balance"] == 1_254_300_50
    assert len(seen("collection_aging", months="12").rows[0]) == 4 + 12
    assert seen("supplier_balance").totals["balance"] == 12_05

    run_by_hand(scheduled(cast, "collection_aging", cast.ayse), cast)
    assert (the_run().state, the_run().totals) == (Run.BUILT, built.totals)
    rows = list(load_workbook(io.BytesIO(file_of(app, cast, the_run()))).worksheets[0].iter_rows(values_only=True))
    assert rows[0] == ("CariKod", "CariAd", "GunelBakiye", "Oncesi", "Sub25", "Mar25", "Nis25", "May25")
    names = [column.key for column in built.report.columns]
    assert [round(100 * total) for total in rows[-1][2:]] == [built.totals[name] for name in names[2:]]
    letter = db.session.scalars(select(MailMessage).where(MailMessage.about_kind == "report run")).one()
    status, page = sign_in(app, cast.ayse).get("/reports/collection_aging")
    said = machine.client.get("/api/reports/collection_aging", headers=machine.headers()).get_json()
    assert (status, said["totals"]) == (200, built.totals)
    assert "1.253.300,45" in page and "1.253.300,45" in letter.html_body and "1.253.300,45" in letter.subject
    assert "Şub 25" in page and "Şub 25" in letter.text_body
    assert "15.05.2025 10:00" in page and "15.05.2025 10:00" in letter.text_body
    assert sign_in(app, cast.deniz).get("/reports/collection_aging")[0] == 404


def test_aging_over_doubted_or_old_data_says_so_or_refuses(app: Flask, cast: Cast, aytek: Ledger) -> None:  # noqa: F811
    aytek.add(CODE, date(2025, 5, 14), 1)
    read_the_erp(cast)
    travel(2025, 5, 18)
    old = seen("collection_aging")
    assert [note.grave for note in old.notes if "3" in str(note.words)] == [True]
    late = Asked(clock.today() - timedelta(days=5), old.asked.values)  # due on the 13th, made on the 18th
    notes = build(catalogue.report("collection_aging"), late).notes
    assert [(str(note.words), note.grave) for note in notes[:1]] == [("15.05.2025", True)]
    aytek.balances_out = {CODE: 1_234_56}
    read_the_erp(cast)
    run_by_hand(scheduled(cast, "collection_aging", cast.ayse), cast)
    assert the_run().state == Run.FAILED
    letter = db.session.scalars(select(MailMessage).order_by(MailMessage.id.desc()).limit(1)).one()
    assert "Analiz durduruldu – veri uyumsuz. Lütfen güncel veri yükleyin." in letter.text_body
    assert letter.recipient == cast.ayse.email
    page = sign_in(app, cast.ayse).get("/reports/collection_aging")
    assert page[0] == 200 and "Analiz durduruldu" in page[1] and 'id="report"' not in page[1]
    machine = api(app, cast.ayse)
    answer = machine.client.get("/api/reports/collection_aging", headers=machine.headers())
    assert (answer.status_code, answer.get_json()["error"]) == (409, "does_not_reconcile")
    app.config["AGING_WHEN_SUSPICIOUS"] = "last_good"
    assert any(note.grave for note in seen("collection_aging").notes)
    app.config["AGING_WHEN_SUSPICIOUS"] = "stop"


def test_the_commission_report_is_the_statements(app: Flask, cast: Cast) -> None:
    office = Office(cast)
    today = clock.today()
    first = office.approved(100_000_00, on=today - timedelta(days=40))
    office.approved(50_000_00, agent=office.kaan)
    office.paid()
    office.reverse(first, 100_00, on=today)
    with pytest.raises(Refusal):
        seen("commission_statement", person=str(cast.cem.id))
    period = f"{today - timedelta(days=30)}..{today}"
    everybody = seen("commission_statement", period=period)
    assert {row[0] for row in everybody.rows} >= {"İpek Aydın", "Kaan Er", "Leyla Uçar"}
    assert everybody.totals["opening"] == 100_000_00 * 3 // 100 * 9 // 10
    for row in everybody.rows:
        person = next(p for p in (office.ipek, office.kaan, office.leyla, cast.burak) if p.full_name == row[0])
        made = statement(person.id, today - timedelta(days=30), today + timedelta(days=1))
        assert (row[2], row[-1], sum(row[2:4]) - sum(row[4:6]) + row[6]) == (made.opening, made.closing, made.closing)
    mine = {"period": period, "person": str(office.ipek.id)}
    ipek = seen("commission_statement", **mine)
    assert ipek.rows[-1][-1] == ipek.totals["amount"] + 100_000_00 * 3 // 100 * 7 // 10  # opened with the old deal

    run_by_hand(scheduled(cast, "commission_statement", cast.ayse, **mine), cast)
    last = list(load_workbook(io.BytesIO(file_of(app, cast, the_run()))).worksheets[0].iter_rows(values_only=True))[-1]
    assert [round(100 * amount) for amount in last[-2:]] == [ipek.totals["amount"], ipek.rows[-1][-1]]
    machine = api(app, cast.ayse)
    url = f"/api/reports/commission_statement?period={period}&person={office.ipek.id}"
    answer = machine.client.get(url, headers=machine.headers()).get_json()
    assert answer["totals"] == ipek.totals == the_run().totals
    letter = db.session.scalars(select(MailMessage).where(MailMessage.about_kind == "report run")).one()
    control = next(str(note.words) for note in ipek.notes if len(str(note.words)) == 16)
    page = sign_in(app, cast.ayse).get(url.removeprefix("/api"))[1]
    assert control in page and control in letter.text_body and "İpek Aydın" in letter.text_body
    days = f"{today - timedelta(days=30):%d.%m.%Y} – {today:%d.%m.%Y}"
    assert days in page and days in letter.text_body
    assert sign_in(app, cast.cem).get("/reports/commission_statement")[0] in (403, 404)
