"""Suspicion: everything that can be asked of a reading before anybody is shown its figures (facts: ERP §1.6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import func, select

from portal.core.database import db
from portal.core.formats import day
from portal.receivables import sums
from portal.receivables.models import AgingMonth, AgingOpenItem, AgingReason, AgingStanding, CurrentAccount
from portal.receivables.months import CARRIED_IN, month_of
from portal.receivables.ports import ErpBalance, ErpMonth, Finding, Oddity, Side, Totals
from portal.receivables.services.fetches import Claim, hold
from portal.receivables.services.staging import Staging
from portal.receivables.states import Check, Severity

SHOWN_ACCOUNTS = 20
# One in so many lines may lack its account (bank service invoices do) before the figures are stopped.
CARDLESS_ONE_IN = 200
MICRO = 10_000  # millionths of a lira in a kuruş


class Difference(NamedTuple):
    """An account or month, and by how many kuruş it is out."""

    code: str
    kurus: int


_ODDITIES = {
    Oddity.PERIOD_GAP: (Check.PERIOD_GAP, Severity.STOP),
    Oddity.NO_DATE: (Check.NO_DATE, Severity.STOP),
    Oddity.BEFORE_2000: (Check.BEFORE_2000, Severity.STOP),
    Oddity.MONTH_DIFFERS: (Check.MONTH_DIFFERS, Severity.STOP),
    Oddity.OUTSIDE_PERIOD: (Check.OUTSIDE_PERIOD, Severity.STOP),
    Oddity.TWO_CARDS: (Check.TWO_CARDS, Severity.STOP),
    Oddity.ODD_CODE: (Check.ODD_CODE, Severity.STOP),
    Oddity.ODD_SIGN: (Check.ODD_SIGN, Severity.STOP),
    Oddity.NO_AMOUNT: (Check.NO_AMOUNT, Severity.STOP),
    Oddity.OPENING_DIFFERS: (Check.OPENING_DIFFERS, Severity.STOP),
    Oddity.OPENING_UNDATED: (Check.OPENING_UNDATED, Severity.NOTE),
}


def suspicions(
    staging: Staging,
    totals: Totals,
    findings: Iterable[Finding],
    balances: Iterable[ErpBalance] | None,
    erp_months: Iterable[ErpMonth] | None,
) -> list[AgingReason]:
    """Every reason to doubt a staged reading; none of severity STOP means that it may be shown."""
    fetch = staging.fetch
    return [
        *_empty(fetch),
        *found_by_the_erp(fetch, findings, totals),
        *odd_codes(staging),
        *_future(fetch),
        *_totals(fetch, totals),
        *(balances_differ(fetch, balances) if balances is not None else ()),
        *(months_differ(fetch, erp_months) if erp_months is not None else ()),
        *_open_items(fetch),
        *not_the_balance(fetch),
    ]


def _reason(
    fetch: Claim,
    check: Check,
    severity: Severity = Severity.STOP,
    *,
    count: int = 0,
    amount: int = 0,
    accounts: Iterable[Difference] = (),
    words: str = "",
) -> AgingReason:
    largest = sorted(accounts, key=lambda found: (-abs(found.kurus), found.code))[:SHOWN_ACCOUNTS]
    listed = [{"code": found.code, "amount_kurus": found.kurus} for found in largest]
    return AgingReason(
        fetch_id=fetch.id,
        check_code=check.value,
        severity=severity.value,
        count=count,
        amount_kurus=amount,
        accounts=listed,
        words=words,
    )


def _differ(fetch: Claim, check: Check, found: list[Difference], severity: Severity) -> list[AgingReason]:
    if not found:
        return []
    amount = sum(abs(difference.kurus) for difference in found)
    return [_reason(fetch, check, severity, count=len(found), amount=amount, accounts=found)]


def _empty(fetch: Claim) -> list[AgingReason]:
    """Check 1: an ERP that suddenly has no customers has not lost them."""
    there = db.session.scalar(select(AgingMonth.account_id).where(AgingMonth.fetch_id == fetch.id).limit(1))
    return [] if there is not None else [_reason(fetch, Check.EMPTY)]


def found_by_the_erp(fetch: Claim, findings: Iterable[Finding], totals: Totals) -> list[AgingReason]:
    """Checks 2 to 6, as far as only the ERP can answer them."""
    return [_finding(fetch, found, totals) for found in findings]


def _finding(fetch: Claim, found: Finding, totals: Totals) -> AgingReason:
    if found.oddity is Oddity.NO_CARD:
        stops = found.count * CARDLESS_ONE_IN > max(totals.erp_lines, 1)
        check, severity = Check.NO_CARD, Severity.STOP if stops else Severity.NOTE
    else:
        check, severity = _ODDITIES[found.oddity]
    accounts = [{"code": code, "amount_kurus": None} for code in found.accounts[:SHOWN_ACCOUNTS]]
    reason = _reason(fetch, check, severity, count=found.count, amount=found.amount_kurus, words=found.words)
    reason.accounts = accounts
    return reason


def odd_codes(staging: Staging) -> list[AgingReason]:
    """Check 6 on what arrived: one code, one card; and only codes of this side."""
    found = []
    if staging.twice:
        accounts = [Difference(code, 0) for code in staging.twice]
        found.append(_reason(staging.fetch, Check.TWO_CARDS, count=len(accounts), accounts=accounts))
    strange = [
        Difference(code, 0)
        for code in staging.codes()
        if not code.startswith(staging.side.value) or any(letter.isspace() for letter in code)
    ]
    if strange:
        found.append(_reason(staging.fetch, Check.ODD_CODE, count=len(strange), accounts=strange))
    if staging.without_card:
        accounts = [Difference(code, 0) for code in staging.without_card]
        found.append(_reason(staging.fetch, Check.NO_CARD, count=len(accounts), accounts=accounts))
    return found


def _future(fetch: Claim) -> list[AgingReason]:
    """Check 4: what is dated after the day is said, with its accounts; it stands in no month."""
    amount = func.sum(AgingMonth.owed_kurus - AgingMonth.paid_kurus)
    wanted = (
        select(CurrentAccount.code, amount, func.sum(AgingMonth.lines), func.max(AgingMonth.last_on))
        .join(CurrentAccount, CurrentAccount.id == AgingMonth.account_id)
        .where(AgingMonth.fetch_id == fetch.id, AgingMonth.future)
        .group_by(CurrentAccount.code)
    )
    rows = db.session.execute(wanted).all()
    if not rows:
        return []
    accounts = [Difference(code, int(kurus)) for code, kurus, _lines, _last in rows]
    last = max((row[3] for row in rows if row[3]), default=None)
    return [
        _reason(
            fetch,
            Check.FUTURE,
            Severity.NOTE,
            count=sum(int(row[2]) for row in rows),
            amount=sum(found.kurus for found in accounts),
            accounts=accounts,
            words=day(last),
        )
    ]


def _totals(fetch: Claim, totals: Totals) -> list[AgingReason]:
    """Check 7: the ERP's ungrouped sum, the months that came, and the months laid down are the same money."""
    wanted = select(
        func.count(),
        func.coalesce(func.sum(AgingMonth.owed_kurus), 0),
        func.coalesce(func.sum(AgingMonth.paid_kurus), 0),
        func.coalesce(func.sum(AgingMonth.lines), 0),
    ).where(AgingMonth.fetch_id == fetch.id)
    rows, owed, paid, lines = (int(value) for value in db.session.execute(wanted).one())
    hold(fetch, owed_kurus=owed, paid_kurus=paid)
    if fetch.side is Side.SUPPLIERS:
        owed, paid = paid, owed
    rounding = (rows + 1) * MICRO // 2  # every month was rounded once, by half a kuruş at most
    out = max(
        abs(totals.erp_debit_micro - totals.read_debit_micro), abs(totals.erp_credit_micro - totals.read_credit_micro)
    )
    ours = max(abs(owed * MICRO - totals.read_debit_micro), abs(paid * MICRO - totals.read_credit_micro))
    missing = max(abs(totals.erp_lines - totals.read_lines), abs(totals.erp_lines - lines))
    if out or missing or ours > rounding:
        amount = max(out, ours if ours > rounding else 0) // MICRO
        return [_reason(fetch, Check.TOTALS_DIFFER, count=missing, amount=amount)]
    return []


def balances_differ(fetch: Claim, balances: Iterable[ErpBalance]) -> list[AgingReason]:
    """Check 8, per account: the ERP's own totals table against the lines; 0.01 a month is rounding."""
    amount = AgingMonth.owed_kurus - AgingMonth.paid_kurus
    wanted = (
        select(CurrentAccount.code, func.sum(amount), func.count())
        .join(CurrentAccount, CurrentAccount.id == AgingMonth.account_id)
        .where(AgingMonth.fetch_id == fetch.id)
        .group_by(CurrentAccount.code)
    )
    ours = {code: (int(kurus), int(rows)) for code, kurus, rows in db.session.execute(wanted)}
    sign = -1 if fetch.side is Side.SUPPLIERS else 1
    theirs = {row.account: sign * (row.debit_kurus - row.credit_kurus) for row in balances}
    found = []
    for code in ours.keys() | theirs.keys():
        kurus, rows = ours.get(code, (0, 0))
        if abs(kurus - theirs.get(code, 0)) > max(rows, 1):
            found.append(Difference(code, kurus - theirs.get(code, 0)))
    return _differ(fetch, Check.BALANCES_DIFFER, found, Severity.STOP)


def months_differ(fetch: Claim, erp_months: Iterable[ErpMonth]) -> list[AgingReason]:
    """Check 8, per month over all accounts. Months carried in as one balance cannot be compared."""
    wanted = (
        select(AgingMonth.month, func.sum(AgingMonth.owed_kurus), func.sum(AgingMonth.paid_kurus), func.count())
        .where(AgingMonth.fetch_id == fetch.id, AgingMonth.month != CARRIED_IN)
        .group_by(AgingMonth.month)
    )
    ours: Mapping[int, Any] = {row[0]: row for row in db.session.execute(wanted)}
    mirrored = fetch.side is Side.SUPPLIERS
    found = []
    for row in erp_months:
        month = month_of(row.month)
        theirs = (row.credit_kurus, row.debit_kurus) if mirrored else (row.debit_kurus, row.credit_kurus)
        _month, owed, paid, rows = ours.get(month, (month, 0, 0, 0))
        # The net only: their table leaves an amount below zero on its own side, we put it on the other.
        out = int(owed) - int(paid) - (theirs[0] - theirs[1])
        if abs(out) > max(int(rows), 1):
            found.append(Difference(f"{month // 100}-{month % 100:02d}", out))
    return _differ(fetch, Check.MONTHS_DIFFER, found, Severity.STOP)


def _open_items(fetch: Claim) -> list[AgingReason]:
    """Check 9: open items that are not the balance have no honest age; only that view is refused."""
    if db.session.scalar(select(AgingOpenItem.month).where(AgingOpenItem.fetch_id == fetch.id).limit(1)) is None:
        return []
    found = open_items_out(fetch.id)
    hold(fetch, open_items=not found)
    return _differ(fetch, Check.OPEN_ITEMS_DIFFER, found, Severity.VIEW)


def open_items_out(fetch_id: int) -> list[Difference]:
    """Accounts whose open items are not their balance."""
    items = (
        select(
            AgingOpenItem.account_id.label("id"),
            func.sum(AgingOpenItem.owed_kurus - AgingOpenItem.paid_kurus).label("kurus"),
        )
        .where(AgingOpenItem.fetch_id == fetch_id)
        .group_by(AgingOpenItem.account_id)
        .subquery()
    )
    ledger = (
        select(
            AgingStanding.account_id.label("id"), (AgingStanding.owed_kurus - AgingStanding.paid_kurus).label("kurus")
        )
        .where(AgingStanding.fetch_id == fetch_id)
        .subquery()
    )
    out = func.coalesce(items.c.kurus, 0) - func.coalesce(ledger.c.kurus, 0)
    wanted = (
        select(CurrentAccount.code, out)
        .select_from(items.join(ledger, items.c.id == ledger.c.id, full=True))
        .join(CurrentAccount, CurrentAccount.id == func.coalesce(items.c.id, ledger.c.id))
        .where(out != 0)
    )
    return [Difference(code, int(kurus)) for code, kurus in db.session.execute(wanted)]


def not_the_balance(fetch: Claim) -> list[AgingReason]:
    """Check 10: Öncesi and the months, added up, are the balances above zero; row by row and over all."""
    wanted = sums.not_the_balance(fetch.id)
    found = [Difference(code, int(kurus)) for code, kurus in db.session.execute(wanted)]
    return _differ(fetch, Check.NOT_THE_BALANCE, found, Severity.STOP)
