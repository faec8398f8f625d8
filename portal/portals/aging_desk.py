"""What every page of the accounts by age has in common: the address as a filter, and the head of the page."""

from __future__ import annotations

from typing import Any, NamedTuple

from babel.dates import format_date
from flask import Blueprint, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.accounts.guard import may
from portal.accounts.roles import Permission
from portal.core import clock, formats, i18n
from portal.core.errors import BadInput, NotFound
from portal.core.web import choice, search_words
from portal.receivables import export, months, queries
from portal.receivables.models import AgingFetch
from portal.receivables.ports import REASONS, Reason, Side
from portal.receivables.queries import Filter, Who, Window
from portal.receivables.rules import DEFAULT_MONTHS, MOST_MONTHS, Mode
from portal.receivables.states import CHECK_NAMES, NUMBERS, STEP_NAMES
from portal.receivables.sums import View

bp = Blueprint("aging", __name__, url_prefix="/finance/aging")

SIDES = {"customers": Side.CUSTOMERS, "suppliers": Side.SUPPLIERS}
WORDS = {side: word for word, side in SIDES.items()}
SORTS = ("code", "name", "balance", "before", "later", *(f"m{place}" for place in range(1, MOST_MONTHS + 1)))
WHO_NAMES = {
    Who.ALL: _l("All accounts"),
    Who.OWING: _l("With a debt"),
    Who.OLD: _l("With an old debt"),
    Who.CREDIT: _l("In credit"),
}
MODE_SHORT = {
    Mode.FIFO: _l("Oldest first (fifo)"),
    Mode.NET_SIGNED: _l("Month by month (net_signed)"),
    Mode.OPEN_ITEM: _l("Open items (open_item)"),
}
KEPT = ("as_of", "months", "mode", "data")  # what a link from the list to an account carries along


class Wanted(NamedTuple):
    """What the address asks for, and which of its fields could not be read."""

    window: Window
    filter: Filter
    errors: dict[str, Any]


def page_context(side: Side, situation: queries.Situation, wanted: Wanted) -> dict[str, Any]:
    """What a list and an account say about themselves."""
    return {
        "side": side,
        "word": WORDS[side],
        "title": export.SIDE_NAMES[side],
        "wanted": wanted,
        "who_names": WHO_NAMES,
        "mode_names": export.MODE_NAMES,
        "mode_short": MODE_SHORT,
        "month_name": month_name,
        "keep": {name: value for name in KEPT if (value := request.args.get(name))},
        **state_of(side, situation),
    }


def state_of(side: Side, situation: queries.Situation) -> dict[str, Any]:
    """What the head of every page says about its data."""
    current, doubted = situation.current, situation.doubted
    said = queries.reasons(*[found.id for found in (current, doubted) if found])
    return {
        "side": side,
        "word": WORDS[side],
        "situation": situation,
        "reasons": [reason for reason in said if doubted and reason.fetch_id == doubted.id],
        "notes": [reason for reason in said if current and reason.fetch_id == current.id],
        "check_names": CHECK_NAMES,
        "check_numbers": NUMBERS,
        "step_names": STEP_NAMES,
        "basis_names": export.BASIS_NAMES,
        "why": why,
        "age_days": _age_days(situation.current),
    }


def asked_for() -> Wanted:
    """The address as a filter; what cannot be read is said, and the usual is shown."""
    errors: dict[str, Any] = {}
    mode = Mode(choice("mode", list(Mode), Mode.FIFO))
    try:
        window = _window(mode)
    except BadInput as wrong:
        window, errors = Window.of(None, None, mode), {"as_of": next(iter(wrong.fields.values()), wrong.message)}
    found = Filter(
        words=search_words(),
        who=Who(choice("who", list(Who))),
        sort=choice("sort", SORTS, "balance"),
        descending=choice("dir", ("asc", "desc"), "desc") == "desc",
    )
    return Wanted(window, found, errors)


def _window(mode: Mode) -> Window:
    typed = request.args.get("as_of", "").strip()
    as_of = formats.read_day(typed[:20], "as_of") if typed else clock.today()
    count = int(choice("months", [str(n) for n in range(1, MOST_MONTHS + 1)], str(DEFAULT_MONTHS)))
    if not months.FIRST_YEAR < as_of.year < months.LAST_YEAR:
        raise BadInput(fields={"as_of": _l("This year is not in the books.")})
    return Window.of(months.first_day(months.later(months.month_of(as_of), 1 - count)), as_of, mode)


def view_of(side: Side, window: Window) -> View:
    """The good data; or doubted ones, for somebody who may and has said why."""
    doubted = request.args.get("data", "")
    if doubted.isascii() and doubted.isdigit() and len(doubted) < 10:
        if not may(Permission.AGING_OVERRIDE):
            raise NotFound
        view = queries.doubted_view(int(doubted), window)
        if view.fetch.side != side.value:
            raise NotFound
        return view
    return queries.view(side, window)


def why(found: AgingFetch) -> str:
    """Why a reading failed, in the reader's language."""
    if found.failure in list(Reason):
        return str(REASONS[Reason(found.failure)])
    return _(found.note) if found.note else ""


def _age_days(found: AgingFetch | None) -> int:
    return 0 if found is None or found.read_at is None else (clock.today() - clock.day_of(found.read_at)).days


def month_name(month: int, language: str | None = None) -> str:
    """Şub 25, in the reader's language."""
    return format_date(months.first_day(month), "MMM yy", locale=language or i18n.language())
