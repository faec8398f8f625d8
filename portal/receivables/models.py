"""Accounts of the ERP, readings of its ledger, and the month sums from which every age is made."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Json, Model, PrimaryKey, recorded_now
from portal.receivables.ports import DateBasis, Side
from portal.receivables.states import FETCH, Check, Severity


def _in(words: Iterable[StrEnum]) -> str:
    return ", ".join(f"'{word.value}'" for word in words)


def _whole(**more: object) -> Mapped[int]:
    """Four bytes: these rows come by the hundred thousand."""
    return mapped_column(Integer, **more)  # type: ignore[arg-type]


class CurrentAccount(Model):
    """A customer's or supplier's account as the ERP last described it. Sorted and found by keys of our own."""

    __tablename__ = "current_account"
    __table_args__ = (
        CheckConstraint(f"side IN ({_in(Side)})", name="side_known"),
        CheckConstraint("code <> ''", name="has_a_code"),
        UniqueConstraint("side", "code", name="a_code_is_one_account"),
        Index(None, "side", "name_key"),
    )

    id: Mapped[PrimaryKey]
    side: Mapped[str]
    code: Mapped[str]
    name: Mapped[str]
    name_key: Mapped[str]  # core.formats.sort_key: the Turkish alphabet without ICU
    words: Mapped[str]  # core.formats.fold of code and name, for searching
    currency: Mapped[str] = mapped_column(server_default="TRY")
    passive: Mapped[bool] = mapped_column(server_default=text("false"))
    email: Mapped[str] = mapped_column(server_default="")
    tax_number: Mapped[str] = mapped_column(server_default="")
    salesperson: Mapped[str] = mapped_column(server_default="")
    card_group: Mapped[str] = mapped_column(server_default="")
    first_seen_at: Mapped[datetime] = recorded_now()


class AgingFetch(Model):
    """One reading of one side of the ERP's ledger, as of the end of a day.

    Its months are staged under its id, so nobody sees them before they reconcile; then `is_current` moves to it. A
    reading of a past day (`live` false) never becomes the current one; nor does one that only fetched changed accounts: it
    has no months of its own (`services.renewal`).
    """

    __tablename__ = "aging_fetch"
    __table_args__ = (
        CheckConstraint(f"side IN ({_in(Side)})", name="side_known"),
        CheckConstraint(f"state IN ({FETCH.check})", name="state_known"),
        CheckConstraint(f"date_basis IN ('', {_in(DateBasis)})", name="date_basis_known"),
        CheckConstraint("NOT is_current OR (state = 'DONE' AND live)", name="only_reconciled_data_are_shown"),
        CheckConstraint("(state = 'RUNNING') = (leased_until IS NOT NULL)", name="a_reader_holds_a_lease"),
        CheckConstraint("(state IN ('ASKED', 'RUNNING')) = (ended_at IS NULL)", name="an_end_has_its_time"),
        CheckConstraint("state <> 'FAILED' OR note <> ''", name="failure_says_why"),
        CheckConstraint("accounts >= 0 AND months >= 0 AND lines >= 0", name="counts_are_counted"),
        Index(
            "uq_aging_fetch_one_at_a_time", "side", unique=True, postgresql_where=text("state IN ('ASKED', 'RUNNING')")
        ),
        Index("uq_aging_fetch_one_is_current", "side", unique=True, postgresql_where=text("is_current")),
        Index(None, "side", "state", "id"),
    )

    id: Mapped[int] = mapped_column(Integer, Identity(always=True), primary_key=True)
    side: Mapped[str]
    as_of_on: Mapped[date]
    live: Mapped[bool]
    state: Mapped[str] = mapped_column(server_default="ASKED")
    step: Mapped[str] = mapped_column(server_default="")
    asked_by: Mapped[str]
    asked_by_person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    asked_at: Mapped[datetime] = recorded_now()
    began_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    read_at: Mapped[datetime | None]  # the business's clock: what "last updated" shows
    leased_until: Mapped[datetime | None]
    fence: Mapped[int] = _whole(server_default=text("0"))
    attempts: Mapped[int] = _whole(server_default=text("0"))
    source: Mapped[str] = mapped_column(server_default="")
    date_basis: Mapped[str] = mapped_column(server_default="")
    accounts: Mapped[int] = mapped_column(server_default=text("0"))
    months: Mapped[int] = mapped_column(server_default=text("0"))
    lines: Mapped[int] = mapped_column(server_default=text("0"))
    owed_kurus: Mapped[int] = mapped_column(server_default=text("0"))
    paid_kurus: Mapped[int] = mapped_column(server_default=text("0"))
    open_items: Mapped[bool] = mapped_column(server_default=text("false"))  # whether the view by due date is offered
    months_kept: Mapped[bool] = mapped_column(server_default=text("true"))
    is_current: Mapped[bool] = mapped_column(server_default=text("false"))
    failure: Mapped[str] = mapped_column(server_default="")  # a `ports.Reason`, or our own
    note: Mapped[str] = mapped_column(server_default="")


class AgingMonth(Model):
    """What one month added to and took from one account's debt. Narrow, because there are hundreds of thousands.

    No foreign keys: checking each would cost more than the row, and rows come only from `services.staging`, which has
    just made both ends. `month` is 202502, or 0 for what was carried in. `future`: dated after the day of the reading.
    """

    __tablename__ = "aging_month"
    __table_args__ = (
        PrimaryKeyConstraint("fetch_id", "account_id", "month", "future"),
        CheckConstraint("owed_kurus >= 0 AND paid_kurus >= 0", name="each_side_counts_up"),
        CheckConstraint("month = 0 OR mod(month, 100) BETWEEN 1 AND 12", name="month_exists"),
        CheckConstraint("first_on <= last_on", name="days_in_their_order"),
    )

    owed_kurus: Mapped[int]
    paid_kurus: Mapped[int]
    fetch_id: Mapped[int] = _whole()
    account_id: Mapped[int] = mapped_column()
    month: Mapped[int] = _whole()
    lines: Mapped[int] = _whole()
    first_on: Mapped[date | None]
    last_on: Mapped[date | None]
    future: Mapped[bool]


class AgingStanding(Model):
    """An account's sums at a reading: all of it and the last four months. The list page, and what last week is
    compared with. Kept when the months have been put away."""

    __tablename__ = "aging_standing"
    __table_args__ = (PrimaryKeyConstraint("fetch_id", "account_id"),)

    fetch_id: Mapped[int] = mapped_column(Integer, ForeignKey("aging_fetch.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("current_account.id"), index=True)
    owed_kurus: Mapped[int]
    paid_kurus: Mapped[int]
    owed_1: Mapped[int]
    owed_2: Mapped[int]
    owed_3: Mapped[int]
    owed_4: Mapped[int]
    paid_1: Mapped[int]
    paid_2: Mapped[int]
    paid_3: Mapped[int]
    paid_4: Mapped[int]


class AgingOpenItem(Model):
    """What the ERP itself holds for open, by month of the due date."""

    __tablename__ = "aging_open_item"
    __table_args__ = (
        PrimaryKeyConstraint("fetch_id", "account_id", "month"),
        CheckConstraint("owed_kurus >= 0 AND paid_kurus >= 0", name="each_side_counts_up"),
    )

    fetch_id: Mapped[int] = _whole()
    account_id: Mapped[int] = mapped_column()
    month: Mapped[int] = _whole()
    owed_kurus: Mapped[int]
    paid_kurus: Mapped[int]


class AgingReason(Model):
    """Why a reading is doubted, with accounts and amounts. Append-only."""

    __tablename__ = "aging_reason"
    __table_args__ = (
        CheckConstraint(f"check_code IN ({_in(Check)})", name="check_known"),
        CheckConstraint(f"severity IN ({_in(Severity)})", name="severity_known"),
        Index(None, "fetch_id"),
    )

    id: Mapped[PrimaryKey]
    fetch_id: Mapped[int] = mapped_column(Integer, ForeignKey("aging_fetch.id"))
    check_code: Mapped[str]
    severity: Mapped[str]
    count: Mapped[int]
    amount_kurus: Mapped[int]
    accounts: Mapped[list[Json]]  # [{"code", "amount_kurus"}], the largest twenty
    words: Mapped[str]


class AgingOverride(Model):
    """Somebody looks at doubted figures all the same, and says why. Append-only."""

    __tablename__ = "aging_override"
    __table_args__ = (
        CheckConstraint("because <> ''", name="says_why"),
        ForeignKeyConstraint(["fetch_id"], ["aging_fetch.id"]),
        Index(None, "fetch_id"),
    )

    id: Mapped[PrimaryKey]
    fetch_id: Mapped[int] = _whole()
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    because: Mapped[str]
    at: Mapped[datetime]
    recorded_at: Mapped[datetime] = recorded_now()
