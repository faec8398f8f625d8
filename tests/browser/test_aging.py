"""Finance's accounts by age as `make run` shows them: ten thousand accounts over the ERP stand-in's real wire."""

from __future__ import annotations

import io
import re
import time

import openpyxl
import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Running, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def until_read(page: Page) -> None:
    """The first reading began when the portal did."""
    deadline = time.monotonic() + 180
    page.goto("/finance/aging")
    while page.locator("#aging").count() == 0 and time.monotonic() < deadline:
        page.wait_for_timeout(1000)
        page.goto("/finance/aging")
    assert page.locator("#aging").count() == 1, page.locator("main").inner_text()


def kurus(text: str) -> int:
    """1.254.300,50 ₺ as a number."""
    return int(re.sub(r"[^\d]", "", text)) * (-1 if "\u2212" in text else 1)


def test_finance_finds_its_way_from_the_list_to_the_document(running: Running, chromium: Browser) -> None:
    visitor = Visitor(chromium, running, phone=False, javascript=True)
    page = visitor.page
    visitor.sign_in("finance@demo.tr")
    until_read(page)
    page.wait_for_function("() => document.querySelector('#chart').width > 300")
    visitor.no_barriers()
    visitor.picture("aging-list")
    page.fill("#f-q", "120.")
    page.select_option("#f-who", "old")
    page.click("#filter")
    page.click("#sort-name")
    assert page.locator("th[aria-sort=ascending]").inner_text().startswith("Unvan")
    totals = [kurus(cell) for cell in page.locator("tfoot td.n").all_inner_texts()]
    assert totals[0] == sum(totals[1:])
    with page.expect_download() as kept:
        page.click("#xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(kept.value.path().read_bytes())).worksheets[0]
    last = [cell.value for cell in sheet[sheet.max_row]]
    assert [round(amount * 100) for amount in last[2:]] == totals
    page.locator("#aging tbody a[id^=account-]").first.click()
    visitor.no_barriers()
    visitor.picture("aging-account")
    page.click("#bucket-before")
    assert kurus(page.locator("#documents-total").inner_text()) == kurus(page.locator("h1").inner_text().split(":")[1])
    visitor.no_barriers()
    visitor.picture("aging-documents")
    page.click("#to-account")
    if page.locator("#letter").count():
        page.click("#letter")
        assert "Sayın" in page.locator("#f-text").input_value()
        visitor.no_barriers()
    visitor.close()


def test_live_data_are_fetched_with_a_click_and_the_page_follows(running: Running, chromium: Browser) -> None:
    visitor = Visitor(chromium, running, phone=True, javascript=True)
    page = visitor.page
    visitor.sign_in("finance@demo.tr")
    until_read(page)
    before = page.locator("#aging-state b").first.inner_text()
    page.click("#fetch-now")
    page.wait_for_selector("#aging-running")
    visitor.picture("phone-aging-running")
    page.wait_for_selector("#fetch-now", timeout=180_000)
    page.wait_for_selector("#aging")
    assert page.locator("#aging-running").count() == 0
    assert page.locator("#aging-state b").first.inner_text() >= before
    visitor.no_barriers()
    visitor.close()


def test_without_javascript_too(running: Running, chromium: Browser) -> None:
    visitor = Visitor(chromium, running, phone=True, javascript=False)
    page = visitor.page
    visitor.sign_in("finance@demo.tr")
    until_read(page)
    page.click("#tab-suppliers")
    page.click("#tab-customers")
    page.click("#fetch-now")
    deadline = time.monotonic() + 180
    while page.locator("#aging-running").count() and time.monotonic() < deadline:
        page.wait_for_timeout(1000)
        page.reload()
    page.click("#back")
    page.wait_for_selector("#aging")
    visitor.close()
