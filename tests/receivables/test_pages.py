"""Finance's pages of the accounts."""

from __future__ import annotations

import re

from flask import Flask

from tests import story
from tests.cast import Cast, sign_in
from tests.receivables.source import Ledger


def text_of(page: str) -> str:
    """Without markup, blanks as one."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)).replace("\u00a0", " ")


def test_from_nothing_to_the_single_document(app: Flask, cast: Cast, aytek: Ledger) -> None:
    ayse = sign_in(app, cast.ayse)
    status, page = ayse.get("/finance/aging")
    assert status == 200
    assert "Henüz" in page or "Nothing has been read" in page
    status, where = ayse.post("/finance/aging/customers/fetches")
    assert status == 303
    assert ayse.get(where)[0] == 200
    assert story.drain("aging_fetch") == 1
    page = text_of(ayse.get("/finance/aging")[1])
    assert "1.254.300,50 200.000,00 354.300,50 400.000,00 250.000,00 50.000,00" in page
    assert ayse.get(where)[0] == 200
    for path in ("", "/documents/before", "/documents/202503", "/letter"):
        status, page = ayse.get(f"/finance/aging/accounts/1{path}")
        assert status == 200, page[-2000:]
        print(text_of(page)[-900:])
    for path in ("/finance/aging/suppliers", "/finance/aging/customers/changes", "/finance/aging/customers/fetches"):
        assert ayse.get(path)[0] == 200
