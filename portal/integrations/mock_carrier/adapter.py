"""Örnek Kargo plays the Carrier, and is the one that calls us when something happens."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from flask_babel import lazy_gettext as _l

from portal.core.errors import BadInput
from portal.core.ports import CallAnswer, Outcome
from portal.integrations.mock_carrier import wire
from portal.integrations.mock_carrier.client import Heard, MockClient
from portal.shipping.ports import Consignment, ScanHint, TrackingAnswer

SIGNATURE = "x-ornek-signature"
FIELDS = ("event_id", "key", "status", "at")


class MockCarrier:
    """A whole carrier without a contract: for the demo company and for tests."""

    code = "mock"
    title = "Örnek Kargo"
    legal_title = "Örnek Kargo Lojistik A.Ş."
    tax_number = "1234567890"  # nobody's; the check digit fits

    def __init__(self, client: MockClient) -> None:
        self.client = client

    def create(self, consignment: Consignment) -> CallAnswer:
        """Announce a parcel; 409 says that they know the key, and so it is done."""
        return _answer(self.client.announce(wire.consignment(consignment)), consignment.key, done_already={409})

    def cancel(self, key: str) -> CallAnswer:
        """Take an announcement back; a parcel they do not know, or no longer, is taken back."""
        return _answer(self.client.withdraw(key), key, done_already={404, 410})

    def track(self, key: str) -> TrackingAnswer:
        """Every scan they have."""
        heard = self.client.look(key)
        if heard.outcome is not Outcome.DONE:
            return TrackingAnswer(heard.outcome, why=heard.why)
        try:
            scans = wire.scans(heard.body)
        except (LookupError, TypeError, AttributeError):
            return TrackingAnswer(Outcome.UNKNOWN, why="an answer without scans")
        if heard.body.get("key") != key:
            return TrackingAnswer(Outcome.UNKNOWN, why="an answer about no parcel of ours")
        number = wire.tracking_number(heard.body)
        return TrackingAnswer(Outcome.DONE, number, wire.tracking_page(number), scans)


class MockWebhooks:
    """Checks their HMAC over the bytes as they came, before anything in them is read."""

    def __init__(self, secret: str) -> None:
        self.secret = secret

    def open(self, headers: dict[str, str], body: bytes) -> ScanHint | None:
        """The hint inside; None when the signature does not fit. Refuses what is signed and still no event."""
        given = {name.lower(): value for name, value in headers.items()}.get(SIGNATURE, "")
        ours = hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(ours.encode(), given.strip().lower().encode("utf-8", "replace")):
            return None
        event_id, key, status, at = _fields(body)
        digest = hashlib.sha256(json.dumps([event_id, key, status, at]).encode()).hexdigest()
        return ScanHint(event_type=status, dedupe_key=digest, consignment_key=key)


def _fields(body: bytes) -> list[str]:
    try:
        content = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise BadInput(_l("The request could not be understood.")) from None
    if not isinstance(content, dict):
        raise BadInput(_l("The request could not be understood."))
    return [_short_text(content.get(name)) for name in FIELDS]


def _short_text(value: Any) -> str:
    if not isinstance(value, str) or not value or len(value) > 200 or not value.isprintable():
        raise BadInput(_l("The request could not be understood."))
    return value


def _answer(heard: Heard, key: str, *, done_already: set[int]) -> CallAnswer:
    """Every answer of theirs names the parcel; a page of some proxy between us does not, and tells nothing."""
    ours = heard.body.get("key") == key
    if heard.outcome is Outcome.DONE and not ours:
        return CallAnswer(Outcome.UNKNOWN, why="an answer about no parcel of ours")
    if heard.status in done_already:
        return CallAnswer(Outcome.DONE if ours else Outcome.UNKNOWN, why=heard.why, code=str(heard.status))
    return CallAnswer(heard.outcome, why=heard.why, code=str(heard.status) if heard.status >= 400 else "")
