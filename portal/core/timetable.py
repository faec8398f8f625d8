"""What the code itself does again and again, and how often unless somebody decides otherwise on the screen.

The rows are `portal.schedules`; this is only where a job says its name, its work and its first timing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple


class Periodic(NamedTuple):
    """A job: every so often, or daily at an Istanbul hour. Missed slots are caught up once unless said otherwise."""

    job: str
    run: Callable[[], object]
    every: timedelta
    at_hour: int | None = None
    catch_up: str = "ONCE"
    first_after: timedelta = timedelta(0)  # how long after the row is first made nothing is due

    @property
    def cron(self) -> str:
        """The timing as a cron line; empty for an interval."""
        return "" if self.at_hour is None else f"0 {self.at_hour} * * *"

    @property
    def every_seconds(self) -> int | None:
        """The timing as an interval; nothing for a cron line."""
        return int(self.every.total_seconds()) if self.at_hour is None else None
