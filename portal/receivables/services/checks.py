"""Suspicion: everything that can be asked of a reading before anybody is shown its figures (facts: ERP §1.6)."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import func, select

from portal.core.database import db
from portal.core.formats import day
from portal.receivables import sums
from portal.receivables.models import AgingMonth, AgingReason, CurrentAccount
from portal.receivables.ports import ErpBalance, ErpMonth, Finding, Oddity, Side, Totals
from portal.receivables.services.doubts import SHOWN_ACCOUNTS, Difference, differ, reason
from portal.receivables.services.erp_totals import balances_differ, months_differ, open_items
from portal.receivables.services.fetches import Claim, hold
from portal.receivables.services.staging import Staging
from portal.receivables.states import Check, Severity

# One in so many lines may lack its account (bank service invoices do) before the figures are stopped.
CARDLESS_ONE_IN = 200
MICRO = 10_000  # millionths of a lira in a kuruş


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
        *open_items(fetch),
        *not_the_balance(fetch),
    ]


def _empty(fetch: Claim) -> list[AgingReason]:
    """Check 1: an ERP that suddenly has no customers has not lost them."""
    there = db.session.scalar(select(AgingMonth.account_id).where(AgingMonth.fetch_id == fetch.id).limit(1))
    return [] if there is not None else [reason(fetch, Check.EMPTY)]


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
    said = reason(fetch, check, severity, count=found.count, amount=found.amount_kurus, words=found.words)
    said.accounts = accounts
    return said


def odd_codes(staging: Staging) -> list[AgingReason]:
    """Check 6 on what arrived: one code, one card; and only codes of this side."""
    found = []
    if staging.twice:
        accounts = [Difference(code, 0) for code in staging.twice]
        found.append(reason(staging.fetch, Check.TWO_CARDS, count=len(accounts), accounts=accounts))
    strange = [
        Difference(code, 0)
        for code in staging.codes()
        if not code.startswith(staging.side.value) or any(letter.isspace() for letter in code)
    ]
    if strange:
        found.append(reason(staging.fetch, Check.ODD_CODE, count=len(strange), accounts=strange))
    if staging.without_card:
        accounts = [Difference(code, 0) for code in staging.without_card]
        found.append(reason(staging.fetch, Check.NO_CARD, count=len(accounts), accounts=accounts))
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
        reason(
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
        return [reason(fetch, Check.TOTALS_DIFFER, count=missing, amount=amount)]
    return []


def not_the_balance(fetch: Claim) -> list[AgingReason]:
    """Check 10: Öncesi and the months, added up, are the balances above zero; row by row and over all."""
    wanted = sums.not_the_balance(fetch.id)
    found = [Difference(code, int(kurus)) for code, kurus in db.session.execute(wanted)]
    return differ(fetch, Check.NOT_THE_BALANCE, found, Severity.STOP)
