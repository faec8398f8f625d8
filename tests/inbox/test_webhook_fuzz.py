"""2,000 hostile webhooks: no 5xx, and no row for a wrong signature."""

from __future__ import annotations

import gzip
import json
import random
from typing import Any

from flask import Flask
from sqlalchemy import func, select

from portal.core.database import db
from portal.inbox.models import InboxMessage
from portal.integrations.iyzico import signing

ATTACKS, SECRET = 2_000, "sandbox-testSecret"
URL = "/api/webhooks/payments/iyzico"
HOSTILE = [
    "", "\x00", "\ud800", "\u202egnp.exe", "İıŞğ", "A" * 5_000, "'; DROP TABLE posting;--", "{{7*7}}", "../../etc/passwd",
    "\r\nX-Evil: 1", "💣" * 50, "0", "-1", "1e309", "NaN", "%00", "\u0000\uffff",
]  # fmt: skip
SHAPES: list[Any] = [None, True, 0, -1, 10**40, 1.5, [], {}, [[[]]], {"a": {"b": 1}}]
NAMES = ["iyziEventType", "paymentConversationId", "status", "token", "iyziPaymentId", "paymentId", "merchantId"]


def genuine(rng: random.Random) -> dict[str, Any]:
    """A message as the provider would send it."""
    return {
        "paymentConversationId": f"{rng.getrandbits(128):032x}", "merchantId": 1, "token": f"t{rng.getrandbits(60)}",
        "status": "SUCCESS", "iyziReferenceCode": "x", "iyziEventType": "CHECKOUT_FORM_AUTH", "iyziEventTime": 1,
        "iyziPaymentId": str(rng.getrandbits(40)),
    }  # fmt: skip


def signed(body: dict[str, Any]) -> str:
    """The right signature of a message, hostile or not."""
    parts = [
        str(body.get(n, "")) for n in ("iyziEventType", "iyziPaymentId", "token", "paymentConversationId", "status")
    ]
    return signing.webhook_signature(SECRET, *(part.encode("utf-8", "replace").decode() for part in parts))


def attack(rng: random.Random) -> tuple[bytes, dict[str, str], str]:
    """Body, headers, and what kind of attack it was."""
    body = genuine(rng)
    kind = rng.choice(["field", "shape", "raw", "signature", "deep", "double", "type", "gzip", "big", "none", "good"])
    headers = {"X-IYZ-SIGNATURE-V3": signed(body), "Content-Type": "application/json"}
    raw = json.dumps(body).encode()
    match kind:
        case "field":
            body[rng.choice(NAMES)] = rng.choice(HOSTILE)
            raw = json.dumps(body).encode()
        case "shape":
            body[rng.choice(NAMES)] = rng.choice(SHAPES)
            raw = json.dumps(body).encode()
        case "raw":
            raw = rng.randbytes(rng.randrange(2000))
        case "signature":
            headers["X-IYZ-SIGNATURE-V3"] = rng.choice(["", "0" * 64, "ç" * 64, "A" * 9000, "zz", signed(body)[:-1]])
        case "deep":
            raw = b"[" * 10_000 + b"]" * 10_000
        case "double":
            raw = raw[:-1] + b', "status": "FAILURE"}'
        case "type":
            headers["Content-Type"] = rng.choice(["text/plain", "", "application/xml", "application/json; charset=x"])
        case "gzip":
            raw = gzip.compress(b"0" * 100_000)
            headers["Content-Encoding"] = "gzip"
        case "big":
            raw = b'{"token": "' + b"A" * 300_000 + b'"}'
        case "none":
            del headers["X-IYZ-SIGNATURE-V3"]
    return raw, headers, kind


def test_nothing_breaks_and_nothing_unsigned_is_kept(app: Flask) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    rng, client = random.Random(seed), app.test_client()
    accepted: set[bytes] = set()
    good = 0
    for _ in range(ATTACKS):
        raw, headers, kind = attack(rng)
        latin = {name: value.encode("utf-8").decode("latin-1") for name, value in headers.items()}
        status = client.post(URL, data=raw, headers=latin).status_code
        assert status < 500, (kind, raw[:200], headers)
        assert status in (200, 400, 401, 411, 413, 415, 422), (kind, status)
        if status == 200:
            # Whatever was taken carries a signature over the very fields it came with.
            assert headers["X-IYZ-SIGNATURE-V3"] == signed(json.loads(raw)), kind
            accepted.add(raw)
        good += kind == "good"
        assert kind != "good" or status == 200
    assert good > 50
    assert db.session.scalar(select(func.count(InboxMessage.id))) == len(accepted)


def test_a_repeat_with_another_event_id_is_still_a_repeat(app: Flask) -> None:
    """Their event id is not signed: a replayer can change it as he likes."""
    client, body = app.test_client(), genuine(random.Random(1))
    headers = {"X-IYZ-SIGNATURE-V3": signed(body)}
    for reference in ("first", "second"):
        assert client.post(URL, json={**body, "iyziReferenceCode": reference}, headers=headers).status_code == 200
    assert db.session.scalars(select(InboxMessage.seen_count)).all() == [2]


def test_another_provider_is_nobody(app: Flask) -> None:
    assert app.test_client().post("/api/webhooks/payments/stripe", json={}).status_code == 404


def test_a_callback_with_an_unknown_token_leaves_nothing(app: Flask) -> None:
    client = app.test_client()
    for token in ("", "x", "\x00", "A" * 1000, "ş"):
        assert client.post("/payments/iyzico/callback", data={"token": token}).status_code in (404, 422)
    assert db.session.scalar(select(func.count(InboxMessage.id))) == 0
