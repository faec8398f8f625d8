"""What may be promised and what may be sold. Pure; all numbers are pieces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Level(NamedTuple):
    """What is on hand, promised, and held back from marketplaces."""

    qty: int
    reserved: int
    safety: int = 0

    @property
    def free(self) -> int:
        """What may still be promised to one of our own buyers."""
        return max(0, self.qty - self.reserved)

    @property
    def available(self) -> int:
        """What marketplaces may sell: on hand, less promised, less safety, never below zero."""
        return max(0, self.qty - self.reserved - self.safety)

    @property
    def oversold(self) -> int:
        """Oversell exposure: pieces promised that are not there."""
        return max(0, self.reserved - self.qty)


def exposure_after(level: Level, marketplace_believes: int) -> int:
    """How many pieces would be oversold if a marketplace sold everything it believes we have."""
    return max(0, level.reserved + marketplace_believes - level.qty)


def picks(wanted: int, on_shelves: Mapping[int, int]) -> dict[int, int]:
    """Pieces to take from each shelf: all from the shelf with the fewest that suffice, else the fullest ones first.

    Few steps for the packer, and small rests disappear. Takes what there is when that is not enough.
    """
    enough = [(qty, shelf) for shelf, qty in on_shelves.items() if qty >= wanted]
    if enough:
        return {min(enough)[1]: wanted}
    chosen: dict[int, int] = {}
    for shelf, qty in sorted(on_shelves.items(), key=lambda place: (-place[1], place[0])):
        if part := min(qty, wanted - sum(chosen.values())):
            chosen[shelf] = part
    return chosen
