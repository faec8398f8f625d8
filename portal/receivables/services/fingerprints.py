"""What our months of an account add up to, beside what the ERP says its lines do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Integer, cast, func, select

from portal.core.database import db
from portal.receivables.models import AgingMonth, CurrentAccount
from portal.receivables.ports import Fingerprint, Side

MICRO = 10_000  # millionths of a lira in a kuruş


class Sums(NamedTuple):
    """Over all months of an account, future ones included; kuruş, weighted as `ports.Fingerprint` says."""

    rows: int
    lines: int
    debit: int
    credit: int
    debit_weight: int
    credit_weight: int


def ours_of(fetch_id: int, side: Side, only: Sequence[int] | None = None) -> dict[str, Sums]:
    """What our months add up to, as the ERP's fingerprints do; kuruş."""
    debit, credit = AgingMonth.owed_kurus, AgingMonth.paid_kurus
    if side is Side.SUPPLIERS:
        debit, credit = credit, debit
    weight = AgingMonth.month * 2 + cast(AgingMonth.future, Integer)
    columns: list[ColumnElement[Any]] = [func.count(), func.sum(AgingMonth.lines), func.sum(debit), func.sum(credit)]
    columns += [func.sum(cast(amount, BigInteger) * weight) for amount in (debit, credit)]
    sums = select(AgingMonth.account_id, *[found.label(f"s{place}") for place, found in enumerate(columns)])
    sums = sums.where(AgingMonth.fetch_id == fetch_id).group_by(AgingMonth.account_id)
    if only is not None:
        sums = sums.where(AgingMonth.account_id == func.any(list(only)))
    added = sums.subquery()
    wanted = select(CurrentAccount.code, *[added.c[f"s{place}"] for place in range(len(columns))])
    rows = db.session.execute(wanted.join(added, added.c.account_id == CurrentAccount.id))
    return {code: Sums(*map(int, amounts)) for code, *amounts in rows}


def same(ours: Sums | None, theirs: Fingerprint | None) -> bool:
    """To the last millionth: an ERP that keeps less than a kuruş makes an account be read again, never overlooked."""
    if ours is None or theirs is None:
        return ours is None and theirs is None
    amounts = tuple(kurus * MICRO for kurus in ours[2:])
    told = (theirs.debit_micro, theirs.credit_micro, theirs.debit_weight, theirs.credit_weight)
    return ours.lines == theirs.lines and amounts == told


def nearly(ours: Sums | None, theirs: Fingerprint | None) -> bool:
    """But for half a kuruş a month, by which each was rounded."""
    if ours is None or theirs is None:
        return ours is None and theirs is None
    rounding = (ours.rows + 1) * MICRO // 2
    out = (abs(ours.debit * MICRO - theirs.debit_micro), abs(ours.credit * MICRO - theirs.credit_micro))
    return ours.lines == theirs.lines and max(out) <= rounding
