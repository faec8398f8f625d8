"""The stockroom with a scanner, with the keyboard alone, and on a phone without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Running, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

ENVELOPES, CASE = "8690000000158", "18690000000158"  # 100 clear sleeves; twelve in a case
NAME = "Şeffaf poşet dosya"


def scan(visitor: Visitor, code: str, *, into: str) -> None:
    """What a scanner does: it types into whatever has the focus (it should be this field), and presses Enter."""
    visitor.page.wait_for_selector(f"#{into}:focus")
    visitor.page.keyboard.type(code)
    visitor.page.keyboard.press("Enter")


def focused(visitor: Visitor) -> str:
    """The id of what has the focus."""
    return str(visitor.page.evaluate("() => document.activeElement.id"))


def told(visitor: Visitor, words: str) -> None:
    """The portal says so."""
    visitor.page.locator("#toasts", has_text=words).wait_for()


@pytest.mark.parametrize(("name", "phone", "javascript"), [("stock", False, True), ("stock-phone", True, False)])
def test_goods_are_received_counted_and_moved_with_keyboard_and_scanner(
    running: Running, chromium: Browser, name: str, phone: bool, javascript: bool
) -> None:
    """No mouse and no finger after the first page: every field is reached by Enter or Tab."""
    visitor = Visitor(chromium, running, phone=phone, javascript=javascript)
    page = visitor.page
    visitor.sign_in("packer@demo.tr")
    shelf = "B-01" if javascript else "B-09"
    other = "B-09" if javascript else "B-01"

    page.goto("/warehouse/receipt")
    for code, field in ((CASE, "f-barcode"), (shelf, "f-shelf"), ("2", "f-pieces")):
        scan(visitor, code, into=field)
    told(visitor, f"24 parça şimdi {shelf} rafında")
    assert page.input_value("#f-shelf") == shelf
    visitor.no_barriers()
    visitor.picture(f"{name}-receipt")

    scan(visitor, "12345", into="f-barcode")  # nobody knows it: what was typed stays
    scan(visitor, "7", into="f-pieces")
    page.locator("#e-barcode").wait_for()
    # The browser notes that the form came back refused; so it should.
    assert all("422" in complaint for complaint in visitor.complaints)
    visitor.complaints.clear()
    assert page.input_value("#f-pieces") == "7"
    visitor.picture(f"{name}-receipt-refused")

    page.goto("/warehouse/transfer")
    fields = ("f-barcode", "f-from_shelf", "f-to_shelf", "f-pieces")
    for code, field in zip((ENVELOPES, shelf, other, "4"), fields, strict=True):
        scan(visitor, code, into=field)
    told(visitor, f"4 parça şimdi {other} rafında")
    visitor.picture(f"{name}-transfer")

    page.goto("/warehouse/count")
    scan(visitor, shelf, into="f-shelf")
    found = page.locator(".found", has_text=NAME).locator("input")
    found.wait_for()
    believed = int(page.locator(".found", has_text=NAME).inner_text().split(":")[1].strip())
    visitor.no_barriers()
    for _ in range(12):
        if focused(visitor) == found.get_attribute("id"):
            break
        page.keyboard.press("Tab")
    page.keyboard.type(str(believed - 3))
    visitor.picture(f"{name}-count")
    page.keyboard.press("Enter")
    told(visitor, "0 fazla, 3 az")
    visitor.picture(f"{name}-shelf")

    page.goto("/warehouse/items")
    visitor.no_barriers()
    visitor.picture(f"{name}-items")
    page.focus("#f-q")
    scan(visitor, ENVELOPES, into="f-q")
    page.locator("h1", has_text=NAME).wait_for()
    assert page.locator(".moves li").count() >= 4
    visitor.no_barriers()
    visitor.picture(f"{name}-item")
    page.goto("/warehouse/shelves")
    visitor.no_barriers()
    visitor.picture(f"{name}-shelves")
    page.goto("/warehouse/shortages")
    visitor.no_barriers()
    visitor.picture(f"{name}-shortages")
    visitor.close()
