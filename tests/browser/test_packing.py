"""The packing screen in a real browser, with a scanner that types, a network that fails, and two packers."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from portal.core.database import db
from portal.packing import queries
from tests.browser.conftest import Running, Visitor
from tests.browser.packing_floor import TURKISH_Q, Floor, big_order, counts, floor, scan, wait_sent
from tests.cast import Cast
from tests.stock import number
from tests.world import SandboxControl

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

# A thousand scans and twenty seconds without a network in `make faults`; by default enough of both to show the same.
SCANS = int(os.environ.get("SCANS", "120"))
CUT_SECONDS = int(os.environ.get("CUT_SECONDS", "3"))
NAMES = (
    "Oluklu koli", "Streç film", "Koli bandı şeffaf", "Havalı naylon", "Palet köşebendi", "İpli kraft çanta", "Etiket rulosu",
    "Maket bıçağı", "Iğdır kalemi", "Şeffaf poşet",
)  # fmt: skip
THIRTY = [(f"86900001{n:05d}", f"{NAMES[n % 10]} {n + 1} numara", 1 + n % 3) for n in range(30)]


@pytest.fixture
def portal(app: Flask) -> Iterator[Floor]:
    """A portal over this test's own database."""
    with floor(app) as opened:
        yield opened


def visitor(
    chromium: Browser, portal: Floor, *, phone: bool = False, javascript: bool = True, scheme: str = "light"
) -> Visitor:
    """Cem at the packing table, signed in."""
    cem = Visitor(chromium, Running(portal.url, ""), phone=phone, javascript=javascript, scheme=scheme)
    cem.sign_in("packer@demo.tr")
    return cem


def take(cem: Visitor, shipment_id: int) -> int:
    """Open the order from the list; the task's id."""
    cem.page.goto("/packing/")
    cem.page.click(f"#pack-shipment-{shipment_id}")
    if cem.javascript:
        cem.page.wait_for_selector("#packing[data-ready]")
    return int(cem.page.locator("#packing").get_attribute("data-task") or 0)


def everything(lines: list[tuple[str, str, int]]) -> list[str]:
    """Every piece's barcode."""
    return [barcode for barcode, _name, pieces in lines for _ in range(pieces)]


def acknowledge(page: Page) -> None:
    """The packer has looked up and presses Enter."""
    expect(page.locator("#seen")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#seen")).to_be_hidden()


def forgive_the_network(cem: Visitor) -> None:
    """The browser itself writes down that there was no network; nothing else may have been complained about."""
    cem.complaints = [
        said for said in cem.complaints if "ERR_INTERNET_DISCONNECTED" not in said and "ERR_CONNECTION" not in said
    ]


def test_thirty_lines_into_three_parcels_with_mistakes_and_the_network_cut(
    app: Flask, cast: Cast, sandbox: SandboxControl, portal: Floor, chromium: Browser
) -> None:
    shipment = big_order(app, cast, sandbox, THIRTY)
    pieces = everything(THIRTY)
    cem = visitor(chromium, portal)
    page = cem.page
    page.goto("/packing/")
    page.wait_for_function("() => navigator.serviceWorker.controller")
    cem.no_barriers()
    cem.picture("packing-queue")
    task = take(cem, shipment)
    cem.no_barriers()
    cem.picture("packing-begin")
    scan(page, *pieces[:20])
    scan(page, "8699999999999")  # nobody knows it
    cem.picture("packing-wrong")
    cem.no_barriers()
    scan(page, *pieces[20:23])  # not counted: nobody has looked up yet
    assert counts(page) == [20, len(pieces)]
    acknowledge(page)
    scan(page, pieces[0])  # one too many
    cem.picture("packing-too-many")
    acknowledge(page)
    scan(page, "EMCMDNEWBOX", *pieces[20:35])
    wait_sent(page)

    cem.context.set_offline(True)
    cut_at = time.monotonic()
    scan(page, *pieces[35:40], "EMCMDUNDO", pieces[39], gap=2)
    expect(page.locator("#link")).to_have_text("● Çevrimdışı, 7 okutma bekliyor")
    cem.picture("packing-offline")
    page.keyboard.press("F9")
    expect(page.locator("#say-what")).to_contain_text("Bekleyin")
    page.keyboard.press("F3")
    scan(page, *pieces[40:50])
    assert counts(page) == [50, len(pieces)]
    assert number("SELECT sum(packed) FROM packing_line") == 35
    page.wait_for_timeout(max(0, CUT_SECONDS - (time.monotonic() - cut_at)) * 1000)
    cem.context.set_offline(False)
    wait_sent(page)
    assert number("SELECT sum(packed) FROM packing_line") == 50

    scan(page, *pieces[50:])
    expect(page.locator("#say")).to_have_class("pk-say done")
    cem.picture("packing-complete")
    page.fill("#grams-1", "4200")
    page.keyboard.press("Tab")
    wait_sent(page)
    page.keyboard.press("F9")
    page.wait_for_selector("#print")
    cem.no_barriers()
    cem.picture("packing-packed")
    with page.expect_popup() as label:
        page.keyboard.press("F9")
    label.value.close()
    forgive_the_network(cem)
    cem.close()

    counted = "SELECT count(*) FROM packing_scan WHERE verdict"
    assert number(f"{counted} = 'OK'") == len(pieces) + 1
    assert number(f"{counted} = 'UNDONE'") == 1
    assert number(f"{counted} = 'UNKNOWN'") == number(f"{counted} = 'TOO_MANY'") == 1
    boxes = queries.contents(task)
    assert [sum(box.pieces.values()) for box in boxes] == [20, 20, len(pieces) - 40]
    assert boxes[0].grams == 4200
    assert number("SELECT count(*) FROM shipment WHERE state = 'PACKED'") == 3
    assert number("SELECT -sum(pieces) FROM stock_movement WHERE type = 'OUT'") == len(pieces)


def test_a_thousand_scans_lose_none(
    app: Flask, cast: Cast, sandbox: SandboxControl, portal: Floor, chromium: Browser
) -> None:
    """Scans 15 ms apart, each a burst of keys, while the portal answers as fast as it can."""
    one, two = "8690000200001", "8690000200002"
    half = SCANS // 2
    shipment = big_order(app, cast, sandbox, [(one, "Vida", half), (two, "Somun", SCANS - half)], cases=False)
    cem = visitor(chromium, portal)
    take(cem, shipment)
    scan(cem.page, *[one, two] * half, between=15)
    wait_sent(cem.page)
    assert number("SELECT sum(packed) FROM packing_line") == half * 2
    assert number("SELECT count(*) FROM packing_scan WHERE verdict = 'OK'") == half * 2
    assert counts(cem.page) == [half * 2, SCANS]
    cem.close()


def test_whatever_has_the_focus_and_whatever_the_keyboard(
    app: Flask, cast: Cast, sandbox: SandboxControl, portal: Floor, chromium: Browser
) -> None:
    code, digits = "ABi-1/x", "8690000300001"
    shipment = big_order(app, cast, sandbox, [(code, "İnce şerit", 4), (digits, "Düz şerit", 5)], cases=False)
    cem = visitor(chromium, portal)
    page = cem.page
    take(cem, shipment)
    scan(page, code)
    scan(page, code, keys=TURKISH_Q)
    scan(page, code.swapcase(), keys=TURKISH_Q, gap=5)
    page.focus("#undo")
    scan(page, digits, end="Tab")
    page.focus("#grams-1")
    page.keyboard.type("12")
    page.wait_for_timeout(200)  # from the keys to the scanner in a hand
    scan(page, digits)
    assert page.input_value("#grams-1") == "12"
    page.focus("#barcode")
    scan(page, digits)
    page.type("#barcode", digits, delay=130)  # by hand, slowly
    page.keyboard.press("Enter")
    page.focus("body")
    page.fill("#barcode", code)  # pasted
    page.click("#send")
    wait_sent(page)
    assert counts(page) == [8, 9]
    page.evaluate("() => document.activeElement.blur()")
    for key in digits:
        page.keyboard.press(key)
        page.wait_for_timeout(130)
    page.keyboard.press("Enter")
    expect(page.locator("#say")).to_have_class("pk-say done")
    wait_sent(page)
    assert number("SELECT sum(packed) FROM packing_line") == 9
    assert number("SELECT count(*) FROM packing_scan") == 9
    page.goto("/packing/scanner")
    scan(page, "TURKCEQ-1I", keys={**TURKISH_Q, "I": "I"})
    expect(page.locator("#test-what")).to_contain_text("klavye düzeni")
    scan(page, "EMTEST0123456789")
    expect(page.locator("#test-what")).to_contain_text("hazır")
    page.click("#sound-wrong")
    cem.no_barriers()
    cem.picture("packing-scanner")
    cem.close()


def test_two_packers_on_one_order_see_each_other_and_never_exceed(
    app: Flask, cast: Cast, sandbox: SandboxControl, portal: Floor, chromium: Browser
) -> None:
    tape, film = "8690000400001", "8690000400002"
    shipment = big_order(app, cast, sandbox, [(tape, "Bant", 2), (film, "Film", 7)])
    cem, other = visitor(chromium, portal), visitor(chromium, portal)
    take(cem, shipment)
    take(other, shipment)
    scan(cem.page, tape)
    expect(other.page.locator("#packed")).to_have_text("1", timeout=20_000)
    # Without a network the other one cannot know that the last roll is taken: the portal has the last word.
    other.context.set_offline(True)
    scan(other.page, tape, f"1{film}")
    expect(other.page.locator("#packed")).to_have_text("8")
    scan(cem.page, tape)
    wait_sent(cem.page)
    other.context.set_offline(False)
    expect(other.page.locator("#conflicts li")).to_have_count(1)
    other.picture("packing-conflict")
    other.no_barriers()
    other.page.keyboard.press("F9")
    expect(other.page.locator("#say-what")).to_contain_text("Önce")
    other.page.keyboard.press("Enter")
    expect(other.page.locator("#conflicts")).to_be_hidden()
    expect(cem.page.locator("#packed")).to_have_text("8", timeout=20_000)
    scan(cem.page, film)
    expect(other.page.locator("#packed")).to_have_text("9", timeout=20_000)
    cem.page.keyboard.press("F9")
    cem.page.wait_for_selector("#print")
    other.page.wait_for_selector("#print", timeout=20_000)
    assert number("SELECT sum(packed) FROM packing_line") == 9
    for one in (cem, other):
        forgive_the_network(one)
        one.close()


def test_a_reload_in_a_dead_spot_keeps_the_order_and_its_scans(
    app: Flask, cast: Cast, sandbox: SandboxControl, portal: Floor, chromium: Browser
) -> None:
    """The portal does not answer at all: the shell and the screen come from the device, the scans wait on it."""
    tape = "8690000500001"
    shipment = big_order(app, cast, sandbox, [(tape, "Bant", 12)])
    cem = visitor(chromium, portal)
    page = cem.page
    page.goto("/packing/")
    page.wait_for_function("() => navigator.serviceWorker.controller")
    take(cem, shipment)
    scan(page, tape, tape)
    wait_sent(page)
    portal.close()
    scan(page, tape, tape, tape)
    expect(page.locator("#link")).to_contain_text("Çevrimdışı, 3 okutma")
    page.reload()
    page.wait_for_selector("#packing[data-ready]")
    expect(page.locator("#packed")).to_have_text("5")
    scan(page, f"1{tape}")
    expect(page.locator("#link")).to_contain_text("Çevrimdışı, 4 okutma")
    portal.come_back()
    wait_sent(page)
    assert number("SELECT sum(packed) FROM packing_line") == 11
    assert number("SELECT count(*) FROM packing_scan") == 6
    kept = page.evaluate(
        "async () => Promise.all((await caches.keys()).map(async n => (await (await caches.open(n)).keys()).map(r => new URL(r.url).pathname)))"
    )
    assert {path for paths in kept for path in paths if not path.startswith("/static/")} <= {
        "/packing/",
        f"/packing/tasks/{number('SELECT id FROM packing_task')}",
    }
    page.click("#sign-out")
    page.wait_for_selector("#sign-in")
    assert page.evaluate("() => caches.has('pages')") is False
    forgive_the_network(cem)
    cem.complaints = [said for said in cem.complaints if "ERR_FAILED" not in said]
    cem.close()


def test_with_the_keyboard_alone(
    app: Flask, cast: Cast, sandbox: SandboxControl, portal: Floor, chromium: Browser
) -> None:
    """From the list to the next order without a pointer; the mouse is forbidden."""
    tape, film = "8690000600001", "8690000600002"
    big_order(app, cast, sandbox, [(tape, "Bant", 2), (film, "Film", 1)])
    cem = visitor(chromium, portal)
    page = cem.page
    page.goto("/packing/")
    key = number("SELECT max(id) FROM shipment")
    page.keyboard.type(f"EM{key:010d}")  # the order's paper
    page.keyboard.press("Enter")
    page.wait_for_selector("#packing[data-ready]")
    for _ in range(2):
        page.keyboard.type(tape)
        page.keyboard.press("Enter")
    page.keyboard.press("F2")
    expect(page.locator("#packed")).to_have_text("1")
    page.keyboard.press("F3")
    expect(page.locator("#box-count")).to_have_text("2 koli")
    page.keyboard.type(tape)
    page.keyboard.press("Enter")
    page.keyboard.press("F6")
    expect(page.locator("#boxes .here b")).to_have_text("1")
    page.keyboard.press("F8")
    page.keyboard.type("750")
    page.keyboard.press("Tab")
    wait_sent(page)
    page.keyboard.press("F4")
    page.wait_for_selector("text=/Ne eksik/")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=/Eksik var/")  # the next page: the one before was ready, too
    page.wait_for_selector("#packing[data-ready]")
    page.keyboard.type(film)
    page.keyboard.press("Enter")
    wait_sent(page)
    page.keyboard.press("F9")
    page.wait_for_selector("#print")
    with page.expect_popup() as label:
        page.keyboard.press("F9")
    label.value.close()
    page.keyboard.press("Enter")
    page.wait_for_url("**/packing/")
    cem.close()
    assert number("SELECT count(*) FROM shipment WHERE state = 'PACKED'") == 2
    db.session.rollback()


def test_on_a_phone(app: Flask, cast: Cast, sandbox: SandboxControl, portal: Floor, chromium: Browser) -> None:
    """By day and in a dark corner."""
    shipment = big_order(app, cast, sandbox, THIRTY[:8])
    cem = visitor(chromium, portal, phone=True)
    page = cem.page
    page.goto("/packing/")
    cem.picture("packing-phone-light-queue")
    take(cem, shipment)
    scan(page, THIRTY[0][0], THIRTY[1][0])
    wait_sent(page)
    scan(page, "1")
    scan(page, THIRTY[0][0])
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        cem.no_barriers()
        cem.picture(f"packing-phone-{scheme}-wrong")
    heights = page.evaluate(
        "() => [...document.querySelectorAll('.pk-keys .button, .pk-boxes a, #seen')].filter(e => e.offsetParent).map(e => e.offsetHeight)"
    )
    assert len(heights) > 5
    assert min(heights) >= 64
    page.tap("#seen")
    page.tap("#new-box")
    expect(page.locator("#boxes > li")).to_have_count(2)
    wait_sent(page)
    cem.close()


def test_without_scripts(app: Flask, cast: Cast, sandbox: SandboxControl, portal: Floor, chromium: Browser) -> None:
    """One page per scan: the field has the focus, the scanner's Enter sends it."""
    tape = "8690000700001"
    shipment = big_order(app, cast, sandbox, [(tape, "Bant", 7)])
    cem = visitor(chromium, portal, javascript=False)
    page = cem.page
    take(cem, shipment)
    for code, left in ((tape, 1), (f"1{tape}", 7)):
        page.wait_for_selector("#barcode:focus")
        page.keyboard.type(code)
        page.keyboard.press("Enter")
        page.wait_for_url("**scan=**")
        expect(page.locator("#packed")).to_have_text(str(left))
    cem.picture("packing-nojs")
    page.click("#undo-form")
    page.click("#box-form")
    page.wait_for_url("**parcel=**")
    page.wait_for_selector("#barcode:focus")
    page.keyboard.type(f"1{tape}")
    page.keyboard.press("Enter")
    page.wait_for_selector(".pk-boxes li:nth-child(2)")
    page.click("#finish")
    page.wait_for_selector("#print")
    cem.close()
    assert number("SELECT count(*) FROM shipment WHERE state = 'PACKED'") == 2
