"""Every report there is. A new one is a file in `definitions/` and a line here."""

from __future__ import annotations

from portal.core.errors import NotFound
from portal.reports.definition import Report
from portal.reports.definitions import aging, commission, daily_operations, payouts, seller_balances, stock

ALL = (
    daily_operations.REPORT,
    payouts.REPORT,
    seller_balances.REPORT,
    stock.REPORT,
    aging.CUSTOMERS,
    aging.SUPPLIERS,
    commission.REPORT,
)
REPORTS: dict[str, Report] = {report.code: report for report in ALL}


def report(code: str, *, only_own: bool = False) -> Report:
    """A report by its code; one that is not for the reader does not exist."""
    found = REPORTS.get(code)
    if found is None or (only_own and not found.own):
        raise NotFound
    return found
