"""JSON over HTTP to N11, with its two keys in headers; one log line per call without them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import urlencode

import httpx
from loguru import logger

from portal.core.ports import Outcome
from portal.integrations.soap import Http

THROTTLED_SECONDS = 10  # they name no time; their limit is per minute


class Heard(NamedTuple):
    """What came back: the body, or how silent it was."""

    outcome: Outcome
    body: dict[str, Any]
    why: str = ""
    retry_after_seconds: int = 0


class N11Client:
    """One seller's account."""

    def __init__(
        self,
        *,
        base_url: str,
        app_key: str,
        app_secret: str,
        timeout_seconds: Decimal = Decimal(10),
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.headers = {"appkey": app_key, "appsecret": app_secret, "Accept": "application/json"}
        self.http = Http(timeout_seconds=timeout_seconds, transport=transport)

    def ask(self, path: str, params: Mapping[str, str | int]) -> Heard:
        """Look something up."""
        return self._send("GET", path, f"?{urlencode(params)}", b"")

    def tell(self, method: str, path: str, content: object) -> Heard:
        """Change something, or ask with a body."""
        return self._send(method, path, "", json.dumps(content, ensure_ascii=False).encode())

    def _send(self, method: str, path: str, query: str, content: bytes) -> Heard:
        headers = {**self.headers, **({"Content-Type": "application/json"} if content else {})}
        told = self.http.send(method, f"{self.base_url}{path}{query}", content, headers)
        if told.outcome is not Outcome.DONE:
            heard = Heard(told.outcome, {}, told.why, THROTTLED_SECONDS if told.status == 429 else 0)
        else:
            heard = _read(told.status, told.content)
        logger.info("n11 {} {}: {} {}", method, path, heard.outcome.value, heard.why)
        return heard


def _read(status: int, content: bytes) -> Heard:
    """A refusal may be JSON or plain text; an answer is an object."""
    words = content.decode("utf-8", "replace").strip()
    try:
        body = json.loads(words, parse_float=Decimal, parse_constant=Decimal)
    except (ValueError, RecursionError):
        body = None
    if status >= 400:
        told = body.get("message") or body.get("error") if isinstance(body, dict) else words
        return Heard(Outcome.REFUSED, {}, str(told or f"HTTP {status}")[:500])
    if not isinstance(body, dict):
        return Heard(Outcome.UNKNOWN, {}, "an answer that is no object")
    return Heard(Outcome.DONE, body)
