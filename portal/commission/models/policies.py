"""Policies: how a pool is made, and who gets which share of it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.commission.models.two_people import TwoPeople, two_people
from portal.commission.states import POLICY, DealRole
from portal.core.database import Model, PrimaryKey

_ROLES = ", ".join(f"'{role}'" for role in DealRole)


class CommissionPolicy(TwoPeople, Model):
    """One wording of a policy. Never edited (a trigger agrees): a new wording succeeds it from a day on.

    Of several policies in force with the same code, the one with the latest `valid_from` rules a day.
    """

    __tablename__ = "commission_policy"
    __table_args__ = (
        CheckConstraint(f"state IN ({POLICY.check})", name="state_known"),
        CheckConstraint("method IN ('PERCENTAGE', 'FIXED')", name="method_known"),
        CheckConstraint("rounding_rule IN ('ROUND_HALF_UP', 'BANKERS')", name="rounding_known"),
        CheckConstraint(
            "(method = 'PERCENTAGE') = (percent IS NOT NULL AND rounding_rule IS NOT NULL)",
            name="a_percentage_says_how_it_rounds",
        ),
        CheckConstraint("(method = 'FIXED') = (fixed_commission_minor IS NOT NULL)", name="a_fixed_one_says_how_much"),
        CheckConstraint("percent BETWEEN 0 AND 100", name="percent_is_a_share"),
        CheckConstraint("fixed_commission_minor >= 0", name="fixed_is_not_negative"),
        CheckConstraint("valid_until IS NULL OR valid_until > valid_from", name="is_valid_for_a_day_at_least"),
        CheckConstraint("code <> '' AND wording <> ''", name="has_a_code_and_a_wording"),
        Index(
            "ix_commission_policy_one_begins_a_day",
            "code",
            "valid_from",
            unique=True,
            postgresql_where=text("state = 'ACTIVE'"),
        ),
        *two_people("'ACTIVE'"),
    )

    id: Mapped[PrimaryKey]
    code: Mapped[str]
    name: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="PROPOSED")
    method: Mapped[str]
    percent: Mapped[Decimal | None] = mapped_column(Numeric(7, 4))
    rounding_rule: Mapped[str | None]
    fixed_commission_minor: Mapped[int | None]
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]
    # As it stands in the agents' contract; shown under "why is this amount so?".
    wording: Mapped[str]
    succeeds_id: Mapped[int | None] = mapped_column(ForeignKey("commission_policy.id"))


class CommissionPolicyShare(Model):
    """So many hundredths of a percent of the pool, to a person or to whoever plays a part. Never edited."""

    __tablename__ = "commission_policy_share"
    __table_args__ = (
        UniqueConstraint("policy_id", "position", name="shares_are_numbered"),
        CheckConstraint("(person_id IS NULL) <> (role IS NULL)", name="goes_to_a_person_or_a_part"),
        CheckConstraint(f"role IN ({_ROLES})", name="role_known"),
        CheckConstraint("share_bps BETWEEN 0 AND 10000", name="is_a_share"),
    )

    id: Mapped[PrimaryKey]
    policy_id: Mapped[int] = mapped_column(ForeignKey("commission_policy.id"))
    position: Mapped[int]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("commission_agent.person_id"))
    role: Mapped[str | None]
    share_bps: Mapped[int]
