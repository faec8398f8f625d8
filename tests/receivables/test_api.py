"""The ERP's routes, to the letter."""

from __future__ import annotations

import io
import json

import openpyxl
import pytest
from flask import Flask

from tests.cast import Cast, Machine, api
from tests.receivables import CODE, CUSTOMERS
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
    assert [str(cell.value) for cell in sheet[2][2:]] == [
        "1254300.5",
        "200000",
        "354300.5",
        "400000",
        "250000",
        "50000",
    ]
