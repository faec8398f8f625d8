"""What operators and readers see: health, schedules, a report that is made while one watches, letters, pictures."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.browser.conftest import PICTURES, Running, Visitor
from tests.browser.test_story import order_and_pay

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_a_report_is_made_while_one_watches(running: Running, chromium: Browser) -> None:
    buyer = Visitor(chromium, running, phone=False, javascript=True)
    order_and_pay(buyer, "report")
    buyer.close()
    visitor = Visitor(chromium, running, phone=False, javascript=True)
    page = visitor.page
    visitor.sign_in("finance@demo.tr")
    page.goto("/reports/")
    visitor.picture("reports-list")
    page.click("#report-daily_operations")
    page.select_option("#f-period", "today")
    page.click("#show-report")
    page.wait_for_selector("#report tfoot")
    visitor.no_barriers()
    visitor.picture("reports-daily")
    page.click("main details summary")
    page.click("#schedule-it")
    page.wait_for_selector(".toast")
    page.click("#ask-file")
    page.wait_for_selector("#download", timeout=60_000)
    assert page.locator("[hx-trigger]").count() == 0  # it stopped asking
    visitor.no_barriers()
    visitor.picture("reports-run")
    with page.expect_download() as download:
        page.click("#download")
    assert download.value.suggested_filename.endswith(".xlsx")
    the_letter(visitor, running)
    visitor.close()


def the_letter(visitor: Visitor, running: Running) -> None:
    """Run by hand, sent, and looked at as a mail client would show it."""
    page = visitor.page
    page.goto("/reports/daily_operations")
    page.click(".urgent a")
    visitor.picture("schedules-one")
    visitor.no_barriers()
    page.click("#run-now")
    page.wait_for_selector(".toast")
    for _ in range(120):
        answer = page.request.get(f"{running.sandbox_url}/_sandbox/mail").json()
        found = [letter for letter in answer if letter["subject"].startswith("Günlük işlemler")]
        if found:
            break
        page.wait_for_timeout(500)
    assert found, "no letter came"
    for width in (700, 390):
        reader = visitor.context.browser.new_page(viewport={"width": width, "height": 900})  # type: ignore[union-attr]
        reader.set_content(found[0]["html"])
        sideways = reader.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert sideways <= 0, f"{sideways} px too wide at {width}"
        reader.screenshot(path=PICTURES / f"letter-{width}.png", full_page=True)
        reader.close()


@pytest.mark.parametrize(("phone", "scheme"), [(False, "light"), (True, "dark")])
def test_operators_pages(running: Running, chromium: Browser, phone: bool, scheme: str) -> None:
    visitor = Visitor(chromium, running, phone=phone, javascript=True, scheme=scheme)
    visitor.sign_in("admin@demo.tr")
    complaints = []
    for path in ("/admin/", "/admin/schedules/", "/admin/schedules/1", "/admin/mail", "/admin/troubles", "/admin/privacy/",
                 "/media/", "/support", "/reports/collection_aging", "/reports/commission_statement"):  # fmt: skip
        visitor.page.goto(path)
        found = Axe().run(visitor.page).response["violations"]
        complaints += [(path, scheme, v["id"], v["nodes"][0]["html"][:160]) for v in found]
        visitor.picture(f"operators-{'phone' if phone else 'desktop'}-{path.strip('/').replace('/', '-')}")
    assert complaints == []
    visitor.close()


def test_without_scripts_a_schedule_is_switched_off_and_on(running: Running, chromium: Browser) -> None:
    visitor = Visitor(chromium, running, phone=True, javascript=False)
    page = visitor.page
    visitor.sign_in("admin@demo.tr")
    page.goto("/admin/schedules/2")
    page.fill("#f-because", "bakım")
    page.click("#switch-off")
    page.wait_for_selector("#switch-on")
    assert "bakım" in page.inner_text("main")
    page.click("#switch-on")
    page.wait_for_selector("#switch-off")
    visitor.close()
