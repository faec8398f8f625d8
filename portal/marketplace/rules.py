"""How many pieces a package still needs. Pure; all numbers are pieces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from portal.marketplace.ports import PackageState

LINE_OVER = frozenset({PackageState.CANCELLED, PackageState.UNSUPPLIED, PackageState.RETURNED})
PACKAGE_OVER = LINE_OVER


class Part(NamedTuple):
    """One line, as far as pieces are concerned."""

    line_key: str
    item_id: int
    pieces: int
    state: str
    inherited: int = 0


def still_due(
    state: str, parts: Iterable[Part], *, superseded: bool, passed_on: Mapping[int, int], waits: bool
) -> dict[str, int] | None:
    """Pieces each line needs in all: set aside, taken, or inherited. None: leave everything as it is.

    What was split hands its pieces on: it needs what its successors (`passed_on`, by item) do not name yet, so that
    nothing is promised twice and nothing is free in between. `waits` is over when successors are hardly to be expected.
    """
    lines = list(parts)
    if state == PackageState.UNKNOWN:
        return None
    if state in PACKAGE_OVER or (state == PackageState.UNPACKED and not waits):
        return {line.line_key: 0 for line in lines}
    handed = Counter(passed_on) if superseded or state == PackageState.UNPACKED else Counter[int]()
    due = {}
    for line in lines:
        needed = 0 if line.state in LINE_OVER else line.pieces
        elsewhere = min(needed, handed[line.item_id])
        handed[line.item_id] -= elsewhere
        due[line.line_key] = needed - elsewhere
    return due


def to_come_back(covered: Mapping[int, int], passed_on: Mapping[int, int], due: Mapping[int, int]) -> Counter[int]:
    """Pieces by item that left their shelf for a package, went into none of its successors, and are not due any more."""
    rest = {item: pieces - passed_on.get(item, 0) - due.get(item, 0) for item, pieces in covered.items()}
    return Counter({item: pieces for item, pieces in rest.items() if pieces > 0})


def hand_down(parts: Iterable[Part], available: Mapping[int, int]) -> dict[str, int]:
    """Pieces of each line that were already taken for the package this one was made of."""
    left = Counter(available)
    given = {}
    for line in parts:
        given[line.line_key] = max(0, min(line.pieces, left[line.item_id]))
        left[line.item_id] -= given[line.line_key]
    return given
