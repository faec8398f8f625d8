"""A page asks once for what it shows: however many rows, the same few queries."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import event

from portal import demo
from portal.core.database import db
from portal.core.unit_of_work import atomic
from tests import story
from tests.cast import Cast, sign_in
from tests.world import SandboxControl

LISTS = {
    "fatma": ["/buyer/", "/buyer/offers", "/buyer/orders"],
    "deniz": ["/seller/", "/seller/orders", "/seller/balance"],
    "cem": ["/warehouse/", "/warehouse/items", "/warehouse/items/1", "/warehouse/shelves", "/warehouse/shelves/1"],
    "ayse": ["/finance/orders", "/finance/holds", "/finance/payouts", "/finance/ledger", "/admin/inbox", "/admin/outbox"],
}  # fmt: skip
# The session, the person, the language's clock and the rows; nothing per row.
MOST = 9


@pytest.mark.parametrize("name", LISTS)
def test_more_rows_are_not_more_queries(app: Flask, cast: Cast, sandbox: SandboxControl, name: str) -> None:
    with atomic():
        demo.fill_shelves()
    asked: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *a: asked.append(a[2]))
    visitor = sign_in(app, getattr(cast, name))
    costs = []
    for _round in range(2):
        for _ in range(3):
            story.completed(app, cast, sandbox)
        seen = []
        for page in LISTS[name]:
            asked.clear()
            assert visitor.get(page)[0] == 200
            seen.append((page, len(asked)))
        costs.append(seen)
    assert costs[0] == costs[1]
    counted = [cost for _page, cost in costs[0]]
    assert min(counted) > 2, "nothing was counted"
    assert max(counted) <= MOST, costs[0]
