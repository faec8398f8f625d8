"""Only accounts that changed: compared with the ERP by their sums, read again, and folded into the months that are shown.

No ERP we read keeps a mark of change that can be trusted (a line may be deleted without a trace), so every account's
lines are added up there, and only accounts whose sums are not those of our months travel. What is folded in reconciles
account by account, or nothing is: then the whole ledger is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.orm import aliased

from portal.core import clock
from portal.core.actor import SYSTEM
from portal.core.database import DB_NOW, db
from portal.core.i18n import noted
from portal.receivables.models import (
    AgingFetch,
    AgingMonth,
    AgingOpenItem,
    AgingReason,
    AgingStanding,
    CurrentAccount,
)
from portal.receivables.ports import (
    Account,
    ErpBalance,
    ErpMonth,
    Finding,
    Fingerprint,
    MonthSum,
    OpenItemSum,
    Side,
    Totals,
)
from portal.receivables.services import checks, erp_totals
from portal.receivables.services.fetches import Claim, hold
from portal.receivables.services.fingerprints import nearly, ours_of, same
from portal.receivables.services.staging import Staging, stage_open_items
from portal.receivables.states import FETCH, FetchState, Severity

MOST_CHANGED_ONE_IN = 10  # more than a tenth of the accounts: the whole ledger is as quick
NOTE = noted("Only the accounts that changed were read; all others have the same sums as before.")


class ReadTheWhole(Exception):
    """What changed cannot be folded in so that everything reconciles."""


class Base(NamedTuple):
    """The reading that is shown, and whether the view by open items is offered on it."""

    id: int
    open_items: bool


class Renewal(NamedTuple):
    """All that the ERP said, read before any transaction begins."""

    changed: Sequence[str]
    fingerprints: Sequence[Fingerprint]
    accounts: Sequence[Account]
    months: Sequence[MonthSum]
    totals: Totals
    findings: Sequence[Finding]
    balances: Sequence[ErpBalance] | None
    erp_months: Sequence[ErpMonth] | None
    open_items: Sequence[OpenItemSum] | None


def base_of(claim: Claim, *, source: str, date_basis: str) -> Base | None:
    """What can be renewed: today's shown reading of the same source, when no later one failed or is doubted.

    None for a past day and for the first reading of a day: those are read whole.
    """
    later = aliased(AgingFetch)
    unwell = later.live & later.state.in_((FetchState.SUSPICIOUS, FetchState.FAILED))
    worse = exists().where(later.side == AgingFetch.side, later.id > AgingFetch.id, unwell)
    mine = select(AgingFetch.live).where(AgingFetch.id == claim.id).scalar_subquery()
    row = db.session.execute(
        select(AgingFetch.id, AgingFetch.open_items).where(
            AgingFetch.side == claim.side.value,
            AgingFetch.is_current,
            AgingFetch.months_kept,
            AgingFetch.as_of_on == claim.as_of_on,
            AgingFetch.source == source,
            AgingFetch.date_basis == date_basis,
            mine,
            ~worse,
        )
    ).one_or_none()
    return None if row is None else Base(row.id, row.open_items)


def changed_since(base: Base, side: Side, fingerprints: Iterable[Fingerprint]) -> list[str] | None:
    """Codes of the accounts whose lines no longer add up to our months; None when they are too many to go one by one."""
    ours = ours_of(base.id, side)
    theirs = {found.account: found for found in fingerprints}
    changed = [code for code in ours.keys() | theirs.keys() if not same(ours.get(code), theirs.get(code))]
    return sorted(changed) if len(changed) * MOST_CHANGED_ONE_IN <= max(len(theirs), MOST_CHANGED_ONE_IN) else None


def fold_in(claim: Claim, base: Base, said: Renewal) -> None:
    """The changed accounts' months take the place of the old ones, with everything made of them.

    Raises `ReadTheWhole` when anything does not reconcile, or is to be said that was not said of the base; whoever
    calls rolls back.
    """
    shown = db.session.execute(
        select(AgingFetch).where(AgingFetch.id == base.id, AgingFetch.is_current).with_for_update()
    ).scalar_one_or_none()
    if shown is None:
        raise ReadTheWhole("another reading is shown by now")
    staging = _staged(claim, said)
    _say_nothing_new(base, staging, said)
    old = _ids(claim.side, said.changed)
    if _future(base.id, old) != _future(claim.id, old):
        raise ReadTheWhole("lines of the future changed")
    _take_places(base.id, claim.id, old, open_items=said.open_items is not None)
    _reconcile(base, claim.side, said)
    _renew(shown, said)
    staging.describe()
    over: dict[str, Any] = {
        "leased_until": None,
        "ended_at": DB_NOW,
        "read_at": shown.read_at,
        "step": "",
        "note": NOTE,
    }
    # Not a picture of the ledger of its own: nothing is compared with it later.
    over |= {"live": False, "months_kept": False, "accounts": len(said.changed)}
    db.session.expire(db.session.get_one(AgingFetch, claim.id))
    FETCH.move(
        db.session.get_one(AgingFetch, claim.id),
        FetchState.DONE,
        actor=SYSTEM,
        reason=noted("changes folded in"),
        **over,
    )


def _ids(side: Side, codes: Sequence[str]) -> list[int]:
    wanted = select(CurrentAccount.id).where(
        CurrentAccount.side == side.value, CurrentAccount.code == func.any(list(codes))
    )
    return list(db.session.scalars(wanted))


# Folding ----------------------------------------------------------------------------------------------------


def _staged(claim: Claim, said: Renewal) -> Staging:
    staging = Staging(claim)
    staging.name(said.accounts)
    staging.add(said.months)
    staging.lay_down(all_of_it=True)
    staging.sum_up()
    if said.open_items is not None:
        stage_open_items(staging, said.open_items)
    hold(claim)
    return staging


def _future(fetch_id: int, accounts: list[int]) -> set[tuple[Any, ...]]:
    """What is dated after the day: it is listed beside the figures by account, so it may not have changed."""
    told = (AgingMonth.account_id, AgingMonth.month, AgingMonth.owed_kurus, AgingMonth.paid_kurus, AgingMonth.last_on)
    here = AgingMonth.account_id == func.any(accounts)
    rows = db.session.execute(select(*told).where(AgingMonth.fetch_id == fetch_id, here, AgingMonth.future))
    return {tuple(row) for row in rows}


def _take_places(base_id: int, fetch_id: int, accounts: list[int], *, open_items: bool) -> None:
    tables: list[Any] = [AgingMonth, AgingStanding]
    for table in tables:
        db.session.execute(delete(table).where(table.fetch_id == base_id, table.account_id == func.any(accounts)))
    if open_items:
        db.session.execute(delete(AgingOpenItem).where(AgingOpenItem.fetch_id == base_id))
    for table in [*tables, AgingOpenItem]:
        db.session.execute(update(table).where(table.fetch_id == fetch_id).values(fetch_id=base_id))


def _renew(shown: AgingFetch, said: Renewal) -> None:
    """Its figures are of now, and answers made of it before are not."""
    here = AgingMonth.fetch_id == shown.id
    count, owed, paid = db.session.execute(
        select(func.count(), func.sum(AgingMonth.owed_kurus), func.sum(AgingMonth.paid_kurus)).where(here)
    ).one()
    shown.months, shown.owed_kurus, shown.paid_kurus = count, int(owed), int(paid)
    shown.accounts, shown.lines = len(said.fingerprints), said.totals.erp_lines
    shown.read_at, shown.fence = clock.now(), shown.fence + 1


# Reconciling ------------------------------------------------------------------------------------------------


def _say_nothing_new(base: Base, staging: Staging, said: Renewal) -> None:
    """What is said beside the shown figures has to stay true of them; and the changed accounts raise no doubt."""
    claim = staging.fetch
    told = {
        (reason.check_code, reason.count, reason.amount_kurus)
        for reason in db.session.scalars(select(AgingReason).where(AgingReason.fetch_id == base.id))
    }
    now = checks.found_by_the_erp(claim, said.findings, said.totals)
    if any(reason.severity == Severity.STOP for reason in now):
        raise ReadTheWhole("the ERP finds its own lines odd")
    if {(reason.check_code, reason.count, reason.amount_kurus) for reason in now} - told:
        raise ReadTheWhole("there is something new to be said")
    if checks.odd_codes(staging) or checks.not_the_balance(claim):
        raise ReadTheWhole("a changed account raises doubt")


def _reconcile(base: Base, side: Side, said: Renewal) -> None:
    """Account by account and over all: what is stored is what the ERP adds up to, now and in the same snapshot."""
    totals, theirs = said.totals, {found.account: found for found in said.fingerprints}
    if (totals.erp_debit_micro, totals.erp_credit_micro, totals.erp_lines) != (
        totals.read_debit_micro,
        totals.read_credit_micro,
        totals.read_lines,
    ):
        raise ReadTheWhole("the control totals differ")
    ours = ours_of(base.id, side, _ids(side, said.changed))
    for code in said.changed:
        if not nearly(ours.get(code), theirs.get(code)):
            raise ReadTheWhole(f"the months of {code} are not its sums")
    claim = Claim(base.id, 0, side, date.min)
    if said.erp_months is not None and erp_totals.months_differ(claim, said.erp_months):
        raise ReadTheWhole("the ERP's own months differ")
    if said.balances is not None and erp_totals.balances_differ(claim, said.balances):
        raise ReadTheWhole("the ERP's own balances differ")
    if said.open_items is not None and erp_totals.open_items_out(base.id):
        raise ReadTheWhole("the open items are no longer the balances")
