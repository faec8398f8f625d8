"""Ages as JSON and as a spreadsheet: the same rows, the same kuruş, whole numbers until their text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import IO, Any

import msgspec
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.core import formats, xlsx
from portal.core.i18n import told
from portal.core.xlsx import Column, Kind, Sheet
from portal.receivables import months
from portal.receivables.models import AgingReason
from portal.receivables.ports import Side
from portal.receivables.rules import Mode
from portal.receivables.states import CHECK_NAMES, NUMBERS, Check, Severity
from portal.receivables.sums import View

MODE_NAMES = {
    Mode.FIFO: _l("Payments close the oldest debts (fifo)"),
    Mode.NET_SIGNED: _l("Each month's debts less its payments (net_signed)"),
    Mode.OPEN_ITEM: _l("The ERP's open items by due date (open_item)"),
}
BASIS_NAMES = {"": _l("not said"), "POSTED": _l("posting date"), "DOCUMENT": _l("document date")}
SIDE_NAMES = {Side.CUSTOMERS: _l("Customer aging"), Side.SUPPLIERS: _l("Supplier aging")}

# Amounts are Decimals with exactly two places and leave as JSON numbers.
ENCODER = msgspec.json.Encoder(decimal_format="number")


def lira(kurus: int) -> Decimal:
    """With exactly two places."""
    return Decimal(kurus).scaleb(-2)


def column_names(view: View) -> tuple[str, ...]:
    """What the API and the file call the columns (spec §5); due later only where the mode knows it."""
    later = ("Sonrasi",) if view.mode is Mode.OPEN_ITEM else ()
    return ("CariKod", "CariAd", "GunelBakiye", "Oncesi", *map(months.name, view.shown), *later)


def as_json(told: Iterable[tuple[str, str, str]]) -> bytes:
    """The contract's array: [{"CariKod": …, "GunelBakiye": 1254300.50, "Oncesi": …, "Sub25": …}].

    Of `queries.all_told`: only the words are still to be made safe, the amounts are JSON already.
    """
    text = ENCODER.encode
    rows = [b'{"CariKod":%b,"CariAd":%b,%b}' % (text(code), text(name), sums.encode()) for code, name, sums in told]
    return b"[%b]" % b",".join(rows)


def reasons_for_machines(reasons: Iterable[AgingReason]) -> list[dict[str, Any]]:
    """Why the figures are doubted, with accounts and amounts."""
    return [
        {
            "check": NUMBERS[Check(reason.check_code)],
            "code": reason.check_code,
            "severity": reason.severity,
            "message": str(CHECK_NAMES[Check(reason.check_code)]),
            "detail": told(reason.words),
            "count": reason.count,
            "amount": lira(reason.amount_kurus),
            "accounts": [
                {
                    "code": found["code"],
                    **({} if found["amount_kurus"] is None else {"amount": lira(found["amount_kurus"])}),
                }
                for found in reason.accounts
            ],
        }
        for reason in reasons
    ]


def write_xlsx(
    out: IO[bytes], view: View, rows: Sequence[Sequence[Any]], reasons: Sequence[AgingReason], *, title: str
) -> None:
    """The list with its totals, and a second sheet that says what it is: as of when, how counted, by whom checked."""
    names = column_names(view)
    wide = len(names) - 2
    columns = [
        Column(names[0], width=18),
        Column(names[1], width=42),
        *(Column(name, Kind.MONEY, 18) for name in names[2:]),
    ]
    sums = [sum(row[2 + place] for row in rows) for place in range(wide)]
    doubted = _("These figures do not reconcile with the ERP. They are shown on somebody's own responsibility.")
    table = Sheet(
        _("DOUBTED") if view.doubted else _("Aging"),
        columns,
        (row[: 2 + wide] for row in rows),
        total=[_("Total"), None, *sums],
        warning=doubted if view.doubted else "",
    )
    facts = Sheet(
        _("What this is"),
        [Column(_("Fact"), width=34), Column(_("Value"), width=60)],
        _facts(view, rows, sums, reasons, title),
    )
    xlsx.write(out, [table, facts])


def _facts(
    view: View, rows: Sequence[Sequence[Any]], sums: Sequence[int], reasons: Sequence[AgingReason], title: str
) -> list[tuple[str, str]]:
    fetch = view.fetch
    owing = sum(row[2] for row in rows if row[2] > 0)
    buckets = sum(sums[1:])
    facts = [
        (_("Report"), title),
        (_("As of"), formats.day(view.as_of)),
        (_("Read from the ERP"), f"{formats.instant(fetch.read_at)} · {fetch.source}"),
        (_("Date basis"), str(BASIS_NAMES[fetch.date_basis])),
        (_("Mode"), str(MODE_NAMES[view.mode])),
        (_("Accounts"), str(len(rows))),
        (_("Control total: balances"), formats.money(sums[0])),
        (_("of it owed to the accounts (credit)"), formats.money(sums[0] - owing)),
        (_("Control total: earlier and months"), formats.money(buckets)),
        (_("Lines read"), str(fetch.lines)),
        (_("Reconciled"), _("NO") if view.doubted else _("yes")),
    ]
    for reason in reasons:
        name = CHECK_NAMES[Check(reason.check_code)]
        accounts = ", ".join(found["code"] for found in reason.accounts)
        severity = _("Suspicion") if reason.severity == Severity.STOP else _("Note")
        facts.append((severity, f"{name} {told(reason.words)} {formats.money(reason.amount_kurus)} {accounts}".strip()))
    return facts
