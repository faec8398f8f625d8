"""N11, played: packages by page, tasks for stock. Everything of theirs is below /n11."""

from __future__ import annotations

from flask import Blueprint

from portal.sandbox.n11 import api, control
from portal.sandbox.n11.books import APP_KEY, APP_SECRET, Books
from portal.sandbox.world import World

__all__ = ["APP_KEY", "APP_SECRET", "blueprints"]


def blueprints(world: World) -> list[Blueprint]:
    """Their endpoints, and the levers beside them."""
    books = Books(world)
    return [api.endpoints(world, books), control.control(books)]
