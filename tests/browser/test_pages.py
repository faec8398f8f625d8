"""Every part's pages in light and dark, Turkish and English, desktop and phone: nothing axe complains about."""

from __future__ import annotations

import time

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.browser.conftest import Running, Visitor
from tests.browser.test_story import find_order, order_and_pay, sell_and_pack, wait_until_released

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

PAGES = {
    "buyer@demo.tr": ["/buyer/", "/buyer/offers", "/buyer/orders", "/buyer/orders/1", "/buyer/orders/1/delivery", "/passport/order/1"],
    "seller@demo.tr": ["/seller/", "/seller/orders", "/seller/balance"],
    "packer@demo.tr": ["/packing/", "/warehouse/"],
    "finance@demo.tr": ["/finance/", "/finance/orders", "/finance/orders/1",
        "/finance/holds", "/finance/holds/1/refund", "/finance/payouts", "/finance/ledger", "/finance/ledger/entries/1"],
    "admin@demo.tr": ["/admin/", "/admin/inbox", "/admin/inbox/1", "/admin/outbox", "/admin/outbox/1", "/admin/audit"],
}  # fmt: skip
# Turkish last: people keep their language, and other tests read their pages.
LOOKS = [("en", "dark", True), ("tr", "light", False)]
# Kilobytes over the wire on a first visit, without fonts (facts: buyer pages are opened on 3G).
CONFIRM_PAGE_LIMIT = 60_000


def test_nobody_is_kept_out(running: Running, chromium: Browser) -> None:
    first = Visitor(chromium, running, phone=False, javascript=True)
    order_and_pay(first, "axe")
    first.close()
    complaints = []
    for language, scheme, phone in LOOKS:
        for email, pages in PAGES.items():
            visitor = Visitor(chromium, running, phone=phone, javascript=True, scheme=scheme)
            visitor.sign_in(email)
            visitor.page.click(f"button[value={language}]")
            for path in pages:
                visitor.page.goto(path)
                verdict = Axe().run(visitor.page).response
                assert len(verdict["passes"]) > 10  # it did look
                found = verdict["violations"]
                complaints += [(email, path, scheme, v["id"], v["nodes"][0]["html"][:160]) for v in found]
                if scheme == "dark" and path in ("/finance/", "/admin/", "/buyer/"):
                    visitor.picture(f"dark-phone-{path.strip('/')}")
                if scheme == "light":
                    visitor.picture(f"light-{email.split('@')[0]}-{path.strip('/').replace('/', '-')}")
            visitor.close()
    assert complaints == []


def test_the_order_is_placed_with_the_keyboard_alone(running: Running, chromium: Browser) -> None:
    visitor = Visitor(chromium, running, phone=False, javascript=True)
    page = visitor.page
    page.goto("/sign-in?email=buyer@demo.tr")
    page.focus("#f-password")
    page.keyboard.press("Enter")
    page.wait_for_selector("#sign-out")
    page.goto("/buyer/offers")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for _ in range(40):
        if page.evaluate("document.activeElement.id").startswith("q-"):
            break
        page.keyboard.press("Tab")
    page.keyboard.type("3")
    page.keyboard.press("Enter")
    page.wait_for_selector("#pay")
    visitor.close()


def test_the_confirmation_page_is_light(running: Running, chromium: Browser) -> None:
    visitor = Visitor(chromium, running, phone=True, javascript=True)
    number = order_and_pay(visitor, "light")[0]
    visitor.sign_in("buyer@demo.tr")
    order_url = find_order(visitor.page, "/buyer/orders", number)
    sizes: list[tuple[str, int]] = []

    def weigh(response) -> None:  # type: ignore[no-untyped-def]
        if "/fonts/" not in response.url:
            sizes.append((response.url, response.request.sizes()["responseBodySize"]))

    visitor.context.new_cdp_session(visitor.page).send("Network.setCacheDisabled", {"cacheDisabled": True})
    visitor.page.on("response", weigh)
    visitor.page.goto(f"{order_url}/delivery")
    visitor.page.wait_for_load_state("networkidle")
    assert len(sizes) > 3
    assert sum(size for _url, size in sizes) < CONFIRM_PAGE_LIMIT, sizes
    visitor.close()


def test_the_health_page_looks_again_by_itself(running: Running, chromium: Browser) -> None:
    visitor = Visitor(chromium, running, phone=False, javascript=True)
    visitor.sign_in("admin@demo.tr")
    with visitor.page.expect_response(lambda answer: answer.request.headers.get("hx-request") == "true") as answer:
        pass
    assert answer.value.status in (200, 204)  # 204: nothing has changed since
    visitor.page.wait_for_timeout(500)
    assert visitor.page.locator("#health").count() == 1
    assert visitor.page.locator("text=PONG").count() == 1
    visitor.close()


def test_what_cannot_be_taken_back_is_asked_first(running: Running, chromium: Browser) -> None:
    visitor = Visitor(chromium, running, phone=True, javascript=True)
    page = visitor.page
    numbers = order_and_pay(visitor, "dialog")
    visitor.sign_in("buyer@demo.tr")
    page.goto(f"/buyer/orders?q={numbers[0]}")
    page.click(f"a:has-text('{numbers[0]}')")
    page.click("summary")
    page.click("#cancel")
    visitor.picture("dialog-ask")
    page.click("dialog button[value=no]")
    assert page.locator("dialog[open]").count() == 0
    page.click("#cancel")
    page.click("dialog button[value=yes]")
    page.wait_for_selector(".toast")
    deadline = time.monotonic() + 60
    while page.locator("text=/İade edildi|Refunded/").count() == 0 and time.monotonic() < deadline:
        page.wait_for_timeout(300)
        page.reload()
    assert page.locator(".head .badge").inner_text().strip().endswith(("İade edildi", "Refunded"))
    visitor.close()


def test_the_sandbox_moves_everybodys_clock_and_silence_becomes_consent(running: Running, chromium: Browser) -> None:
    visitor = Visitor(chromium, running, phone=False, javascript=True)
    numbers = order_and_pay(visitor, "clock")
    sell_and_pack(visitor, "clock", numbers[0], seller="seller@demo.tr")
    sandbox = Visitor(chromium, running, phone=False, javascript=False)
    sandbox.page.goto(running.sandbox_url)
    sandbox.page.click("button:has-text('+7 gün')")
    sandbox.picture("sandbox-home")
    visitor.sign_in("finance@demo.tr")
    order_url = find_order(visitor.page, "/finance/orders", numbers[0])
    wait_until_released(visitor.page, order_url)
    sandbox.page.click("button:has-text('Saati geri al')")
    sandbox.close()
    visitor.close()
