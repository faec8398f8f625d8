"""The ERP's routes, to the letter."""

from __future__ import annotations

import io
import json
from datetime import date
from decimal import Decimal

import openpyxl
import pytest
from flask import Flask

from portal.receivables.ports import Account, Reason
from tests.cast import Cast, Machine, api
from tests.receivables import CODE, CUSTOMERS, SUPPLIERS
from tests.receivables.source import Ledger


@pytest.fixture
def ayse(app: Flask, cast: Cast, aytek: Ledger) -> Machine:
    """Finance, with a token."""
    assert aytek.lines
    return api(app, cast.ayse)


def ask(machine: Machine, url: str, status: int = 200) -> bytes:
    """The body, when the status is the expected one."""
    answer = machine.client.get(url, headers=machine.headers())
    assert answer.status_code == status, answer.text
    return bytes(answer.data)


def test_the_contract_to_the_letter(ayse: Machine) -> None:
    assert json.loads(ask(ayse, f"{CUSTOMERS}/last-updated/")) == {"lastUpdated": None, "timezone": "TRT (UTC+3)"}
    assert json.loads(ask(ayse, f"{CUSTOMERS}/fetch-hana-data/")) == {
        "status": "success",
        "message": "Veri HANA'dan başarıyla çekildi ve güncellendi.",
        "lastUpdated": "15-05-2025 10:00",
    }
    row = (
        '[{"CariKod":"120.40.0000123","CariAd":"AYTEK TEKNOLOJİ A.Ş.","GunelBakiye":1254300.50,"Oncesi":200000.00,'
        '"Sub25":354300.50,"Mar25":400000.00,"Nis25":250000.00,"May25":50000.00}]'
    )
    for query in ("", f"?cariKod={CODE}", "?startDate=2025-02-01&endDate=2025-05-15", "?cariKod=120.40.*"):
        assert ask(ayse, f"{CUSTOMERS}/summary/{query}").decode() == row
    assert json.loads(ask(ayse, f"{CUSTOMERS}/last-updated/"))["lastUpdated"] == "15-05-2025 10:00"
    sheet = openpyxl.load_workbook(io.BytesIO(ask(ayse, f"{CUSTOMERS}/export-xlsx/"))).worksheets[0]
    assert [cell.value for cell in sheet[1]] == list(json.loads(row)[0])
    assert [cell.value for cell in sheet[2][2:]] == [1254300.5, 200000, 354300.5, 400000, 250000, 50000]


def test_suppliers_have_the_same_four(ayse: Machine, aytek: Ledger) -> None:
    aytek.add("320.01.7", date(2025, 5, 2), 12_05, debit=False)
    assert json.loads(ask(ayse, f"{SUPPLIERS}/fetch-hana-data/"))["status"] == "success"
    assert ask(ayse, f"{SUPPLIERS}/summary/").decode() == (
        '[{"CariKod":"320.01.7","CariAd":"Cari 320.01.7","GunelBakiye":12.05,"Oncesi":0.00,'
        '"Sub25":0.00,"Mar25":0.00,"Nis25":0.00,"May25":12.05}]'
    )
    assert json.loads(ask(ayse, f"{SUPPLIERS}/last-updated/"))["timezone"] == "TRT (UTC+3)"
    assert ask(ayse, f"{SUPPLIERS}/export-xlsx/?cariKod=320.01.7")[:2] == b"PK"
    assert ask(ayse, f"{CUSTOMERS}/summary/", 409)  # of customers nothing was read


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("startDate=gestern", "startDate"), ("endDate=2025-02-30", "endDate"), ("endDate=32.13.2025", "endDate"),
        ("startDate=2025-05-01&endDate=2025-01-01", "startDate"), ("startDate=1500-01-01", "startDate"),
        ("startDate=2020-01-01", "startDate"), ("cariKod=320.01", "cariKod"), ("cariKod=" + "1" * 40, "cariKod"),
        ("cariKod=120.1%0a2", "cariKod"), ("mode=clamped", "mode"), ("cariKodu=120.1", "cariKodu"),
        ("startDate=%C2%B2025-01-01", "startDate"), ("endDate=9999-12-31", "endDate"),
    ],
)  # fmt: skip
def test_nonsense_is_a_400_that_names_the_field(ayse: Machine, query: str, field: str) -> None:
    ask(ayse, f"{CUSTOMERS}/fetch-hana-data/")
    for route in ("summary", "export-xlsx"):
        body = json.loads(ask(ayse, f"{CUSTOMERS}/{route}/?{query}", 400))
        assert field in body["fields"], body
        assert body["status"] == "error"


def test_an_unknown_code_is_an_empty_array(ayse: Machine) -> None:
    ask(ayse, f"{CUSTOMERS}/fetch-hana-data/")
    assert ask(ayse, f"{CUSTOMERS}/summary/?cariKod=120.NO") == b"[]"


def test_a_day_in_the_middle_of_a_month_is_read_from_the_erp(ayse: Machine, aytek: Ledger) -> None:
    aytek.add(CODE, date(2025, 4, 25), 100_000_00, debit=False)
    ask(ayse, f"{CUSTOMERS}/fetch-hana-data/")
    found = json.loads(ask(ayse, f"{CUSTOMERS}/summary/?endDate=2025-04-20"))
    assert found[0]["GunelBakiye"] == 1204300.5
    assert list(found[0])[-4:] == ["Oca25", "Sub25", "Mar25", "Nis25"]
    assert aytek.readings == 2
    ask(ayse, f"{CUSTOMERS}/summary/?endDate=2025-04-20")
    assert aytek.readings == 2


def test_suspicion_answers_in_the_given_words_with_reasons(ayse: Machine, aytek: Ledger, app: Flask) -> None:
    ask(ayse, f"{CUSTOMERS}/fetch-hana-data/")
    aytek.balances_out = {CODE: 1_234_56}
    for route in ("fetch-hana-data", "summary", "export-xlsx"):
        raw = ask(ayse, f"{CUSTOMERS}/{route}/", 409)
        body = json.loads(raw)
        assert body["status"] == "error"
        assert body["message"] == "Analiz durduruldu – veri uyumsuz. Lütfen güncel veri yükleyin."
        assert body["lastUpdated"] == "15-05-2025 10:00"
        reason = body["reasons"][0]
        assert (reason["check"], reason["code"], reason["accounts"][0]["code"]) == (8, "BALANCES_DIFFER", CODE)
        assert b'"amount":-1234.56' in raw
    app.config["AGING_WHEN_SUSPICIOUS"] = "last_good"
    assert json.loads(ask(ayse, f"{CUSTOMERS}/summary/"))[0]["GunelBakiye"] == 1254300.5
    app.config["AGING_WHEN_SUSPICIOUS"] = "stop"
    aytek.balances_out = {}
    ask(ayse, f"{CUSTOMERS}/fetch-hana-data/")
    ask(ayse, f"{CUSTOMERS}/summary/")


def test_an_erp_that_is_away_is_a_503_with_the_age_of_what_we_have(ayse: Machine, aytek: Ledger) -> None:
    ask(ayse, f"{CUSTOMERS}/fetch-hana-data/")
    aytek.away = Reason.CONNECT_TIMEOUT
    body = json.loads(ask(ayse, f"{CUSTOMERS}/fetch-hana-data/", 503))
    assert (body["status"], body["reason"], body["lastUpdated"]) == ("error", "CONNECT_TIMEOUT", "15-05-2025 10:00")
    assert json.loads(ask(ayse, f"{CUSTOMERS}/summary/"))[0]["Oncesi"] == 200000


def test_ten_thousand_and_one_accounts_are_refused_not_cut(ayse: Machine, aytek: Ledger) -> None:
    aytek.chunk = 5000
    for n in range(10_000):
        aytek.add(f"120.50.{n:06}", date(2025, 5, 1), n + 1)
    ask(ayse, f"{CUSTOMERS}/fetch-hana-data/")
    for route in ("summary", "export-xlsx"):
        body = json.loads(ask(ayse, f"{CUSTOMERS}/{route}/", 422))
        assert "10001" in body["message"]
        assert "cariKod" in body["fields"]
    found = ask(ayse, f"{CUSTOMERS}/summary/?cariKod=120.50.*")
    rows = json.loads(found, parse_float=Decimal)
    assert len(rows) == 10_000
    assert sum(row["GunelBakiye"] for row in rows) * 100 == sum(range(1, 10_001))
    assert all(b"." in number.rstrip(b"}]") for number in found.split(b'"May25":')[1:])
    book = openpyxl.load_workbook(io.BytesIO(ask(ayse, f"{CUSTOMERS}/export-xlsx/?cariKod=120.50.*")), read_only=True)
    filed = [row for row in book.worksheets[0].iter_rows(min_row=2, max_col=8, values_only=True)]
    total = filed.pop()
    assert [(row[0], round(row[2] * 100)) for row in filed] == [
        (row["CariKod"], int(row["GunelBakiye"] * 100)) for row in rows
    ]
    assert round(total[2] * 100) == sum(range(1, 10_001))
    facts = dict(book.worksheets[1].iter_rows(min_row=2, max_col=2, values_only=True))
    assert "15.05.2025" in facts.values()
    assert {"evet", "yes"} & set(facts.values())


def test_a_name_that_looks_like_a_formula_stays_a_name(ayse: Machine, aytek: Ledger) -> None:
    aytek.cards[CODE] = Account(CODE, '=HYPERLINK("http://x.example";"Tıkla")\x00&<b>')
    ask(ayse, f"{CUSTOMERS}/fetch-hana-data/")
    sheet = openpyxl.load_workbook(io.BytesIO(ask(ayse, f"{CUSTOMERS}/export-xlsx/"))).worksheets[0]
    assert sheet["B2"].value == '=HYPERLINK("http://x.example";"Tıkla")&<b>'
    assert (sheet["B2"].data_type, sheet["B2"].quotePrefix) == ("s", True)
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
