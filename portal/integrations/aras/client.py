"""SOAP to Aras Kargo: one service takes orders, another one is asked where parcels are."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from xml.etree import ElementTree as Xml  # writes only: what comes in is read by defusedxml

import httpx

from portal.integrations.soap import Heard, SoapService, node

NAMESPACE = "http://tempuri.org/"


class ArasClient:
    """One contract. Both URLs are whole: .../arascargoservice.asmx and .../ArasCargoIntegrationService.svc"""

    def __init__(
        self,
        *,
        order_url: str,
        query_url: str,
        user: str,
        password: str,
        customer_code: str,
        timeout_seconds: Decimal = Decimal(10),
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.user, self.password, self.customer_code = user, password, customer_code
        self.orders = SoapService("aras", order_url, timeout_seconds=timeout_seconds, transport=transport)
        self.queries = SoapService("aras", query_url, timeout_seconds=timeout_seconds, transport=transport)

    def order(self, operation: str, content: list[Xml.Element]) -> Heard:
        """An operation of the order service, with who we are beside it."""
        who = [theirs("userName", self.user), theirs("password", self.password)]
        return self.orders.call(theirs(operation, [*content, *who]), action=f"{NAMESPACE}{operation}")

    def query(self, query_type: int, asked: dict[str, str]) -> Heard:
        """A question. Theirs are XML written into text fields of the SOAP call."""
        login = {"UserName": self.user, "Password": self.password, "CustomerCode": self.customer_code}
        question = {"QueryType": str(query_type), **asked}
        content = [
            theirs("loginInfo", _as_text("LoginInfo", login)),
            theirs("queryInfo", _as_text("QueryInfo", question)),
        ]
        action = f"{NAMESPACE}IArasCargoIntegrationService/GetQueryJSON"
        return self.queries.call(theirs("GetQueryJSON", content), action=action)


def theirs(name: str, content: str | Sequence[Xml.Element] = "") -> Xml.Element:
    """An element in their namespace."""
    return node(f"{{{NAMESPACE}}}{name}", content)


def _as_text(name: str, fields: dict[str, str]) -> str:
    inside = node(name, [node(field, value) for field, value in fields.items()])
    return Xml.tostring(inside, encoding="unicode")
