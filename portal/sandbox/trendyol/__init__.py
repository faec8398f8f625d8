"""Trendyol, played: packages, stock batches, limits, notifications. Everything of theirs is below /trendyol."""

from __future__ import annotations

from flask import Blueprint

from portal.sandbox.trendyol import api, control
from portal.sandbox.trendyol.books import Books
from portal.sandbox.trendyol.limits import Calls
from portal.sandbox.trendyol.rules import API_KEY, API_SECRET, SELLER_ID, WEBHOOK_PASSWORD, WEBHOOK_USER
from portal.sandbox.trendyol.shelf import Shelf
from portal.sandbox.trendyol.webhooks import start_trendyol_courier
from portal.sandbox.world import World

__all__ = [
    "API_KEY",
    "API_SECRET",
    "SELLER_ID",
    "WEBHOOK_PASSWORD",
    "WEBHOOK_USER",
    "blueprints",
    "start_trendyol_courier",
]


def blueprints(world: World) -> list[Blueprint]:
    """Their endpoints, and the levers beside them."""
    books, calls = Books(world, Shelf(world)), Calls()
    return [api.endpoints(world, books, calls), control.control(world, books, calls)]
