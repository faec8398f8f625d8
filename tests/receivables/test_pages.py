"""Finance's pages of the accounts."""

from __future__ import annotations

import io
import re
from datetime import date

import openpyxl
import pytest
from flask import Flask
from sqlalchemy import event, text

from portal.core.database import db
from portal.core.formats import sort_key
from portal.receivables import drill
from portal.receivables.ports import Account, Document, Reason, Side
from portal.receivables.rules import Mode
from tests import story
from tests.cast import Browser, Cast, sign_in
from tests.receivables import CODE
from tests.receivables.source import Ledger

LIST = "/finance/aging"


def text_of(page: str) -> str:
    """Without markup, blanks as one."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)).replace("\u00a0", " ")


@pytest.fixture
def ayse(app: Flask, cast: Cast, aytek: Ledger) -> Browser:
    """Finance, after a first reading."""
    browser = sign_in(app, cast.ayse)
    assert browser.post(f"{LIST}/customers/fetches")[0] == 303
    assert story.drain("aging_fetch") == 1
    return browser


def page(browser: Browser, url: str, status: int = 200) -> str:
    """The page's words."""
    got, found = browser.get(url)
    assert got == status, found[-1500:]
    return text_of(found)


def test_before_the_first_reading_the_page_says_so(app: Flask, cast: Cast, ledger: Ledger) -> None:
    browser = sign_in(app, cast.ayse)
    for url in (LIST, f"{LIST}/suppliers", f"{LIST}/customers/changes", f"{LIST}/customers/fetches"):
        page(browser, url)
    assert "ERP'den henüz veri okunmadı" in page(browser, LIST).replace("&#39;", "'")


def test_from_the_list_to_the_single_document(ayse: Browser) -> None:
    found = page(ayse, LIST)
    assert "1.254.300,50 200.000,00 354.300,50 400.000,00 250.000,00 50.000,00" in found
    assert "mutabık" in found
    found = page(ayse, f"{LIST}/accounts/1")
    assert "Öncesi 200.000,00 ₺ Şub 25 354.300,50 ₺ Mar 25 400.000,00 ₺" in found
    assert "03.11.2024 Toptan satış faturası 4/38 F1 – 500.000,00 200.000,00 ₺" in page(
        ayse, f"{LIST}/accounts/1/documents/before"
    )
    assert "07.03.2025 Toptan satış faturası 4/38 F4 – 400.000,00 400.000,00 ₺" in page(
        ayse, f"{LIST}/accounts/1/documents/202503"
    )
    net = page(ayse, f"{LIST}/accounts/1/documents/before?mode=net_signed")
    assert "−300.000,00" in net
    assert "Sayın AYTEK TEKNOLOJİ A.Ş." in page(ayse, f"{LIST}/accounts/1/letter")
    for lost in ("/accounts/99", "/accounts/1/documents/202401", "/accounts/1/documents/x", "/fetches/99"):
        assert ayse.get(LIST + lost)[0] == 404
    assert ayse.get(f"{LIST}/accounts/99999999999999999999/letter")[0] == 404


def test_an_erp_that_moved_on_or_is_away_is_said_and_nothing_is_made_up(ayse: Browser, aytek: Ledger) -> None:
    aytek.add(CODE, date(2025, 3, 20), 1_00)
    assert "değişmiş" in page(ayse, f"{LIST}/accounts/1/documents/202503", 409)
    aytek.away = Reason.UNREACHABLE
    assert "bağlantı kabul etmiyor" in page(ayse, f"{LIST}/accounts/1/documents/202504", 503)
    ayse.post(f"{LIST}/customers/fetches")
    story.drain("aging_fetch")
    found = page(ayse, LIST)
    assert "Son okuma başarısız oldu. ERP sunucusu bağlantı kabul etmiyor" in found
    assert "1.254.300,50 200.000,00" in found


def test_a_second_click_finds_the_first_ones_reading(ayse: Browser) -> None:
    first, again = ayse.post(f"{LIST}/customers/fetches"), ayse.post(f"{LIST}/customers/fetches")
    assert first == again
    assert "Sırada bekliyor" in page(ayse, first[1])
    assert ayse.post(f"{LIST}/customers/fetches", as_of="01.03.2025")[0] == 409
    assert ayse.post(f"{LIST}/customers/fetches", as_of="31.02.2025")[0] == 422
    assert ayse.post(f"{LIST}/customers/fetches", as_of="01.01.2030")[0] == 422
    region = {"HX-Request": "true", "HX-Request-Type": "partial"}
    waiting = ayse.client.get(first[1], headers=region)
    assert 'hx-trigger="every 1s"' in waiting.text
    story.drain("aging_fetch")
    done = ayse.client.get(first[1], headers=region)
    assert "hx-trigger" not in done.text
    assert done.headers["HX-Refresh"] == "true"


def test_doubted_figures_are_shown_only_to_who_may_and_says_why(
    app: Flask, cast: Cast, ayse: Browser, aytek: Ledger
) -> None:
    aytek.add(CODE, date(2025, 5, 8), 7_00)
    aytek.balances_out = {CODE: 3_00}
    ayse.post(f"{LIST}/customers/fetches")
    story.drain("aging_fetch")
    found = page(ayse, LIST)
    assert "Şüphe modu" in found
    assert "Kontrol 8" in found
    assert CODE in found
    assert "1.254.300,50 200.000,00" in found  # the last good data
    doubted = f"{LIST}?data=2"
    assert ayse.get(doubted)[0] == 404  # nobody has said why
    assert ayse.post(f"{LIST}/fetches/2/look", because=" ")[0] == 422
    assert ayse.post(f"{LIST}/fetches/1/look", because="x")[0] == 404  # that one is good
    burak = sign_in(app, cast.burak)
    assert burak.post(f"{LIST}/fetches/2/look", because="merak")[0] == 403
    assert ayse.post(f"{LIST}/fetches/2/look", because="Müdür soruyor") == (303, doubted)
    found = page(ayse, doubted)
    assert "ŞÜPHELİ VERİ" in found
    assert "1.254.307,50" in found
    assert burak.get(doubted)[0] == 404
    assert ayse.get(f"{LIST}/suppliers?data=2")[0] == 404
    answer = ayse.client.get(f"{LIST}/customers/export?data=2")
    assert "supheli" in answer.headers["Content-Disposition"]
    sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).worksheets[0]
    assert sheet.title == "ŞÜPHELİ"
    assert "mutabık değil" in str(sheet["A1"].value)
    kept = db.session.execute(
        text("SELECT actor, details FROM audit_event WHERE action = 'looks at doubted figures'")
    ).one()
    assert (kept.actor, kept.details["because"]) == ("Ayşe Demir", "Müdür soruyor")
    db.session.rollback()


def test_a_past_day_is_a_bar_across_the_page(ayse: Browser) -> None:
    assert "31.03.2025 itibarıyla" in page(ayse, f"{LIST}?as_of=31.03.2025")
    assert "ayrı bir okuma gerekir" not in page(ayse, f"{LIST}?as_of=2025-03-10")
    assert "01.01.1001" not in page(ayse, f"{LIST}?as_of=nonsense&months=99&sort=x&dir=y&who=z&mode=w", 422)
    assert ayse.get(f"{LIST}?mode=open_item")[0] == 422


def test_a_day_inside_a_month_is_offered_as_a_reading_of_its_own(ayse: Browser, aytek: Ledger) -> None:
    aytek.add(CODE, date(2025, 4, 20), 1_00)
    ayse.post(f"{LIST}/customers/fetches")
    story.drain("aging_fetch")
    assert "ayrı bir okuma gerekir" in page(ayse, f"{LIST}?as_of=10.04.2025")
    assert ayse.post(f"{LIST}/customers/fetches", as_of="10.04.2025")[0] == 303
    story.drain("aging_fetch")
    assert "1.204.300,50" in page(ayse, f"{LIST}?as_of=10.04.2025")


def test_what_is_dated_later_is_said_beside_the_figures(ayse: Browser, aytek: Ledger) -> None:
    aytek.add(CODE, date(2025, 6, 20), 12_34)
    ayse.post(f"{LIST}/customers/fetches")
    story.drain("aging_fetch")
    assert "Bu veriyle ilgili 1 not" in page(ayse, LIST)
    assert "12,34" in page(ayse, f"{LIST}/accounts/1")


TURKISH = ["Cem", "Çağla", "Irmak", "Işık", "İrem", "Osman", "Ömer", "Su", "Şule", "Zeki"]


def test_names_are_sorted_and_found_as_a_turk_would(app: Flask, cast: Cast, ledger: Ledger) -> None:
    assert sorted(TURKISH, key=sort_key) == TURKISH
    for n, name in enumerate(reversed(TURKISH)):
        ledger.cards[f"120.{n}"] = Account(f"120.{n}", name)
        ledger.add(f"120.{n}", date(2025, 5, 2), (n + 1) * 1_00)
    browser = sign_in(app, cast.ayse)
    browser.post(f"{LIST}/customers/fetches")
    story.drain("aging_fetch")
    found = re.findall(r'id="account-\d+"[^>]*>([^<]+)<', browser.get(f"{LIST}?sort=name&dir=asc")[1])
    assert found == TURKISH
    for typed in ("isik", "IŞIK", "ışık", "Işık"):
        assert re.findall(r'id="account-\d+"[^>]*>([^<]+)<', browser.get(f"{LIST}?q={typed}")[1]) == ["Işık"]


def test_the_totals_are_of_the_filter_not_of_the_page(app: Flask, cast: Cast, ledger: Ledger) -> None:
    for n in range(120):
        ledger.add(f"120.{n:03}", date(2025, 5, 2), 10_00, debit=n % 3 > 0)
    browser = sign_in(app, cast.ayse)
    browser.post(f"{LIST}/customers/fetches")
    story.drain("aging_fetch")
    found = page(browser, f"{LIST}?who=owing&page=2")
    assert "80 carinin toplamı 800,00 ₺" in found
    assert len(re.findall(r"\b120\.\d{3}\b", found)) == 2 * 30  # code and name of the second page's rows
    assert "40 carinin toplamı −400,00 ₺" in page(browser, f"{LIST}?who=credit")
    sheet = openpyxl.load_workbook(
        io.BytesIO(browser.client.get(f"{LIST}/customers/export?who=owing").data)
    ).worksheets[0]
    assert sheet.max_row == 82
    assert sheet["C82"].value == 800


def test_what_changed_names_the_largest_first(ayse: Browser, aytek: Ledger) -> None:
    assert "karşılaştırılacak" in page(ayse, f"{LIST}/customers/changes").lower()
    aytek.add(CODE, date(2025, 5, 9), 300_50, debit=False)
    aytek.add("120.NEW", date(2025, 5, 9), 9_000_00)
    ayse.post(f"{LIST}/customers/fetches")
    story.drain("aging_fetch")
    found = page(ayse, f"{LIST}/customers/changes")
    assert found.index("120.NEW") < found.index(CODE)
    assert "0,00 9.000,00 +9.000,00" in found
    assert "1.254.300,50 1.254.000,00 −300,50" in found
    page(ayse, f"{LIST}/customers/changes?since=1")
    page(ayse, f"{LIST}/customers/changes?since=nonsense")


def test_oncesi_asks_only_for_the_months_that_hold_its_documents() -> None:
    course = [(0, 1_000, 0), (202401, 500, 900), (202402, 300, 0), (202403, 200, 0), (202505, 50, 0)]
    want = drill.needed(course, drill.BEFORE, (202502, 202503, 202504, 202505), 450, Mode.FIFO)
    assert want == drill.Needed((202402, 202403), 500, 0)
    papers = [
        Document(date(2024, month, 1), "4/38", str(month), "", owed, 0, opening=False)
        for month, owed in ((3, 200), (2, 300))
    ]
    parts = drill.parts(papers, want, 450, side=Side.CUSTOMERS, mode=Mode.FIFO)
    assert [(part.document.number, part.open) for part in parts] == [("2", 250), ("3", 200)]
    with pytest.raises(drill.LedgerMovedOn):
        drill.parts(papers[:1], want, 450, side=Side.CUSTOMERS, mode=Mode.FIFO)


def test_more_accounts_are_not_more_questions(app: Flask, cast: Cast, ayse: Browser, aytek: Ledger) -> None:
    asked: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *a: asked.append(a[2]))
    counts = []
    for _round in range(2):
        asked.clear()
        assert ayse.get(LIST)[0] == 200
        counts.append(len(asked))
        for n in range(60):
            aytek.add(f"120.{n:03}", date(2025, 5, 2), 10_00)
        ayse.post(f"{LIST}/customers/fetches")
        story.drain("aging_fetch")
    assert counts[0] == counts[1]
    assert 3 < counts[0] <= 9


def test_in_english_too(ayse: Browser, aytek: Ledger) -> None:
    ayse.post("/preferences/language", language="en")
    for url, words in {
        LIST: "Customer aging", f"{LIST}/accounts/1": "The course of the balance",
        f"{LIST}/accounts/1/documents/before": "Still open", f"{LIST}/accounts/1/documents/202503": "Wholesale invoice",
        f"{LIST}/accounts/1/letter": "Draft of a reminder",
        f"{LIST}/customers/changes": "What changed", f"{LIST}/customers/fetches": "All readings",
        f"{LIST}/fetches/1": "Reading the ERP", f"{LIST}/suppliers": "Supplier aging",
    }.items():  # fmt: skip
        assert words in page(ayse, url)
