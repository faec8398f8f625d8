"""JSON over HTTP to Örnek Kargo, with a bearer token; one log line per call without it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx
from loguru import logger

from portal.core.ports import Outcome
from portal.integrations.soap import Http, said


class Heard(NamedTuple):
    """What came back: status and body, or how silent it was."""

    outcome: Outcome
    status: int
    body: dict[str, Any]
    why: str


class MockClient:
    """One contract with a carrier that does not exist."""

    def __init__(
        self,
        *,
        base_url: str,
        token: str,
        timeout_seconds: Decimal = Decimal(10),
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.base_url, self.token = base_url.rstrip("/"), token
        self.http = Http(timeout_seconds=timeout_seconds, transport=transport)

    def announce(self, consignment: dict[str, Any]) -> Heard:
        """A new parcel."""
        return self._send("POST", "", json.dumps(consignment, ensure_ascii=False).encode("utf-8", "replace"))

    def withdraw(self, key: str) -> Heard:
        """A parcel taken back."""
        return self._send("DELETE", f"/{quote(key, safe='')}")

    def look(self, key: str) -> Heard:
        """A parcel and its scans."""
        return self._send("GET", f"/{quote(key, safe='')}")

    def _send(self, method: str, path: str, content: bytes = b"") -> Heard:
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        if content:
            headers["Content-Type"] = "application/json"
        told = self.http.send(method, f"{self.base_url}/consignments{path}", content, headers)
        heard = Heard(told.outcome, told.status, {}, told.why)
        if told.outcome is Outcome.DONE:
            heard = _read(told.status, told.content)
        logger.info("mock {} /consignments: {} {}", method, heard.outcome.value, heard.why)
        return heard


def _read(status: int, content: bytes) -> Heard:
    """An object is an answer, whatever it says; the status tells which one."""
    try:
        body = json.loads(content, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        return Heard(Outcome.UNKNOWN, status, {}, "an answer that is not JSON")
    if not isinstance(body, dict):
        return Heard(Outcome.UNKNOWN, status, {}, "an answer that is no object")
    if status < 300:
        return Heard(Outcome.DONE, status, body, "")
    return Heard(Outcome.REFUSED, status, body, said(body.get("error")) or f"HTTP {status}")
