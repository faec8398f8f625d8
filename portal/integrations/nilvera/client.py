"""HTTP to Nilvera: a bearer key, bounded in time, one log line per call without secrets."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from typing import Any, NamedTuple

import httpx
import msgspec
from loguru import logger

from portal.core.ports import Outcome
from portal.integrations import tls
from portal.integrations.nilvera import wire

CONNECT_SECONDS = 3
ENCODER = msgspec.json.Encoder(decimal_format="number")
NOTHING: dict[str, Any] = {}


class Heard(NamedTuple):
    """What came back: status and body, or how silent it was."""

    outcome: Outcome  # DONE: 2xx; REFUSED: a 4xx in their own words
    status: int = 0
    body: Any = NOTHING
    why: str = ""

    def refused_with(self, status: int) -> bool:
        """Whether it was they who said so, in their own words."""
        return self.outcome is Outcome.REFUSED and self.status == status


class NilveraClient:
    """One company's account. Only base URL and key differ between their test and their real host."""

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        timeout_seconds: Decimal = Decimal(10),
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.timeout_seconds = float(timeout_seconds)  # seconds, not money
        self.http = httpx.Client(
            base_url=base_url,
            headers={"Authorization": f"Bearer {api_key}", "Accept": "application/json"},
            timeout=httpx.Timeout(self.timeout_seconds, connect=CONNECT_SECONDS),
            transport=transport,
            follow_redirects=False,
            verify=tls.providers(),
        )

    def post(self, path: str, content: object) -> Heard:
        """Send a model."""
        return self._send("POST", path, ENCODER.encode(content))

    def get(self, path: str) -> Heard:
        """Ask."""
        return self._send("GET", path)

    def delete(self, path: str) -> Heard:
        """Take away."""
        return self._send("DELETE", path)

    def _send(self, method: str, path: str, content: bytes | None = None) -> Heard:
        headers = {"Content-Type": "application/json"} if content else {}
        request = self.http.build_request(method, path, content=content, headers=headers)
        try:
            status, answer = self._whole_answer(request)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as never:
            heard = Heard(Outcome.NOT_SENT, why=f"not reached: {type(never).__name__}")
        except httpx.HTTPError as silence:
            heard = Heard(Outcome.UNKNOWN, why=f"no answer: {type(silence).__name__}")
        else:
            heard = _read(status, answer)
        logger.info("nilvera {} {}: {} {} {}", method, path, heard.outcome.value, heard.status or "", heard.why)
        return heard

    def _whole_answer(self, request: httpx.Request) -> tuple[int, bytes]:
        """Status and body, within one limit for the whole: who drips a byte at a time is as good as silent."""
        ends = time.monotonic() + self.timeout_seconds
        answer = self.http.send(request, stream=True)
        try:
            content = bytearray()
            for piece in answer.iter_bytes():
                content += piece
                _insist_on(ends, request)
        finally:
            answer.close()
        _insist_on(ends, request)
        return answer.status_code, bytes(content)


def _insist_on(ends: float, request: httpx.Request) -> None:
    if time.monotonic() > ends:
        raise httpx.ReadTimeout("the answer takes too long", request=request)


def _read(status: int, content: bytes) -> Heard:
    """A refusal counts only in their own words: a page from a machine in between tells nothing."""
    if status == 429:
        return Heard(Outcome.NOT_SENT, status, why="too many requests")
    if status >= 500 or status == 408 or not (200 <= status < 300 or status >= 400):
        return Heard(Outcome.UNKNOWN, status, why=f"HTTP {status}")
    try:
        body = _content(content)
    except (ValueError, RecursionError):
        return Heard(Outcome.UNKNOWN, status, why="an answer that is not JSON")
    if status < 300:
        return Heard(Outcome.DONE, status, body)
    return Heard(Outcome.REFUSED, status, body, wire.words_of_refusal(body) or f"HTTP {status}")


def _content(content: bytes) -> Any:
    """JSON; nothing at all (204); or an XML document, which they give bare or inside a JSON text."""
    if not content.strip():
        return {}
    if content.lstrip(b"\xef\xbb\xbf").lstrip().startswith(b"<?xml"):
        return content.decode("utf-8-sig")
    return json.loads(content, parse_float=Decimal, parse_constant=Decimal)
