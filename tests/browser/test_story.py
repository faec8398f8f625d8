"""The main story as people live it: ordered, paid, packed, shipped, confirmed, released, seen by finance."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Running, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.mark.parametrize("javascript", [True, False], ids=["with-js", "without-js"])
@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_from_the_basket_to_the_payout(running: Running, chromium: Browser, phone: bool, javascript: bool) -> None:
    visitor = Visitor(chromium, running, phone=phone, javascript=javascript)
    page, name = visitor.page, f"{'phone' if phone else 'desktop'}-{'js' if javascript else 'nojs'}"
    numbers = order_and_pay(visitor, name)
    sell_and_pack(visitor, name, numbers[0], seller="seller@demo.tr")

    visitor.sign_in("buyer@demo.tr")
    visitor.picture(f"{name}-buyer-home")
    page.click(f"a:has-text('{numbers[0]}')")
    page.click("#confirm")
    visitor.picture(f"{name}-confirm")
    page.click("#confirm-all")
    page.wait_for_selector("text=/Teslimat onaylandı|Delivery confirmed/")
    visitor.picture(f"{name}-receipt")
    visitor.sign_out()

    visitor.sign_in("finance@demo.tr")
    order_url = find_order(page, "/finance/orders", numbers[0])
    wait_until_released(page, order_url)
    visitor.picture(f"{name}-finance-order")
    page.goto("/finance/payouts")
    assert numbers[0] in page.content()
    visitor.picture(f"{name}-payouts")
    page.click(f"tr:has-text('{numbers[0]}') a.money >> nth=0")
    assert page.locator("li.here").count() == 1
    assert page.locator("p.note.ok").count() == 1
    visitor.picture(f"{name}-passport")
    visitor.sign_out()
    visitor.close()


def order_and_pay(visitor: Visitor, name: str) -> list[str]:
    """Fatma orders from two sellers and pays once; the order numbers, Deniz's first."""
    page = visitor.page
    visitor.sign_in("buyer@demo.tr")
    page.goto("/buyer/offers")
    page.fill("tr:has-text('Koli bandı') input", "4")
    page.fill("tr:has-text('A4 fotokopi') input", "2")
    visitor.picture(f"{name}-offers")
    page.click("#place")
    page.wait_for_selector("#pay")
    numbers = [
        re.search(r"EM-\d\d-\d{6}", section.inner_text())[0]  # type: ignore[index]
        for section in page.locator("section:has(h2 .muted)").all()
    ]
    visitor.picture(f"{name}-basket")
    page.click("#pay")
    page.wait_for_selector("text=SANDBOX")
    visitor.picture(f"{name}-sandbox")
    page.click("button#pay")
    if not visitor.javascript:
        page.click("#to-shop")
    page.wait_for_url(re.compile(r"/buyer/checkouts/"))
    # Without JavaScript the page's own refresh tag looks again, with it htmx does: nobody has to press anything.
    page.wait_for_selector("p.note.ok")
    visitor.picture(f"{name}-paid")
    visitor.sign_out()
    return numbers


def sell_and_pack(visitor: Visitor, name: str, number: str, *, seller: str) -> None:
    """Deniz prepares, Cem packs, Deniz hands over and says it arrived."""
    page = visitor.page
    visitor.sign_in(seller)
    visitor.picture(f"{name}-seller-home")
    order_url = find_order(page, "/seller/orders", number)
    page.goto(order_url)
    visitor.picture(f"{name}-prepare")
    page.click("#prepare")
    visitor.sign_out()
    visitor.sign_in("packer@demo.tr")
    page.goto("/warehouse/")
    visitor.picture(f"{name}-warehouse")
    page.click(f"tr:has-text('{number}') a.button")
    for box in page.locator("input[type=checkbox]").all():
        box.check()
    visitor.picture(f"{name}-packing")
    page.click("#pack")
    visitor.sign_out()
    visitor.sign_in(seller)
    page.goto(order_url)
    page.fill("#f-carrier", "Elden")
    page.click("#hand-over")
    page.click("#delivered")
    visitor.picture(f"{name}-seller-order")
    page.goto("/seller/balance")
    visitor.picture(f"{name}-balance")
    visitor.sign_out()


def find_order(page: Page, listing: str, number: str) -> str:
    """The order's page, found by its number."""
    page.goto(f"{listing}?q={number}")
    href = page.locator(f"a:has-text('{number}')").first.get_attribute("href")
    assert href
    return href


def wait_until_released(page: Page, url: str) -> None:
    """Until the worker has asked the provider and noted the answer."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        page.goto(url)
        if page.locator(".head .badge.ok").count() == 2:
            return
        page.wait_for_timeout(300)
    raise AssertionError("the money was not released in time")
