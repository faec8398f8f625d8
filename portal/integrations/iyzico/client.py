"""HTTP to iyzico: signed, bounded in time, one log line per call without secrets."""

from __future__ import annotations

import json
import secrets
import time
from decimal import Decimal
from typing import Any, NamedTuple

import httpx
from loguru import logger

from portal.core.ports import Outcome
from portal.integrations import tls
from portal.integrations.iyzico import signing

CONNECT_SECONDS = 3


class Heard(NamedTuple):
    """What came back: a body, or how silent it was."""

    outcome: Outcome  # DONE: an envelope that says success; REFUSED: one that says failure
    body: dict[str, Any]
    why: str


class IyzicoClient:
    """One merchant account. Only the base URL differs between sandbox and world."""

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        secret_key: str,
        timeout_seconds: Decimal = Decimal(10),
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.api_key, self.secret_key = api_key, secret_key
        self.timeout_seconds = float(timeout_seconds)  # seconds, not money
        limits = httpx.Timeout(self.timeout_seconds, connect=CONNECT_SECONDS)
        self.http = httpx.Client(
            base_url=base_url, timeout=limits, transport=transport, follow_redirects=False, verify=tls.providers()
        )

    def post(self, path: str, content: dict[str, Any]) -> Heard:
        """Send a signed body; the bytes that are signed are the bytes that are sent."""
        return self._send("POST", path, json.dumps(content, ensure_ascii=False).encode(), {})

    def get(self, path: str, query: dict[str, str]) -> Heard:
        """Ask; the query string is not part of what is signed."""
        return self._send("GET", path, b"", query)

    def _send(self, method: str, path: str, body: bytes, query: dict[str, str]) -> Heard:
        random_key = secrets.token_hex(12)
        headers = {
            "Authorization": signing.authorization(self.api_key, self.secret_key, random_key, path, body),
            "x-iyzi-rnd": random_key,
            "Content-Type": "application/json",
            "Accept": "application/json",
        }
        request = self.http.build_request(method, path, content=body or None, params=query or None, headers=headers)
        try:
            status, content = self._whole_answer(request)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as never:
            return self._heard(path, Heard(Outcome.NOT_SENT, {}, f"not reached: {type(never).__name__}"))
        except httpx.HTTPError as silence:
            return self._heard(path, Heard(Outcome.UNKNOWN, {}, f"no answer: {type(silence).__name__}"))
        return self._heard(path, self._read(status, content))

    def _whole_answer(self, request: httpx.Request) -> tuple[int, bytes]:
        """Status and body, within one limit for the whole: who drips a byte at a time is as good as silent."""
        ends = time.monotonic() + self.timeout_seconds
        answer = self.http.send(request, stream=True)
        try:
            content = bytearray()
            for piece in answer.iter_bytes():
                content += piece
                if time.monotonic() > ends:
                    raise httpx.ReadTimeout("the answer takes too long", request=request)
        finally:
            answer.close()
        return answer.status_code, bytes(content)

    @staticmethod
    def _read(status: int, content: bytes) -> Heard:
        """Success is what the envelope says; the HTTP status only tells when there is no envelope."""
        if status == 429:
            return Heard(Outcome.NOT_SENT, {}, "too many requests")
        if status >= 500:
            return Heard(Outcome.UNKNOWN, {}, f"HTTP {status}")
        try:
            body = json.loads(content, parse_float=Decimal, parse_constant=Decimal)
        except (ValueError, RecursionError):
            return Heard(Outcome.UNKNOWN, {}, "an answer that is not JSON")
        match body:
            case {"status": "success"}:
                return Heard(Outcome.DONE, body, "")
            case {"status": "failure", "errorCode": 50000 | "50000"}:
                return Heard(Outcome.NOT_SENT, body, "request limit exceeded")
            case {"status": "failure"}:
                return Heard(Outcome.REFUSED, body, str(body.get("errorMessage", "refused without words")))
            case _:
                return Heard(Outcome.UNKNOWN, {}, "an answer without status")

    @staticmethod
    def _heard(path: str, heard: Heard) -> Heard:
        logger.info("iyzico {}: {} {}", path, heard.outcome.value, heard.why)
        return heard
