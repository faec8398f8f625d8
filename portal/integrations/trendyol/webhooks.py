"""Trendyol's messages: a password or a key, no signature. Worth a second look, never more."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from decimal import Decimal
from typing import Any

from flask_babel import lazy_gettext as _l

from portal.core.errors import BadInput
from portal.core.i18n import noted
from portal.core.ports import Outcome
from portal.integrations.trendyol import wire
from portal.integrations.trendyol.client import TrendyolClient
from portal.marketplace.ports import Ear, Listening, PackageHint


class TrendyolWebhooks:
    """Checks who sends before anything in the body is read. What is not configured lets nobody in."""

    def __init__(
        self, *, user: str = "", password: str = "", api_key: str = "", client: TrendyolClient | None = None
    ) -> None:
        basic = base64.b64encode(f"{user}:{password}".encode()).decode()
        self.basic = f"Basic {basic}" if user and password else ""
        self.user, self.password, self.api_key, self.client = user, password, api_key, client

    def keep_on(self, address: str) -> Listening:
        """After about 13 failures they switch a webhook off by themselves (facts: Trendyol 1.7). What they answer to
        a change is plain text, so their list says whether it was done."""
        try:
            known = self._known(address)
            if any(row["status"] == "ACTIVE" for row in known):
                return Listening(Ear.ON)
            assert self.client
            if known:
                self.client.tell("PUT", "webhook on", {}, webhook=wire.text(known[0]["id"]))
            else:
                self.client.tell("POST", "webhooks", self._subscription(address))
            if any(row["status"] == "ACTIVE" for row in self._known(address)):
                return Listening(Ear.SWITCHED_ON if known else Ear.SUBSCRIBED)
        except NotTold as why:
            return Listening(Ear.TROUBLE, str(why))
        return Listening(Ear.TROUBLE, noted("they were asked to send messages, and do not"))

    def _known(self, address: str) -> list[dict[str, Any]]:
        """Their webhooks that send to this address."""
        if self.client is None or not (self.basic or self.api_key):
            raise NotTold(noted("no password for messages is set"))
        heard = self.client.ask("webhooks")
        rows = heard.body if heard.outcome is Outcome.DONE else None
        if not isinstance(rows, list) or not all(
            isinstance(row, dict) and {"id", "status"} <= row.keys() for row in rows
        ):
            raise NotTold(heard.why or "?")
        return [row for row in rows if row.get("url") == address]

    def _subscription(self, address: str) -> dict[str, Any]:
        """All statuses, also those they think of later."""
        if self.basic:
            who = {"authenticationType": "BASIC_AUTHENTICATION", "username": self.user, "password": self.password}
        else:
            who = {"authenticationType": "API_KEY", "apiKey": self.api_key}
        return {"url": address, "subscribedStatuses": [], **who}

    def open(self, headers: dict[str, str], body: bytes) -> PackageHint | None:
        """The hint inside; None when the sender does not prove himself."""
        given = {name.lower(): value for name, value in headers.items()}
        basic = _same(given.get("authorization", ""), self.basic)
        if not (_same(given.get("x-api-key", ""), self.api_key) or basic):
            return None
        # Unsure: their envelope may hold several packages. The first is the hint; the pull finds the others.
        package = _packages(body)[0]
        key, words = wire.package_key(package), wire.package_words(package)
        if not key or len(key) > 200 or not words or len(words) > 200:
            raise BadInput(_l("The request could not be understood."))
        told = [key, words.upper(), wire.text(package.get("lastModifiedDate"))]
        return PackageHint(words, hashlib.sha256(json.dumps(told).encode()).hexdigest(), key)


class NotTold(Exception):
    """They did not say which webhooks there are."""


def _same(given: str, ours: str) -> bool:
    return bool(ours) and hmac.compare_digest(given.strip().encode("utf-8", "replace"), ours.encode())


def _packages(body: bytes) -> list[dict[str, Any]]:
    """The envelope of the order pull, or one package alone."""
    try:
        content = json.loads(body.decode("utf-8"), parse_float=Decimal, parse_constant=Decimal)
    except (ValueError, RecursionError):
        raise BadInput(_l("The request could not be understood.")) from None
    rows = content.get("content", [content]) if isinstance(content, dict) else None
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise BadInput(_l("The request could not be understood."))
    return rows
