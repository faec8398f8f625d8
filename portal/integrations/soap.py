"""What carriers' services share: one bounded HTTP exchange, SOAP 1.1 envelopes, and reading what strangers wrote."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from xml.etree import ElementTree as Xml  # writes only: what comes in is read by defusedxml

import httpx
from defusedxml import ElementTree as Safe
from defusedxml.common import DefusedXmlException
from loguru import logger

from portal.core.clock import ISTANBUL
from portal.core.ports import Outcome
from portal.integrations import tls

CONNECT_SECONDS = 3
LARGEST_ANSWER = 4_000_000  # bytes; a parcel's whole life is a few thousand
SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
# XML 1.0 has no way to say these, not even escaped.
UNSAYABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
ASCII = str.maketrans("ıİçÇğĞöÖşŞüÜ", "IICCGGOOSSUU")
DATES, TIMES = ("%Y%m%d", "%d.%m.%Y", "%Y-%m-%d"), ("%H%M%S", "%H:%M:%S", "%H:%M", "%H%M")

Xml.register_namespace("soapenv", SOAP_11)


class Exchange(NamedTuple):
    """How one HTTP exchange ended. DONE only means that an answer came; what it says is for the reader."""

    outcome: Outcome
    status: int = 0
    content: bytes = b""
    why: str = ""


class Http:
    """One connection to one carrier: bounded in time and size."""

    def __init__(self, *, timeout_seconds: Decimal, transport: httpx.BaseTransport | None) -> None:
        self.timeout_seconds = float(timeout_seconds)  # seconds, not money
        limits = httpx.Timeout(self.timeout_seconds, connect=CONNECT_SECONDS)
        self.http = httpx.Client(timeout=limits, transport=transport, follow_redirects=False, verify=tls.providers())

    def send(self, method: str, url: str, body: bytes, headers: dict[str, str]) -> Exchange:
        """Send once. Not reached, silent, or answered: never an exception for silence."""
        try:
            request = self.http.build_request(method, url, content=body or None, headers=headers)
            status, content = self._whole_answer(request)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as never:
            return Exchange(Outcome.NOT_SENT, why=f"not reached: {type(never).__name__}")
        except (httpx.UnsupportedProtocol, httpx.InvalidURL) as never:
            return Exchange(Outcome.NOT_SENT, why=f"no address: {type(never).__name__}")
        except httpx.HTTPError as silence:
            return Exchange(Outcome.UNKNOWN, why=f"no answer: {type(silence).__name__}")
        return _judged(status, content)

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
                if len(content) > LARGEST_ANSWER:
                    raise httpx.ReadError("the answer is too large", request=request)
        finally:
            answer.close()
        return answer.status_code, bytes(content)


def _judged(status: int, content: bytes) -> Exchange:
    """What the HTTP status alone says, before anybody reads the body."""
    if status == 429:
        return Exchange(Outcome.NOT_SENT, status, why="too many requests")
    if status in (401, 403):
        return Exchange(Outcome.REFUSED, status, why=f"HTTP {status}: they do not let us in")
    if status >= 500 or 300 <= status < 400:
        return Exchange(Outcome.UNKNOWN, status, why=f"HTTP {status}")
    return Exchange(Outcome.DONE, status, content)


class Heard(NamedTuple):
    """What came back: the answer's element, or how silent it was."""

    outcome: Outcome
    body: Xml.Element | None = None
    why: str = ""


class SoapService:
    """One SOAP 1.1 service at one address; one log line per call, without what was said."""

    def __init__(
        self, provider: str, url: str, *, timeout_seconds: Decimal, transport: httpx.BaseTransport | None
    ) -> None:
        self.provider, self.url = provider, url
        self.http = Http(timeout_seconds=timeout_seconds, transport=transport)

    def call(self, operation: Xml.Element, *, action: str) -> Heard:
        """Say it in an envelope and hear the element that answers it."""
        name = operation.tag.rpartition("}")[2]
        headers = {"Content-Type": "text/xml; charset=utf-8", "Accept": "text/xml", "SOAPAction": f'"{action}"'}
        told = self.http.send("POST", self.url, enveloped(operation), headers)
        heard = _opened(told.content, name) if told.outcome is Outcome.DONE else Heard(told.outcome, why=told.why)
        logger.info("{} {}: {} {}", self.provider, name, heard.outcome.value, heard.why)
        return heard


def node(name: str, content: str | Sequence[Xml.Element] = "") -> Xml.Element:
    """An element with text or with children; whatever is in the text is escaped when it is written."""
    made = Xml.Element(name)
    if isinstance(content, str):
        made.text = UNSAYABLE.sub("", content)
    else:
        made.extend(content)
    return made


def enveloped(operation: Xml.Element) -> bytes:
    """The operation in its envelope, as UTF-8."""
    envelope = node(f"{{{SOAP_11}}}Envelope", [node(f"{{{SOAP_11}}}Body", [operation])])
    return bytes(Xml.tostring(envelope, encoding="utf-8", xml_declaration=True))


def _opened(content: bytes, operation: str) -> Heard:
    """The answer to this operation. Faults, other people's envelopes and anything with a DTD tell nothing."""
    try:
        envelope: Xml.Element = Safe.fromstring(content, forbid_dtd=True)
    except DefusedXmlException as trap:
        return Heard(Outcome.UNKNOWN, why=f"an answer with a trap in it: {type(trap).__name__}")
    except (Xml.ParseError, ValueError, LookupError, RecursionError):
        return Heard(Outcome.UNKNOWN, why="an answer that is not XML")
    body = envelope.find("{*}Body")
    if body is None:
        return Heard(Outcome.UNKNOWN, why="an answer without a body")
    answer = body.find(f"{{*}}{operation}Response")
    if answer is None:
        return Heard(Outcome.UNKNOWN, why=f"no answer to the question: {text(body, 'faultstring') or 'no fault named'}")
    return Heard(Outcome.DONE, answer)


def text(place: Xml.Element | None, name: str) -> str:
    """The first element of this name below, as clean text; empty when there is none."""
    found = None if place is None else place.find(f".//{{*}}{name}")
    return "" if found is None else said(found.text)


def said(value: Any, longest: int = 300) -> str:
    """A stranger's word, fit to be kept: one line, printable, not endless."""
    if value is None or isinstance(value, bool | dict | list):
        return ""
    words = " ".join(str(value).split())
    return "".join(letter for letter in words if letter.isprintable())[:longest]


def plain(words: str) -> str:
    """TESLIM EDILDI, however it was written: theirs come with and without Turkish letters, large and small."""
    return words.translate(ASCII).upper()


def number_of(value: Any) -> str:
    """A carrier's parcel number; nothing when it does not look like one (they write 0 for none)."""
    number = said(value)
    return number if re.fullmatch(r"[A-Za-z0-9-]{1,40}", number) and number.strip("0") else ""


def istanbul_moment(day: str, hour: str = "") -> datetime | None:
    """Their wall clock in Istanbul as an instant; None when they wrote none that can be read."""
    on = _first_that_fits(day, DATES)
    # They write times as numbers too, without the leading zero: 93005.
    at = _first_that_fits(hour.zfill(6) if len(hour) == 5 and hour.isdigit() else hour, TIMES)
    if on is None:
        return None
    if at is not None:
        on = on.replace(hour=at.hour, minute=at.minute, second=at.second)
    try:
        return on.replace(tzinfo=ISTANBUL).astimezone(UTC)
    except OverflowError:
        return None


def _first_that_fits(written: str, patterns: tuple[str, ...]) -> datetime | None:
    for pattern in patterns:
        try:
            return datetime.strptime(written, pattern)  # noqa: DTZ007 (the zone is said by the caller)
        except ValueError:
            continue
    return None
