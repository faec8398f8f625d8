"""How patient we are, and what could be oversold. Pure; quantities are pieces, times are seconds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

# A rejected barcode is tried again after these waits, then it is left to an operator.
RETRY_SECONDS = (60, 300, 900, 3600, 14_400)
# A batch's result is asked for after these waits; the last one goes on until they have forgotten it.
POLL_SECONDS = (2, 5, 15, 60, 300, 600)
# A storefront that does not answer, or refuses, is left alone for so long.
PAUSE_SECONDS = (5, 15, 60, 300, 600)
# Asked what they believe and not answered: again after these waits, then the number is simply said again.
ASK_AGAIN_SECONDS = (5, 30, 120)


def patience(waits: Sequence[int], tries: int) -> int:
    """Seconds to wait after so many tries; the last wait goes on."""
    assert tries > 0
    return waits[min(tries, len(waits)) - 1]


def digest_of(quantities: Iterable[tuple[str, int]]) -> str:
    """What makes two bodies the same to them, whatever the order of the list: barcodes without spaces, and pieces."""
    said = sorted(("".join(barcode.split()), quantity) for barcode, quantity in quantities)
    return hashlib.sha256(repr(said).encode()).hexdigest()


def batch_size(wanted: int, cap: int, failures: int) -> int:
    """Items in the next batch. After refusals of the whole it shrinks (100, 10, 1), until the item at fault is alone."""
    return int(max(1, min(wanted, cap) // 10 ** min(failures, 6)))


def exposure(free: int, may_believe: Iterable[int]) -> int:
    """Oversell exposure of an item, in pieces: what storefronts may sell in all beyond what is free now.

    Per storefront counts the highest number it may believe: what it is known to believe, or any number still on its
    way to it. Nothing is free below zero: pieces already promised twice are oversold, not exposed. Two storefronts
    that are both told the same five pieces may sell ten: that is an exposure of five, and safety stock answers it.
    """
    return max(0, sum(may_believe) - max(0, free))
