"""SOAP 1.1 from the other side: envelopes opened and answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree as Xml  # writes only: what comes in is read by defusedxml

from defusedxml import ElementTree as Safe
from flask import Response

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"


def opened(raw: bytes) -> Xml.Element | None:
    """The operation in an envelope, or None when there is none to be found."""
    try:
        envelope: Any = Safe.fromstring(raw, forbid_dtd=True)
    except (Xml.ParseError, ValueError, LookupError, RecursionError):
        return None
    body = envelope.find(f"{{{SOAP_11}}}Body")
    return None if body is None or not len(body) else body[0]


def name_of(operation: Xml.Element) -> str:
    """Without its namespace."""
    return operation.tag.rpartition("}")[2]


def field(place: Xml.Element, name: str) -> str:
    """The text of a direct child."""
    found = place.find(f"{{*}}{name}")
    return "" if found is None else (found.text or "").strip()


def fields(place: Xml.Element | None) -> dict[str, str]:
    """All direct children that are text."""
    return {name_of(child): (child.text or "").strip() for child in place or () if not len(child)}


def element(name: str, content: str | Sequence[Xml.Element] = "") -> Xml.Element:
    """An element with text or with children."""
    made = Xml.Element(name)
    if isinstance(content, str):
        made.text = content
    else:
        made.extend(content)
    return made


def elements(values: dict[str, str]) -> list[Xml.Element]:
    """A field each."""
    return [element(name, value) for name, value in values.items()]


def answered(operation: Xml.Element) -> Response:
    """The answer in its envelope. HTTP 200, whatever it says."""
    envelope = element(f"{{{SOAP_11}}}Envelope", [element(f"{{{SOAP_11}}}Body", [operation])])
    return Response(
        Xml.tostring(envelope, encoding="utf-8", xml_declaration=True), content_type="text/xml; charset=utf-8"
    )


def fault(words: str) -> Response:
    """A SOAP fault, which comes with HTTP 500."""
    trouble = element(f"{{{SOAP_11}}}Fault", elements({"faultcode": "soap:Client", "faultstring": words}))
    answer = answered(trouble)
    answer.status_code = 500
    return answer
