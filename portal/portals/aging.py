"""Finance's accounts by age: customers and suppliers, from the ERP's ledger to the single document."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple
from urllib.parse import quote

from babel.dates import format_date
from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as AnyResponse

from portal.accounts.guard import current_actor, may, requires
from portal.accounts.roles import Permission
from portal.core import clock, formats, i18n
from portal.core.errors import BadInput, NotFound, Refusal
from portal.core.ports import port
from portal.core.unit_of_work import atomic
from portal.core.web import Page, Paged, choice, paged, region, search_words, wants_region
from portal.portals.aging_api import spreadsheet
from portal.receivables import drill, export, months, queries
from portal.receivables import services as receivables
from portal.receivables.models import AgingFetch
from portal.receivables.ports import REASONS, LedgerSources, LedgerUnreadable, Reason, Side
from portal.receivables.queries import Change, Filter, Who, Window
from portal.receivables.rules import DEFAULT_MONTHS, MOST_MONTHS, Mode
from portal.receivables.states import CHECK_NAMES, FETCH, NUMBERS, STEP_NAMES, FetchState
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
WEEK = timedelta(days=7)


class Wanted(NamedTuple):
    """What the address asks for, and which of its fields could not be read."""

    window: Window
    filter: Filter
    errors: dict[str, Any]


# The list ---------------------------------------------------------------------------------------------------


@bp.get("")
@requires(Permission.AGING_SEE)
def customers() -> tuple[str, int]:
    """Customers by age."""
    return _list(Side.CUSTOMERS)


@bp.get("/suppliers")
@requires(Permission.AGING_SEE)
def suppliers() -> tuple[str, int]:
    """Suppliers by age: the mirror image."""
    return _list(Side.SUPPLIERS)


def _list(side: Side) -> tuple[str, int]:
    wanted = _wanted()
    situation = queries.situation(side)
    context = _context(side, situation, wanted)
    try:
        view = _view(side, wanted.window)
    except queries.NeedsItsOwnReading as reading:
        return render_template("aging/list.html", **context, view=None, needs=reading.as_of), 200
    except queries.NoDataYet:
        return render_template("aging/list.html", **context, view=None, needs=None), 200
    totals = queries.totals(view, wanted.filter)
    rows = queries.rows(view, wanted.filter, Page.wanted(), totals.accounts)
    return (
        render_template("aging/list.html", **context, view=view, needs=None, rows=rows, totals=totals),
        422 if wanted.errors else 200,
    )


def _context(side: Side, situation: queries.Situation, wanted: Wanted) -> dict[str, Any]:
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
        **_state_of(side, situation),
    }


def _state_of(side: Side, situation: queries.Situation) -> dict[str, Any]:
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


def _wanted() -> Wanted:
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


def _view(side: Side, window: Window) -> View:
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


@bp.get("/<any(customers, suppliers):word>/export")
@requires(Permission.AGING_SEE)
def export_xlsx(word: str) -> Response:
    """The filtered list as a spreadsheet."""
    side, wanted = SIDES[word], _wanted()
    return spreadsheet(side, _view(side, wanted.window), wanted.filter)


# Reading the ERP --------------------------------------------------------------------------------------------


@bp.post("/<any(customers, suppliers):word>/fetches")
@requires(Permission.AGING_FETCH)
def fetch(word: str) -> AnyResponse:
    """ "Anlık Veri Çek": ask for a reading now, or as of a past day. A second click finds the first one's reading."""
    side, typed = SIDES[word], request.form.get("as_of", "").strip()
    as_of = formats.read_day(typed[:20], "as_of") if typed else clock.today()
    with atomic():
        asked = receivables.ask(side, as_of, live=not typed, by=current_actor())
    page = url_for(".progress", fetch_id=asked.id, back=typed or None)
    return region("aging/_state.html", page=page, **_state_of(side, queries.situation(side)))


@bp.get("/fetches/<int:fetch_id>")
@requires(Permission.AGING_SEE)
def progress(fetch_id: int) -> AnyResponse | str:
    """How far a reading is; looks again by itself until it has ended."""
    found = queries.fetch(_known(fetch_id))
    side = Side(found.side)
    context = _state_of(side, queries.situation(side))
    if not wants_region():
        return render_template("aging/progress.html", fetch=found, machine=FETCH, **context)
    answer = Response(render_template("aging/_state.html", **context), mimetype="text/html")
    if found.state == FetchState.DONE:
        answer.headers["HX-Refresh"] = "true"  # the figures behind it are new
    return answer


@bp.get("/<any(customers, suppliers):word>/fetches")
@requires(Permission.AGING_SEE)
def fetch_list(word: str) -> str:
    """Every reading: when, by whom, how it ended."""
    side = SIDES[word]
    rows = paged(queries.fetches(side))
    return render_template("aging/fetches.html", rows=rows, machine=FETCH, **_state_of(side, queries.situation(side)))


@bp.post("/fetches/<int:fetch_id>/look")
@requires(Permission.AGING_OVERRIDE)
def look(fetch_id: int) -> AnyResponse:
    """Look at figures that do not reconcile, for a reason that is kept."""
    with atomic():
        receivables.look_anyway(_known(fetch_id), by=current_actor(), because=request.form.get("because", ""))
    side = Side(queries.fetch(fetch_id).side)
    return region("", page=url_for(f".{WORDS[side]}", data=fetch_id))


def _known(fetch_id: int) -> int:
    if fetch_id > 2**31 - 1:
        raise NotFound
    return fetch_id


def why(found: AgingFetch) -> str:
    """Why a reading failed, in the reader's language."""
    if found.failure in list(Reason):
        return str(REASONS[Reason(found.failure)])
    return _(found.note) if found.note else ""


def _age_days(found: AgingFetch | None) -> int:
    return 0 if found is None or found.read_at is None else (clock.today() - clock.day_of(found.read_at)).days


# One account ------------------------------------------------------------------------------------------------


@bp.get("/accounts/<int:account_id>")
@requires(Permission.AGING_SEE)
def account(account_id: int) -> str:
    """One account: from which months its balance stems, and the course it took."""
    card, side, wanted = _card(account_id)
    view = _view(side, wanted.window)
    course = queries.course(view.fetch, account_id)
    return render_template(
        "aging/account.html",
        card=card,
        view=view,
        row=queries.row(view, account_id),
        course=_balances(course, view),
        not_yet=queries.not_yet(view.fetch, account_id),
        **_context(side, queries.situation(side), wanted),
    )


class BalanceAt(NamedTuple):
    """An account's balance at the end of a month, in kuruş."""

    month: int
    balance: int


def _balances(course: list[tuple[int, int, int]], view: View) -> list[BalanceAt]:
    """The last two years, month by month; months without movement keep the balance."""
    last = months.month_of(view.as_of)
    moved = {month: owed - paid for month, owed, paid in course if month <= last}
    shown = months.up_to(last, 24)
    balance = sum(net for month, net in moved.items() if month < shown[0])
    found = []
    for month in shown:
        balance += moved.get(month, 0)
        found.append(BalanceAt(month, balance))
    return found


class Line(NamedTuple):
    """The course of a balance as a drawing of 480 by 160: points, the area below, and where zero is."""

    points: str
    area: str
    zero: int
    last: tuple[int, int]
    most: int


@bp.app_template_filter("polyline")
def polyline(course: list[BalanceAt]) -> Line:
    """Made here rather than in the browser: it prints, it follows the theme, and it needs no script."""
    most, least = max(point.balance for point in course), min(point.balance for point in course)
    top, bottom = max(most, 0), min(least, 0)
    height = max(top - bottom, 1)
    places = [
        (4 + 472 * n // max(len(course) - 1, 1), 8 + 144 * (top - point.balance) // height)
        for n, point in enumerate(course)
    ]
    zero = 8 + 144 * top // height
    drawn = " ".join(f"{x},{y}" for x, y in places)
    return Line(drawn, f"{places[0][0]},{zero} {drawn} {places[-1][0]},{zero}", zero, places[-1], most)


@bp.app_template_filter("buckets")
def buckets(view: View, row: queries.Row) -> list[tuple[str, int, int]]:
    """(name, kuruş, month) of the shown months."""
    return [(month_name(month), kurus, month) for month, kurus in zip(view.shown, row.shown, strict=True)]


@bp.app_template_filter("map_months")
def map_months(shown: tuple[int, ...]) -> list[str]:
    """The names of months."""
    return [month_name(month) for month in shown]


@bp.get("/accounts/<int:account_id>/documents/<bucket>")
@requires(Permission.AGING_SEE)
def documents(account_id: int, bucket: str) -> tuple[str, int]:
    """The documents a bucket is made of, asked of the ERP now; their open parts add up to it."""
    card, side, wanted = _card(account_id)
    view = _view(side, wanted.window)
    if bucket != drill.BEFORE and bucket not in [str(month) for month in view.shown]:
        raise NotFound
    if view.mode is Mode.OPEN_ITEM:
        raise queries.OpenItemsNotOffered
    row = queries.row(view, account_id)
    amount = row.before if bucket == drill.BEFORE else row.shown[view.shown.index(int(bucket))]
    course = [found for found in queries.course(view.fetch, account_id) if found[0] <= months.month_of(view.as_of)]
    want = drill.needed(course, bucket, view.shown, amount, view.mode)
    context = {**_context(side, queries.situation(side), wanted), "card": card, "view": view, "row": row}
    context |= {"bucket": bucket, "amount": amount}
    try:
        parts = _parts(card.code, side, view, want, amount)
    except (LedgerUnreadable, drill.LedgerMovedOn) as trouble:
        return render_template("aging/documents.html", **context, parts=None, trouble=trouble.message), trouble.status
    listed = [part for part in parts if part.open]
    assert sum(part.open for part in listed) == amount, "documents that are not their bucket"
    wanted_page = Page.wanted()
    first = (wanted_page.number - 1) * wanted_page.size
    page = Paged(listed[first : first + wanted_page.size], wanted_page, len(listed))
    closed = len(parts) - len(listed)
    return render_template("aging/documents.html", **context, parts=listed, page=page, closed=closed, trouble=None), 200


def _parts(code: str, side: Side, view: View, want: drill.Needed, amount: int) -> list[drill.Part]:
    if not want.months:
        return []
    days = tuple(None if month == months.CARRIED_IN else months.first_day(month) for month in want.months)
    as_of, mode = view.as_of, view.mode
    found = port(LedgerSources).of(side).documents(code, days, as_of)
    return drill.parts(found, want, amount, side=side, mode=mode)


@bp.get("/accounts/<int:account_id>/letter")
@requires(Permission.AGING_SEE)
def letter(account_id: int) -> str:
    """A reminder to an account that owes, as a draft: a person reads it before it goes."""
    card, side, wanted = _card(account_id)
    view = _view(side, wanted.window)
    row = queries.row(view, account_id)
    if side is not Side.CUSTOMERS or row.balance <= 0 or view.doubted:
        raise NothingToRemind
    subject, text = _draft(card.name, row, view)
    mailto = f"mailto:{quote(card.email)}?subject={quote(subject)}&body={quote(text)}"
    context = _context(side, queries.situation(side), wanted)
    return render_template(
        "aging/letter.html", card=card, view=view, row=row, subject=subject, text=text, mailto=mailto, **context
    )


class NothingToRemind(Refusal):
    """Only a customer who owes is reminded, and only on figures that reconcile."""

    code = "nothing_to_remind"

    def __init__(self) -> None:
        super().__init__(_l("There is nothing to remind of here."))


def _draft(name: str, row: queries.Row, view: View) -> tuple[str, str]:
    """Subject and text in Turkish, the customer's language."""
    day, total = formats.day(view.as_of), formats.money(row.balance, language="tr")
    buckets = [("Öncesi", row.before), *((month_name(m, "tr"), k) for m, k in zip(view.shown, row.shown, strict=True))]
    lines = "\n".join(f"  {label:<8}{formats.money(kurus, language='tr'):>22}" for label, kurus in buckets if kurus)
    text = render_template("aging/letter.txt", name=name, day=day, total=total, lines=lines)
    return f"Cari hesap bakiyeniz ({day}): {total}", text


def month_name(month: int, language: str | None = None) -> str:
    """Şub 25, in the reader's language."""
    return format_date(months.first_day(month), "MMM yy", locale=language or i18n.language())


def _card(account_id: int) -> tuple[Any, Side, Wanted]:
    if account_id > 2**63 - 1:
        raise NotFound
    card = queries.account_of(account_id)
    return card, Side(card.side), _wanted()


# Since last week --------------------------------------------------------------------------------------------


@bp.get("/<any(customers, suppliers):word>/changes")
@requires(Permission.AGING_SEE)
def changes(word: str) -> str:
    """What changed since last week, or since any reading that is kept."""
    side = SIDES[word]
    situation = queries.situation(side)
    readings = queries.good_readings(side)
    then = _then(side, readings)
    rows = None
    if situation.current and then and then.id != situation.current.id:
        rows = paged(queries.changes(situation.current, then), row=Change)
    return render_template(
        "aging/changes.html",
        rows=rows,
        then=then,
        readings=[found for found in readings if not found.is_current],
        title=export.SIDE_NAMES[side],
        **_state_of(side, situation),
    )


def _then(side: Side, readings: list[AgingFetch]) -> AgingFetch | None:
    chosen = request.args.get("since", "")
    found = next((reading for reading in readings if str(reading.id) == chosen), None)
    return found or queries.reading_before(side, clock.now() - WEEK)
