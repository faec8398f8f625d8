"""How a suspicion is written down: what was asked, how many accounts, which are the largest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from portal.receivables.models import AgingReason
from portal.receivables.services.fetches import Claim
from portal.receivables.states import Check, Severity

SHOWN_ACCOUNTS = 20


class Difference(NamedTuple):
    """An account or month, and by how many kuruş it is out."""

    code: str
    kurus: int


def reason(
    fetch: Claim,
    check: Check,
    severity: Severity = Severity.STOP,
    *,
    count: int = 0,
    amount: int = 0,
    accounts: Iterable[Difference] = (),
    words: str = "",
) -> AgingReason:
    """With the largest accounts by name; kuruş."""
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


def differ(fetch: Claim, check: Check, found: list[Difference], severity: Severity) -> list[AgingReason]:
    """One reason for all of them; none when there is no difference."""
    if not found:
        return []
    amount = sum(abs(difference.kurus) for difference in found)
    return [reason(fetch, check, severity, count=len(found), amount=amount, accounts=found)]
