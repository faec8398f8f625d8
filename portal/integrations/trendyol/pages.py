"""Where we are between two pages: which window is read, how far, and what comes after it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import astuple, dataclass, replace

from portal.core.errors import BadInput

WINDOW_MS = 14 * 24 * 60 * 60 * 1000  # of one question
PAGE_SIZE = 200


@dataclass(frozen=True)
class Place:
    """A window of a longer span, and a place in it: their cursor, or a page number. Milliseconds of theirs.

    Windows touch: what changed in the very millisecond between two is told twice rather than never.
    """

    stream: bool
    from_ms: int
    to_ms: int
    until_ms: int
    token: str = ""
    page: int = 0

    @classmethod
    def first(cls, from_ms: int, until_ms: int, *, stream: bool) -> Place:
        """The beginning of the first window."""
        return cls(stream, from_ms, min(from_ms + WINDOW_MS, until_ms), until_ms)

    @classmethod
    def read(cls, cursor: str) -> Place:
        """As `written`."""
        try:
            return cls(*json.loads(cursor))
        except (TypeError, ValueError):
            raise BadInput from None

    def written(self) -> str:
        """For whoever asks for the next page."""
        return json.dumps(astuple(self), separators=(",", ":"))

    def next_window(self) -> str:
        """The cursor of the window after this one; empty when the span has been read."""
        if self.to_ms >= self.until_ms:
            return ""
        return Place.first(self.to_ms, self.until_ms, stream=self.stream).written()

    def halves(self) -> Place | None:
        """A window half as long; None when it cannot be cut."""
        middle = (self.from_ms + self.to_ms) // 2
        return replace(self, to_ms=middle, page=0) if middle > self.from_ms else None

    def after(self, last_ms: int) -> str:
        """The next page of a list that is ordered by change.

        Asked from the last change on instead of by its number: a package that changes meanwhile moves to the end,
        the others move up, and whoever counts pages misses the one that moved over the edge.
        """
        if last_ms > self.from_ms:
            return replace(self, from_ms=last_ms, page=0).written()
        return replace(self, page=self.page + 1).written()

    def stream_params(self) -> dict[str, str | int]:
        """Their question for the stream; the same every time, or they refuse the cursor."""
        window: dict[str, str | int] = {"lastModifiedStartDate": self.from_ms, "lastModifiedEndDate": self.to_ms}
        return {**window, "size": PAGE_SIZE, **({"nextCursor": self.token} if self.token else {})}

    def list_params(self) -> dict[str, str | int]:
        """Their question for the list."""
        return {
            "startDate": self.from_ms,
            "endDate": self.to_ms,
            "page": self.page,
            "size": PAGE_SIZE,
            "orderByField": "PackageLastModifiedDate",
            "orderByDirection": "ASC",
        }


def windows_back(now_ms: int, days: int) -> Iterator[tuple[int, int]]:
    """The last so many days in windows, newest first."""
    until, oldest = now_ms, now_ms - days * 24 * 60 * 60 * 1000
    while until > oldest:
        start = max(until - WINDOW_MS, oldest)
        yield start, until
        until = start
