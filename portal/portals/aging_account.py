"""One account: from which months its balance stems, its documents, and the reminder it may get."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import quote

from flask import render_template
from flask_babel import lazy_gettext as _l

from portal.accounts.guard import requires
from portal.accounts.roles import Permission
from portal.core import formats
from portal.core.errors import NotFound, Refusal
from portal.core.ports import port
from portal.core.web import Page, Paged
from portal.portals.aging_desk import Wanted, asked_for, bp, month_name, page_context, view_of
from portal.receivables import drill, kinds, months, queries
from portal.receivables.ports import LedgerSources, LedgerUnreadable, Side
from portal.receivables.rules import Mode
from portal.receivables.sums import View


@bp.get("/accounts/<int:account_id>")
@requires(Permission.AGING_SEE)
def account(account_id: int) -> str:
    """One account: from which months its balance stems, and the course it took."""
    card, side, wanted = _card(account_id)
    view = view_of(side, wanted.window)
    course = queries.course(view.fetch, account_id)
    return render_template(
        "aging/account.html",
        card=card,
        view=view,
        row=queries.row(view, account_id),
        course=_balances(course, view),
        not_yet=queries.not_yet(view.fetch, account_id),
        **page_context(side, queries.situation(side), wanted),
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
    view = view_of(side, wanted.window)
    if bucket != drill.BEFORE and bucket not in [str(month) for month in view.shown]:
        raise NotFound
    if view.mode is Mode.OPEN_ITEM:
        raise queries.OpenItemsNotOffered
    row = queries.row(view, account_id)
    amount = row.before if bucket == drill.BEFORE else row.shown[view.shown.index(int(bucket))]
    course = [found for found in queries.course(view.fetch, account_id) if found[0] <= months.month_of(view.as_of)]
    want = drill.needed(course, bucket, view.shown, amount, view.mode)
    context = {**page_context(side, queries.situation(side), wanted), "card": card, "view": view, "row": row}
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


@bp.app_template_filter("kind_name")
def kind_name(kind: str) -> str:
    """What a kind of document is called; its code stands beside it."""
    return kinds.name_of(kind)


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
    view = view_of(side, wanted.window)
    row = queries.row(view, account_id)
    if side is not Side.CUSTOMERS or row.balance <= 0 or view.doubted:
        raise NothingToRemind
    subject, text = _draft(card.name, row, view)
    mailto = f"mailto:{quote(card.email)}?subject={quote(subject)}&body={quote(text)}"
    context = page_context(side, queries.situation(side), wanted)
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


def _card(account_id: int) -> tuple[Any, Side, Wanted]:
    if account_id > 2**63 - 1:
        raise NotFound
    card = queries.account_of(account_id)
    return card, Side(card.side), asked_for()
