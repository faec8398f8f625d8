"""What a visitor wants to see of the figures, and whether the stored months can tell it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from portal.core import clock, formats
from portal.core.database import db
from portal.core.errors import BadInput, NotFound, Refusal
from portal.receivables import months, sums
from portal.receivables.models import AgingFetch
from portal.receivables.ports import Side
from portal.receivables.queries.readings import current, fetch, overrides
from portal.receivables.rules import DEFAULT_MONTHS, MOST_MONTHS, Mode
from portal.receivables.states import FetchState
from portal.receivables.sums import View


class NoDataYet(Refusal):
    """Nothing was read from the ERP so far."""

    code = "no_data_yet"

    def __init__(self) -> None:
        super().__init__(_l("Nothing has been read from the ERP yet. Fetch the data first."), status="error")


class NeedsItsOwnReading(Refusal):
    """The day lies in the middle of a month we only have as a whole: the ERP has to be read as of that day."""

    code = "needs_its_own_reading"

    def __init__(self, as_of: date) -> None:
        super().__init__(
            _l("The figures as of %(day)s need a reading of their own.", day=formats.day(as_of)), status="error"
        )
        self.as_of = as_of


class OpenItemsNotOffered(Refusal):
    """The ERP's open items are absent or do not add up to the balances, or another day is asked for."""

    status = 422
    code = "open_items_not_offered"

    def __init__(self) -> None:
        super().__init__(
            _l("The view by open items is not offered for these data."),
            status="error",
            fields={"mode": _l("Choose fifo or net_signed.")},
        )


@dataclass(frozen=True)
class Window:
    """What a visitor wants to see: up to which day, which months in columns, and how payments close debts."""

    as_of: date
    shown: tuple[int, ...]
    mode: Mode = Mode.FIFO

    @classmethod
    def of(cls, start: date | None, end: date | None, mode: Mode = Mode.FIFO) -> Window:
        """From the first day to the last (default: the last four months up to today). Refuses nonsense by field."""
        today = clock.today()
        end = end or today
        last = months.month_of(end)
        first = months.month_of(start) if start else months.later(last, 1 - DEFAULT_MONTHS)
        for field, day in (("startDate", start), ("endDate", end)):
            if day is not None and not months.FIRST_YEAR <= day.year <= months.LAST_YEAR:
                raise BadInput(fields={field: _l("This year is not in the books.")})
        if first > last:
            raise BadInput(fields={"startDate": _l("The first day comes after the last.")})
        shown = months.run_of(first, last)
        if len(shown) > MOST_MONTHS:
            raise BadInput(fields={"startDate": _l("At most %(n)d months can be shown.", n=MOST_MONTHS)})
        return cls(min(end, today), shown, mode)


def view(side: Side, window: Window) -> View:
    """The figures for a window: the last good data, or a reading of that very day.

    Refuses with `NoDataYet`, with `NeedsItsOwnReading` when the day cannot be told from the months we keep, and
    with `OpenItemsNotOffered`.
    """
    good = current(side)
    found = good
    if good is None or (window.as_of < good.as_of_on and not _tells(good, window.as_of)):
        found = _reading_of(side, window.as_of)
    if found is None:
        raise NoDataYet if good is None else NeedsItsOwnReading(window.as_of)
    # A day after the reading is shown as far as it is known: as of the reading.
    as_of = min(window.as_of, found.as_of_on)
    if window.mode is Mode.OPEN_ITEM and not (found.open_items and as_of == found.as_of_on):
        raise OpenItemsNotOffered
    return View(found, as_of, window.shown, window.mode)


def doubted_view(fetch_id: int, window: Window) -> View:
    """The figures of a reading that does not reconcile, for somebody who has said why."""
    found = fetch(fetch_id)
    if found.state != FetchState.SUSPICIOUS or not found.months_kept or not overrides(fetch_id):
        raise NotFound
    shown = window.shown
    return View(found, found.as_of_on, shown, window.mode, doubted=True)


def _tells(fetch: AgingFetch, as_of: date) -> bool:
    if months.month_of(as_of) < months.month_of(fetch.as_of_on) and as_of == months.last_day(months.month_of(as_of)):
        return True
    return db.session.scalar(sums.straddles(fetch, as_of)) is None


def _reading_of(side: Side, as_of: date) -> AgingFetch | None:
    wanted = (
        select(AgingFetch)
        .where(
            AgingFetch.side == side.value,
            ~AgingFetch.live,
            AgingFetch.state == FetchState.DONE,
            AgingFetch.months_kept,
            AgingFetch.as_of_on == as_of,
        )
        .order_by(AgingFetch.id.desc())
        .limit(1)
    )
    return db.session.execute(wanted).scalar_one_or_none()
