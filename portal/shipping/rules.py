"""When silence becomes consent: a pure date."""

from __future__ import annotations

from datetime import date, timedelta


def last_day_to_object(delivered_on: date, acceptance_days: int) -> date:
    """The buyer may object until the end of this Istanbul day; the parcel counts as accepted the day after."""
    return delivered_on + timedelta(days=acceptance_days)
