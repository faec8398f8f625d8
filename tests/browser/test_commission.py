"""A commission month on screens: maker, checker, agent, an objection, a locked month; with the keyboard alone, too."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Running, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
DESK = "/admin/commission"
PLACES = [
    "/", "/deals", "/snapshots?state=PENDING_APPROVAL", "/payouts", "/payouts/2", "/corrections", "/disputes", "/disputes/1",
    "/period-locks", "/policies", "/rehearsal", "/agents", "/hands", "/audit", "/snapshots/12", "/lines/1",
]  # fmt: skip


@pytest.mark.parametrize(("scheme", "phone"), [("light", False), ("dark", True)])
def test_the_desk_keeps_nobody_out(running: Running, chromium: Browser, scheme: str, phone: bool) -> None:
    visitor = Visitor(chromium, running, phone=phone, javascript=True, scheme=scheme)
    visitor.sign_in("finance@demo.tr")
    for place in PLACES:
        visitor.page.goto(DESK + place)
        visitor.no_barriers()
        name = place.strip("/").replace("/", "-").replace("?", "-").replace("=", "-") or "home"
        visitor.picture(f"commission-{'phone' if phone else 'desktop'}-{name}")
    visitor.close()


@pytest.mark.parametrize("javascript", [True, False])
def test_one_makes_another_checks(running: Running, chromium: Browser, javascript: bool) -> None:
    visitor = Visitor(chromium, running, phone=False, javascript=javascript)
    page = visitor.page
    title = f"Deneme satışı {'js' if javascript else 'nojs'}"
    visitor.sign_in("finance@demo.tr")
    page.goto(f"{DESK}/deals")
    page.fill("#f-title", title)
    page.fill("#f-sale_price", "10.000,00")
    page.select_option("#agent_id", label="İpek Aydın")
    page.click("#open-deal")
    page.wait_for_selector(f"tr:has-text('{title}')")
    page.click(f"tr:has-text('{title}') [id^=won-]")
    page.wait_for_selector(f"tr:has-text('{title}') [id^=make-]")
    page.click(f"tr:has-text('{title}') [id^=make-]")
    page.wait_for_selector("text=İkinci bir kişi bakmalı")
    assert page.locator("#approve").count() == 0, "the maker is offered the check"
    where = page.url
    visitor.sign_out()
    visitor.sign_in("broker@demo.tr")
    page.goto(where)
    visitor.no_barriers()
    visitor.picture(f"commission-check-{'js' if javascript else 'nojs'}")
    page.click("#approve")
    page.wait_for_selector(".head .badge.ok")
    page.click("table a.money >> nth=0")
    page.wait_for_selector("text=210,00")
    visitor.picture(f"commission-why-{'js' if javascript else 'nojs'}")
    visitor.close()


def test_the_agent_objects_on_a_phone_and_finance_decides(running: Running, chromium: Browser) -> None:
    ipek = Visitor(chromium, running, phone=True, javascript=True)
    page = ipek.page
    ipek.sign_in("ipek@demo.tr")
    page.goto("/commission/")
    ipek.no_barriers()
    ipek.picture("commission-phone-mine")
    page.click("a:has-text('Haliç Matbaa')")
    ipek.no_barriers()
    ipek.picture("commission-phone-why")
    page.fill("#claim", "Matrah eksik: nakliye de bizdeydi.")
    page.click("#object")
    page.wait_for_selector("text=iş günü kaldı")
    page.fill("#body", "Fatura ekte.")
    page.click("#say")
    page.wait_for_selector("text=Fatura ekte.")
    ipek.no_barriers()
    ipek.picture("commission-phone-objection")
    number = page.url.rstrip("/").rsplit("/", 1)[1]
    ayse = Visitor(chromium, running, phone=False, javascript=True)
    ayse.sign_in("finance@demo.tr")
    ayse.page.goto(f"{DESK}/disputes/{number}")
    ayse.picture("commission-decide")
    ayse.page.check("#way-raise")
    ayse.page.fill("#f-amount", "45,00")
    ayse.page.fill("#because", "nakliye matraha eklendi")
    ayse.page.click("#resolve")
    ayse.page.click("#ask [value=yes]")
    ayse.page.wait_for_selector("text=Daha fazlası borçlu: 45,00")
    ayse.close()
    page.reload()
    page.wait_for_selector("text=nakliye matraha eklendi")
    ipek.close()


def test_a_month_is_looked_at_locked_and_released_by_two(running: Running, chromium: Browser) -> None:
    ayse = Visitor(chromium, running, phone=False, javascript=True)
    page = ayse.page
    ayse.sign_in("finance@demo.tr")
    page.goto(f"{DESK}/period-locks")
    page.click(".months li:nth-child(1) a")
    ayse.no_barriers()
    ayse.picture("commission-what-if")
    page.click(".months li:nth-child(2) a")
    page.fill("#because-lock", "ay sonu")
    page.click("#lock")
    page.click("#ask [value=yes]")
    page.wait_for_selector("[id^=ask-]", state="attached")
    lock = page.locator("article[id^=lock-]").first
    lock.locator("summary").click()
    lock.locator("input[name=because]").fill("bir satış unutuldu")
    lock.locator("[id^=ask-]").click()
    page.wait_for_selector("text=ikinci bir kişi açmalı")
    ayse.picture("commission-locked")
    ayse.close()
    gul = Visitor(chromium, running, phone=False, javascript=True)
    gul.sign_in("admin@demo.tr")
    gul.page.goto(f"{DESK}/period-locks")
    gul.page.locator("[id^=release-]").first.click()
    gul.page.click("#ask [value=yes]")
    gul.page.wait_for_selector("text=Yeniden açıldı")
    gul.close()


def test_several_are_approved_with_the_keyboard_alone(running: Running, chromium: Browser) -> None:
    visitor = Visitor(chromium, running, phone=False, javascript=True)
    page = visitor.page
    visitor.sign_in("broker@demo.tr")
    page.goto(f"{DESK}/snapshots?state=PENDING_APPROVAL")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    tab_to(page, r"choose-\d+")
    keys = 0
    while re.fullmatch(r"choose-\d+", page.evaluate("document.activeElement.id")):
        page.keyboard.press("Space")
        keys += 1
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "A":
            tab_to(page, r"choose-\d+|approve-chosen")
    tab_to(page, "approve-chosen")
    page.keyboard.press("Enter")
    page.wait_for_selector("#ask[open]")
    page.keyboard.press("Tab")
    while page.evaluate("document.activeElement.value") != "yes":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector(".toast")
    assert keys > 0
    assert f"{keys} kayıt onaylandı" in page.locator(".toast").inner_text()
    visitor.close()


def tab_to(page: Page, wanted: str) -> None:
    """From stop to stop until one has this id; nobody is trapped on the way."""
    for _ in range(120):
        if re.fullmatch(wanted, page.evaluate("document.activeElement.id")):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard never came to {wanted}")
