"""The moving part of the packing screen: what it shows, for the page and for whoever asks whether it has changed."""

from __future__ import annotations

import uuid
from typing import Any

from flask import request

from portal.core import clock
from portal.packing import queries
from portal.packing.states import PACKING, STILL_TO_PACK, VERDICT_WORDS
from portal.stock import queries as stock_queries


def board_of(now: queries.Board) -> dict[str, Any]:
    """What the moving part of the screen needs."""
    active = key_of(request.args.get("parcel"))
    box = next((b for b in now.boxes if b.id == active), now.boxes[-1])
    items = [line.item_id for line in now.lines if line.item_id is not None]
    return {
        "board": now,
        "task": now.task,
        "active": box,
        "shelves": stock_queries.shelves_of(items) if items else {},
        "machine": PACKING,
        "verdicts": VERDICT_WORDS,
        "is_open": now.task.state in STILL_TO_PACK,
        "today": clock.today(),
    }


def key_of(text: str | None) -> uuid.UUID | None:
    """A device's own id of a scan or a box, or nothing where it is none."""
    try:
        return uuid.UUID(text or "")
    except ValueError:
        return None
