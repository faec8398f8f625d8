"""The carriers, played: Yurtiçi and Aras over SOAP, Örnek Kargo over JSON with signed webhooks."""

from __future__ import annotations

from flask import Blueprint

from portal.sandbox.carriers import aras, mock, yurtici
from portal.sandbox.carriers.books import CARRIERS, Books, NotPossible
from portal.sandbox.carriers.control import control
from portal.sandbox.carriers.pages import pages
from portal.sandbox.carriers.webhooks import start_carrier_courier
from portal.sandbox.carriers.who import (
    ARAS_CUSTOMER_CODE,
    ARAS_PASSWORD,
    ARAS_USER,
    MOCK_TOKEN,
    MOCK_WEBHOOK_SECRET,
    YURTICI_PASSWORD,
    YURTICI_USER,
)
from portal.sandbox.world import World

__all__ = [
    "ARAS_CUSTOMER_CODE",
    "ARAS_PASSWORD",
    "ARAS_USER",
    "CARRIERS",
    "MOCK_TOKEN",
    "MOCK_WEBHOOK_SECRET",
    "YURTICI_PASSWORD",
    "YURTICI_USER",
    "Books",
    "NotPossible",
    "blueprints",
    "start_carrier_courier",
]


def blueprints(world: World) -> list[Blueprint]:
    """Every carrier's endpoints, and how a test or a person moves their parcels."""
    books = Books(world)
    return [
        yurtici.endpoints(world, books),
        aras.endpoints(world, books),
        mock.endpoints(world, books),
        control(world, books),
        pages(books),
    ]
