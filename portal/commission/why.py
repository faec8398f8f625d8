"""Why is this amount so? From the order line to what is still owed, each step with the figure it rests on."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from flask_babel import gettext as _

from portal.commission import overview, queries
from portal.commission.models import CommissionLedgerEntry, CommissionPolicy, CommissionSnapshot, Deal
from portal.commission.queries import LineRow
from portal.commission.rules import PERCENT_STEPS
from portal.commission.states import ENTRY_WORDS, ROLE_WORDS, ROUNDING_WORDS, SOURCE_WORDS, Method
from portal.core import formats
from portal.core.formats import money, percent
from portal.core.i18n import told

WIDE = 400  # the picture's width in its own units


class Step(NamedTuple):
    """One step of the explanation; the amount in kuruş (None: words only)."""

    title: str
    text: str
    minor: int | None
    kind: str = ""  # order, base, pool, share, entry, left


class Bar(NamedTuple):
    """One bar of the waterfall, in parts of the picture's width."""

    label: str
    minor: int
    x: int
    width: int
    tone: str


class Why(NamedTuple):
    """Everything behind one line."""

    row: LineRow
    snapshot: CommissionSnapshot
    deal: Deal
    policy: CommissionPolicy
    steps: list[Step]
    bars: list[Bar]
    outstanding: int


def why(row: LineRow) -> Why:
    """The chain of one line, and its picture."""
    snapshot = queries.one(CommissionSnapshot, row.line.snapshot_id)
    deal, policy = queries.one(Deal, snapshot.deal_id), queries.one(CommissionPolicy, snapshot.policy_id)
    entries = overview.entries_of_line(row.line.id)
    left = sum(_signed(entry) for entry in entries)
    steps = [
        *_order(snapshot),
        _base(snapshot),
        _pool(snapshot, policy),
        _share(row, snapshot),
        *(_entry(entry) for entry in entries),
        Step(_("Outstanding"), _("What is still owed of this line"), left, "left"),
    ]
    return Why(row, snapshot, deal, policy, steps, _bars(snapshot, row, entries, left), left)


def _order(snapshot: CommissionSnapshot) -> list[Step]:
    order = snapshot.facts.get("order") or {}
    back = order.get("given_back_minor") or 0
    reduced = (
        [Step(_("Given back to the buyer"), _("Beyond the price of whole pieces"), -back, "order")] if back else []
    )
    pieces = [
        Step(
            line["name"],
            _(
                "Order %(number)s: %(n)d pieces × %(price)s",
                number=order["number"],
                n=line["pieces"],
                price=money(line["unit_price_minor"]),
            ),
            line["minor"],
            "order",
        )
        for line in order.get("lines", [])
    ]
    return [*pieces, *reduced]


def _base(snapshot: CommissionSnapshot) -> Step:
    where = str(SOURCE_WORDS[snapshot.base_source])
    return Step(_("Base amount"), _("Taken from %(where)s", where=where), snapshot.base_amount_minor, "base")


def _pool(snapshot: CommissionSnapshot, policy: CommissionPolicy) -> Step:
    if policy.method == Method.FIXED:
        text = _("A fixed amount per deal")
    else:
        assert policy.percent is not None and policy.rounding_rule is not None
        exact = Decimal(snapshot.base_amount_minor * int(policy.percent * PERCENT_STEPS)) / (100 * PERCENT_STEPS * 100)
        text = _(
            "%(rate)s of it is %(exact)s ₺; %(rule)s",
            rate=formats.rate(policy.percent),
            exact=formats.exactly(exact),
            rule=str(ROUNDING_WORDS[policy.rounding_rule]),
        )
    return Step(_("Pool: %(policy)s", policy=policy.name), text, snapshot.pool_amount_minor, "pool")


def _share(row: LineRow, snapshot: CommissionSnapshot) -> Step:
    line = row.line
    who = row.person or _("SYSTEM: what nobody has a claim to")
    part = str(ROLE_WORDS[line.role]) if line.role else _("by name")
    players = len(snapshot.facts["cast"].get(line.role, [])) if line.role else 1
    exact = Fraction(snapshot.pool_amount_minor * line.share_bps, 10_000 * max(1, players))
    text = _("%(part)s: %(share)s of the pool", part=part, share=percent(Decimal(line.share_bps) / 100))
    if players > 1:
        text += " " + _("shared by %(n)d", n=players)
    if exact != line.amount_minor and line.person_id is not None:
        text += " · " + _("the last kuruş goes to the largest remainder")
    return Step(who, text, line.amount_minor, "share")


def _entry(entry: CommissionLedgerEntry) -> Step:
    text = f"{formats.day(entry.effective_on)} · {told(entry.because)}"
    return Step(str(ENTRY_WORDS[entry.type]), text, _signed(entry), "entry")


def _signed(entry: CommissionLedgerEntry) -> int:
    return entry.amount_minor if entry.direction == "CREDIT" else -entry.amount_minor


def _bars(snapshot: CommissionSnapshot, row: LineRow, entries: list[CommissionLedgerEntry], left: int) -> list[Bar]:
    """The pool, what others get of it, this share, and what became of it: each bar begins where the last one ended."""
    pool, mine = snapshot.pool_amount_minor, row.line.amount_minor
    whole = max(pool, mine + sum(max(0, _signed(e)) for e in entries if e.type != "EARN"), 1)
    bars = [
        _bar(_("Pool"), pool, 0, pool, whole=whole, tone="base"),
        _bar(_("Others' shares"), mine - pool, mine, pool, whole=whole, tone="minus"),
        _bar(row.person or "SYSTEM", mine, 0, mine, whole=whole, tone="plus"),
    ]
    reached = mine
    for entry in entries:
        if entry.type != "EARN":
            after = reached + _signed(entry)
            tone = "plus" if entry.direction == "CREDIT" else "minus"
            bars.append(_bar(str(ENTRY_WORDS[entry.type]), _signed(entry), reached, after, whole=whole, tone=tone))
            reached = after
    if entries:
        bars.append(_bar(_("Outstanding"), left, 0, left, whole=whole, tone="left"))
    return bars


def _bar(label: Any, minor: int, start: int, end: int, *, whole: int, tone: str) -> Bar:
    low, high = max(0, min(start, end)), max(0, start, end)
    x = low * WIDE // whole
    return Bar(str(label), minor, x, max(2, high * WIDE // whole - x), tone)
