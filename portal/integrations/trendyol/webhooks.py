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
from portal.integrations.trendyol import wire
from portal.marketplace.ports import PackageHint


class TrendyolWebhooks:
    """Checks who sends before anything in the body is read. What is not configured lets nobody in."""

    def __init__(self, *, user: str = "", password: str = "", api_key: str = "") -> None:
        basic = base64.b64encode(f"{user}:{password}".encode()).decode()
        self.basic = f"Basic {basic}" if user and password else ""
        self.api_key = api_key

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
