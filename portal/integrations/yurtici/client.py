"""SOAP to Yurtiçi Kargo: who we are goes into every call, into no log."""

from __future__ import annotations

from decimal import Decimal
from xml.etree.ElementTree import Element

import httpx

from portal.integrations.soap import Heard, SoapService, node

NAMESPACE = "http://yurticikargo.com.tr/ShippingOrderDispatcherServices"
SERVICE = "/ShippingOrderDispatcherServices"


class YurticiClient:
    """One contract. The credential decides who pays for the road; the base URL, sandbox or world.

    `base_url` ends before the service's name: https://ws.yurticikargo.com/KOPSWebServices
    """

    def __init__(
        self,
        *,
        base_url: str,
        user: str,
        password: str,
        timeout_seconds: Decimal = Decimal(10),
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.user, self.password = user, password
        self.service = SoapService(
            "yurtici", base_url.rstrip("/") + SERVICE, timeout_seconds=timeout_seconds, transport=transport
        )

    def ask(self, operation: str, content: list[Element], *, language_field: str = "userLanguage") -> Heard:
        """One operation. Only its own name carries the namespace; the fields are bare, as their samples have it."""
        who = [
            node("wsUserName", self.user),
            node("wsPassword", self.password),
            node(language_field, "TR"),
        ]
        return self.service.call(node(f"{{{NAMESPACE}}}{operation}", [*who, *content]), action="")
