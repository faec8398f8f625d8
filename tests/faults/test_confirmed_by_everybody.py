"""200 people press "teslim aldım" on one parcel at once."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.core.database import db
from portal.outbox.models import ProviderIntent
from tests import story
from tests.cast import Cast, api
from tests.faults.conftest import Processes
from tests.world import SandboxControl

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("faults")]

CONFIRMATIONS, CONNECTIONS = 200, 50


def test_one_release_and_one_approval(app: Flask, cast: Cast, sandbox: SandboxControl, processes: Processes) -> None:
    order = story.paid(app, cast, sandbox)[0]
    story.delivered(order, cast)
    token = api(app, cast.fatma).token
    db.session.rollback()
    processes.web()
    limits = httpx.Limits(max_connections=CONNECTIONS)
    with httpx.Client(base_url=processes.url, timeout=60, limits=limits) as http, ThreadPoolExecutor(200) as crowd:

        def press(number: int) -> tuple[int, str]:
            # From 200 addresses, so that the rate limit (by address and order) lets the whole crowd in.
            headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": f"10.0.{number // 100}.{number % 100}"}
            answer = http.post(f"/api/network/orders/{order.id}/confirm-delivery", json={}, headers=headers)
            return answer.status_code, answer.json().get("payout_status", "")

        answers = Counter(crowd.map(press, range(CONFIRMATIONS)))
    assert answers == {(200, "INITIATED"): CONFIRMATIONS}
    story.drain("provider_calls")
    assert list(sandbox.effects("approve").values()) == [1]
    intents = select(func.count()).where(ProviderIntent.operation == "approve_item")
    assert db.session.scalar(intents) == 1
    assert story.hold_states(order) == ["RELEASED"]
