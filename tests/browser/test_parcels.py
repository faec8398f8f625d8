"""Three parcels, one damaged piece, one missing one: as buyer, seller, packer and finance see it on their screens."""

from __future__ import annotations

import re
import time

import httpx
import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Running, Visitor
from tests.browser.test_story import find_order, order_and_pay
from tests.pictures import a_photo

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.mark.parametrize(("name", "javascript"), [("parcels", True), ("parcels-nojs", False)])
def test_three_parcels_one_damaged_one_missing(
    running: Running, chromium: Browser, name: str, javascript: bool
) -> None:
    visitor = Visitor(chromium, running, phone=True, javascript=javascript)
    page = visitor.page
    number = order_and_pay(visitor, name)[0]
    keys = three_parcels(visitor, name, number)
    for key in keys:
        arrives(running, key)
    answer_the_parcels(visitor, name, number)
    # Only what was accepted has left: two of four pieces, while the two others are argued about.
    visitor.sign_in("finance@demo.tr")
    page.goto(find_order(page, "/finance/orders", number))
    wait_for(page, lambda: page.locator("text=429,50").count() > 0)
    visitor.picture(f"{name}-finance")
    visitor.sign_out()
    settle_as_seller(visitor, name, number)
    visitor.sign_in("buyer@demo.tr")
    page.goto("/disputes?state=OPEN")
    page.click("table a >> nth=0")
    visitor.picture(f"{name}-dispute-buyer")
    agree(visitor, "#way-release")
    page.goto(find_order(page, "/buyer/orders", number))
    wait_for(page, lambda: page.locator(".head .badge.ok").count() == 1)
    visitor.picture(f"{name}-done")
    visitor.close()


def test_the_letter_is_answered_in_two_taps_without_a_password(running: Running, chromium: Browser) -> None:
    """The first tap is on the link in the letter, the second on the one button. The link then is spent."""
    visitor = Visitor(chromium, running, phone=True, javascript=True)
    number = order_and_pay(visitor, "letter")[0]
    visitor.sign_in("seller@demo.tr")
    visitor.page.goto(find_order(visitor.page, "/seller/orders", number))
    visitor.page.click("#prepare")
    visitor.sign_out()
    visitor.sign_in("packer@demo.tr")
    visitor.page.goto("/warehouse/")
    visitor.page.click(f"tr:has-text('{number}') a.button")
    visitor.page.locator("input[type=checkbox]").check()
    visitor.page.click("#pack")
    visitor.sign_out()
    visitor.sign_in("seller@demo.tr")
    visitor.page.goto(find_order(visitor.page, "/seller/orders", number))
    visitor.page.click("#hand-over")
    visitor.page.click("#delivered")
    visitor.close()
    link = link_in_the_letter(running, number)

    fatma = Visitor(chromium, running, phone=True, javascript=True)
    sizes: list[int] = []
    fatma.page.on(
        "response", lambda a: sizes.append(a.request.sizes()["responseBodySize"]) if "/fonts/" not in a.url else None
    )
    fatma.page.goto(link)
    fatma.page.wait_for_load_state("networkidle")
    assert len(sizes) > 3
    assert sum(sizes) < 60_000, sizes
    fatma.no_barriers()
    fatma.picture("letter-doorstep")
    fatma.page.click("#confirm-all")
    fatma.page.wait_for_selector(".badge.ok")
    fatma.picture("letter-done")
    fatma.page.goto(link)
    assert fatma.page.locator("#confirm-all").count() == 0
    assert fatma.page.locator("#sign-out").count() == 0
    fatma.close()


def link_in_the_letter(running: Running, number: str) -> str:
    """From the mailbox of the sandbox's post office."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for letter in httpx.get(f"{running.sandbox_url}/_sandbox/mail").json():
            if number in letter["subject"]:
                found = re.search(r"http://\S+/delivery/\S+", letter["text"])
                assert found
                return found[0]
        time.sleep(0.3)
    raise AssertionError("no letter came")


def three_parcels(visitor: Visitor, name: str, number: str) -> list[str]:
    """Deniz makes three parcels for Örnek Kargo, Cem packs them, Deniz prints the labels; the parcels' keys."""
    page = visitor.page
    visitor.sign_in("seller@demo.tr")
    url = find_order(page, "/seller/orders", number)
    for pieces in ("2", "1", "1"):
        page.goto(url)
        page.fill(".count", pieces)
        page.select_option("#carrier-code", "mock")
        page.click("#prepare")
        page.wait_for_load_state("networkidle")
    visitor.picture(f"{name}-seller-order")
    visitor.sign_out()
    visitor.sign_in("packer@demo.tr")
    for _ in range(3):
        page.goto("/warehouse/")
        page.click(f"tr:has-text('{number}') a.button >> nth=0")
        for box in page.locator("input[type=checkbox]").all():
            box.check()
        page.click("#pack")
        page.wait_for_selector("#hand-over")
    visitor.picture(f"{name}-packed")
    visitor.sign_out()
    visitor.sign_in("seller@demo.tr")
    page.goto(f"/seller/shipments?q={number}")
    visitor.no_barriers()
    visitor.picture(f"{name}-shipments")
    keys = re.findall(r"EM\d{10}", page.locator("table").inner_text())
    assert len(keys) == 3
    assert prints(visitor) == b"%PDF"
    for _ in range(3):
        page.goto(f"/seller/shipments?state=PACKED&q={number}")
        page.click("[id^=hand-over-] >> nth=0")
        page.wait_for_load_state("networkidle")
    visitor.sign_out()
    return sorted(keys)


def prints(visitor: Visitor) -> bytes:
    """The first bytes of what the printer gets for the chosen parcels."""
    for box in visitor.page.locator(".choose").all():
        box.check()
    form = {"csrf_token": visitor.page.locator("#labels input[name=csrf_token]").get_attribute("value")}
    ids = [box.get_attribute("value") for box in visitor.page.locator(".choose").all()]
    body = "&".join([f"csrf_token={form['csrf_token']}", *[f"id={i}" for i in ids]])
    answer = visitor.context.request.post(
        f"{visitor.portal.url}/labels", data=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert answer.status == 200
    return answer.body()[:4]


def arrives(running: Running, key: str) -> None:
    """Örnek Kargo brings it; its webhooks tell the portal."""
    with httpx.Client(base_url=running.sandbox_url, timeout=20) as carrier:
        for event in ("picked_up", "in_transit", "out_for_delivery", "delivered"):
            path = f"/_sandbox/carriers/mock/{key}/scans"
            deadline = time.monotonic() + 60
            while (answer := carrier.post(path, json={"event": event})).status_code == 404:
                assert time.monotonic() < deadline, "the carrier never heard of it"
                time.sleep(0.3)
            assert answer.status_code == 201, answer.text


def answer_the_parcels(visitor: Visitor, name: str, number: str) -> None:
    """Fatma: the first parcel is complete, in the second a piece is damaged, in the third one is missing."""
    page = visitor.page
    visitor.sign_in("buyer@demo.tr")
    url = find_order(page, "/buyer/orders", number)
    wait_for(page, lambda: page.goto(url) and page.locator(".urgent > .badge:has-text('Teslim edildi')").count() == 3)
    visitor.picture(f"{name}-buyer-order")
    page.click("#confirm")
    visitor.no_barriers()
    visitor.picture(f"{name}-confirm")
    page.click("[id^=confirm-]:not(#confirm-all) >> nth=0")
    for problem in ("damaged", "missing"):
        page.click("[id^=problem-] >> nth=0")
        page.fill(f"[id^={problem}-]", "1")
        page.fill("#note", "köşesi ezik" if problem == "damaged" else "kutuda yok")
        if problem == "damaged":
            page.set_input_files(
                "[id^=photo-]", {"name": "foto.jpg", "mimeType": "image/jpeg", "buffer": a_photo(3000, 2000)}
            )
        visitor.no_barriers()
        visitor.picture(f"{name}-{problem}")
        page.click("#send")
        page.wait_for_selector("h1")
    visitor.picture(f"{name}-answered")
    assert page.locator("text=Satıcıya soruldu").count() == 1
    visitor.sign_out()


def settle_as_seller(visitor: Visitor, name: str, number: str) -> None:
    """Deniz gives the money for the missing piece back, and writes about the damaged one."""
    page = visitor.page
    visitor.sign_in("seller@demo.tr")
    visitor.picture(f"{name}-seller-home")
    page.goto("/disputes?state=OPEN")
    visitor.picture(f"{name}-disputes")
    page.click(f"tr:has-text('{number}'):has-text('Eksik') a >> nth=0")
    agree(visitor, "#way-refund")
    page.wait_for_selector("text=Para alıcıya geri döner")
    page.goto("/disputes?state=OPEN")
    page.click(f"tr:has-text('{number}'):has-text('Hasarlı') a >> nth=0")
    page.fill("#body", "Çok üzgünüz. İndirim yapabilir miyiz?")
    page.click("#say")
    page.wait_for_selector("text=Çok üzgünüz")
    visitor.no_barriers()
    visitor.picture(f"{name}-dispute-seller")
    visitor.sign_out()


def agree(visitor: Visitor, button: str) -> None:
    """Press what cannot be taken back; with JavaScript somebody asks first."""
    visitor.page.click(button)
    if visitor.javascript:
        visitor.page.click("#ask [value=yes]")
    visitor.page.wait_for_load_state("networkidle")


def wait_for(page: Page, seen, patience: float = 60) -> None:  # type: ignore[no-untyped-def]
    """Until the workers have done it."""
    deadline = time.monotonic() + patience
    while not seen():
        assert time.monotonic() < deadline, page.url
        page.wait_for_timeout(400)
        page.reload()
