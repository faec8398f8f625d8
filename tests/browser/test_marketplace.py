"""The pages of marketplaces in a real browser, on a desk and on a phone: nothing to complain about, nothing too wide."""

from __future__ import annotations

import pytest
from flask import Flask
from playwright.sync_api import Browser

from portal.workflows import stock_push
from tests.browser.conftest import Running, Visitor
from tests.browser.packing_floor import floor
from tests.cast import Cast
from tests.marketplace import Street
from tests.marketplace.conftest import street as street  # noqa: PLC0414 (a fixture lent from next door)
from tests.stock import TAPE, Warehouse
from tests.stock.conftest import warehouse as warehouse  # noqa: PLC0414 (a fixture lent from next door)
from tests.story import drain

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_packages_and_pushes_on_a_desk_and_on_a_phone(
    app: Flask, cast: Cast, warehouse: Warehouse, street: Street, chromium: Browser
) -> None:
    [packed], _other = street.order((TAPE, 2)), street.order(("8690000009999", 1))
    street.pull()
    street.pack(packed, warehouse.tape, warehouse.a1, 2)
    drain("provider_calls")
    while stock_push.push_next():
        pass
    package = street.ours(packed).id
    pages = {
        "list": ("/warehouse/marketplace", "Ayşe Yılmaz"),
        "package": (f"/warehouse/marketplace/{package}", street.ours(packed).cargo_tracking_number),
        "push": ("/warehouse/push/", TAPE),
        "push-log": ("/warehouse/push/log", "Kabul edildi"),
    }
    with floor(app) as portal:
        for phone, who in ((False, "packer@demo.tr"), (True, "admin@demo.tr")):
            visitor = Visitor(chromium, Running(portal.url, ""), phone=phone, javascript=True)
            visitor.sign_in(who)
            for name, (path, words) in pages.items():
                visitor.page.goto(path)
                assert words in visitor.page.content(), path
                visitor.no_barriers()
                visitor.picture(f"marketplace-{'phone' if phone else 'desk'}-{name}")
            visitor.close()
