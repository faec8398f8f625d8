"""Redis is away: nothing breaks, limits still hold, and nobody waits long."""

from __future__ import annotations

import time
from dataclasses import replace

from portal.app import create_app
from portal.core.database import db
from portal.demo import PASSWORD
from portal.settings import Settings


def test_the_portal_goes_on_and_still_counts(settings: Settings) -> None:
    app = create_app(replace(settings, redis_url="redis://127.0.0.1:1/0"))
    client = app.test_client()
    began = time.monotonic()
    answer = client.post("/api/v2/token/", json={"email": "buyer@demo.tr", "password": PASSWORD})
    assert answer.status_code == 200
    headers = {"Authorization": f"Bearer {answer.get_json()['access_token']}"}
    assert client.get("/sign-in").status_code == 200
    statuses = {client.post("/api/network/orders/1/confirm-delivery", headers=headers).status_code for _ in range(150)}
    assert statuses == {404, 429}
    assert time.monotonic() - began < 20
    with app.app_context():
        db.engine.dispose()
