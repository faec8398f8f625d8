"""Nilvera's e-despatch office, played. Everything of theirs is below /nilvera."""

from __future__ import annotations

from flask import Blueprint

from portal.sandbox.nilvera import api
from portal.sandbox.nilvera.books import Books
from portal.sandbox.world import World


def blueprints(world: World) -> list[Blueprint]:
    """Their endpoints, and the levers beside them."""
    books = Books(world)
    return [api.endpoints(world, books), api.levers(books)]
