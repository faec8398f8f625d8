"""HTTP to Trendyol: Basic auth and the name they insist on, bounded in time and in number, logged without secrets."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

import httpx
from loguru import logger

from portal.core.ports import Outcome
from portal.integrations import tls
from portal.integrations.trendyol import wire
from portal.integrations.trendyol.limits import Limits

CONNECT_SECONDS = 3
THROTTLED_SECONDS = 10  # they name no time: their window is ten seconds long
NOTHING: dict[str, Any] = {}
Params = Mapping[str, str | int | list[str]]


class Heard(NamedTuple):
    """What came back: status and body, or how silent it was."""

    outcome: Outcome  # DONE: 2xx; REFUSED: a 4xx in their own words
    status: int = 0
    body: Any = NOTHING
    why: str = ""
    retry_after_seconds: int = 0

    @property
    def code(self) -> str:
        """Their word for a refusal, else the HTTP status."""
        if self.outcome is Outcome.DONE:
            return ""
        return wire.code_of_refusal(self.body) or (str(self.status) if self.status else "")


class TrendyolClient:
    """One seller's account. Only base URL and keys differ between their stage and their production."""

    def __init__(
        self,
        *,
        base_url: str,
        seller_id: str,
        api_key: str,
        api_secret: str,
        integrator: str = "SelfIntegration",
        order_path_version: str = "v2",
        timeout_seconds: Decimal = Decimal(10),
        transport: httpx.BaseTransport | None = None,
        limits: Limits | None = None,
    ) -> None:
        assert integrator.isalnum() and len(integrator) <= 30, "they want up to 30 letters and digits"
        self.seller_id, self.order_path_version = seller_id, order_path_version
        self.timeout_seconds = float(timeout_seconds)  # seconds, not money
        self.limits = limits or Limits()
        self.http = httpx.Client(
            base_url=base_url,
            auth=httpx.BasicAuth(api_key, api_secret),
            headers={"User-Agent": f"{seller_id} - {integrator}", "Accept": "application/json"},
            timeout=httpx.Timeout(self.timeout_seconds, connect=CONNECT_SECONDS),
            transport=transport,
            follow_redirects=False,
            verify=tls.providers(),
        )

    def ask(self, endpoint: str, params: Params | None = None, **names: str) -> Heard:
        """Look something up."""
        return self._paced("GET", endpoint, names, params=dict(params or {}))

    def tell(self, method: str, endpoint: str, content: object, **names: str) -> Heard:
        """Change something."""
        return self._paced(method, endpoint, names, content=json.dumps(content, ensure_ascii=False).encode())

    def _paced(self, method: str, endpoint: str, names: dict[str, str], **more: Any) -> Heard:
        """Too many already: not even asked."""
        wait = self.limits.wait_seconds(endpoint)
        if wait:
            heard = Heard(Outcome.NOT_SENT, why=f"our own limit: again in {wait} s", retry_after_seconds=wait)
        else:
            path = wire.path(endpoint, self.seller_id, self.order_path_version, **names)
            heard = self._send(method, path, **more)
        # Not the query: barcodes and package ids are many, and the endpoint says enough.
        logger.info("trendyol {} {}: {} {} {}", method, endpoint, heard.outcome.value, heard.status or "", heard.why)
        return heard

    def _send(self, method: str, path: str, **more: Any) -> Heard:
        headers = {"Content-Type": "application/json"} if "content" in more else {}
        request = self.http.build_request(method, path, headers=headers, **more)
        try:
            answer, content = self._whole_answer(request)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as never:
            return Heard(Outcome.NOT_SENT, why=f"not reached: {type(never).__name__}")
        except httpx.HTTPError as silence:
            return Heard(Outcome.UNKNOWN, why=f"no answer: {type(silence).__name__}")
        if answer.status_code == 429:
            wait = _wait_seconds(answer.headers.get("Retry-After", ""))
            return Heard(Outcome.NOT_SENT, 429, why="too many requests", retry_after_seconds=wait)
        return _read(answer.status_code, content)

    def _whole_answer(self, request: httpx.Request) -> tuple[httpx.Response, bytes]:
        """Answer and body, within one limit for the whole: who drips a byte at a time is as good as silent."""
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
        return answer, bytes(content)


def _insist_on(ends: float, request: httpx.Request) -> None:
    if time.monotonic() > ends:
        raise httpx.ReadTimeout("the answer takes too long", request=request)


def _wait_seconds(told: str) -> int:
    """What they say, else their window and a little more, so that not everybody comes back together."""
    if told.isascii() and told.isdigit():
        return max(1, min(int(told), 3600))
    return THROTTLED_SECONDS + random.randint(1, 5)  # noqa: S311 (a pause, not a secret)


def _read(status: int, content: bytes) -> Heard:
    """A refusal counts only in their own words: JSON, plain text, or none. A page from in between tells nothing."""
    if status >= 500 or status == 408 or not (200 <= status < 300 or status >= 400):
        return Heard(Outcome.UNKNOWN, status, why=f"HTTP {status}")
    text = content.decode("utf-8-sig", "replace").strip()
    try:
        body = json.loads(text, parse_float=Decimal, parse_constant=Decimal) if text else {}
    except (ValueError, RecursionError):
        if status < 300 or text.startswith("<"):
            return Heard(Outcome.UNKNOWN, status, why="an answer that is not JSON")
        body = text
    if status < 300:
        return Heard(Outcome.DONE, status, body)
    return Heard(Outcome.REFUSED, status, body, wire.words_of_refusal(body) or f"HTTP {status}")
