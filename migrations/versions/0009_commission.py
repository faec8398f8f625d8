"""Commission: deals, policies, snapshots, the ledger, payouts, locked months, disputes; and who counts as one person."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0009_commission'
down_revision = '0008_reports'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('lead',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('answers', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_lead'))
    )
    op.create_table('listing',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('price', sa.BigInteger(), nullable=True),
    sa.CheckConstraint('price >= 0', name=op.f('ck_listing_price_is_not_negative')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_listing'))
    )
    op.create_table('commission_agent',
    sa.Column('person_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('team', sa.Text(), nullable=False),
    sa.Column('joined_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint("team <> ''", name=op.f('ck_commission_agent_is_in_a_team')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_commission_agent_person_id_person')),
    sa.PrimaryKeyConstraint('person_id', name=op.f('pk_commission_agent'))
    )
    op.create_table('commission_audit_event',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('actor_person_id', sa.BigInteger(), nullable=True),
    sa.Column('action', sa.Text(), nullable=False),
    sa.Column('subject_kind', sa.Text(), nullable=False),
    sa.Column('subject_id', sa.BigInteger(), nullable=False),
    sa.Column('before', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('after', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('because', sa.Text(), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint("action <> '' AND subject_kind <> ''", name=op.f('ck_commission_audit_event_says_what_about_what')),
    sa.ForeignKeyConstraint(['actor_person_id'], ['person.id'], name=op.f('fk_commission_audit_event_actor_person_id_person')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_commission_audit_event'))
    )
    op.create_index(op.f('ix_commission_audit_event_at'), 'commission_audit_event', ['at'], unique=False)
    op.create_index(op.f('ix_commission_audit_event_subject_kind_subject_id_id'), 'commission_audit_event', ['subject_kind', 'subject_id', 'id'], unique=False)
    op.create_table('commission_payout_batch',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('idempotency_key', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), server_default='PREPARED', nullable=False),
    sa.Column('pay_on', sa.Date(), nullable=False),
    sa.Column('total_minor', sa.BigInteger(), nullable=False),
    sa.Column('items', sa.BigInteger(), nullable=False),
    sa.Column('maker', sa.Text(), nullable=False),
    sa.Column('maker_person_id', sa.BigInteger(), nullable=True),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('digest', sa.Text(), nullable=False),
    sa.Column('checker', sa.Text(), server_default='', nullable=False),
    sa.Column('checker_person_id', sa.BigInteger(), nullable=True),
    sa.Column('checked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('checked_digest', sa.Text(), nullable=True),
    sa.Column('override_because', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.CheckConstraint("(state IN ('PAID')) = (checker_person_id IS NOT NULL AND checked_at IS NOT NULL AND checked_digest IS NOT NULL)", name=op.f('ck_commission_payout_batch_checked_says_by_whom_and_what')),
    sa.CheckConstraint("checker_person_id <> maker_person_id OR override_because <> ''", name=op.f('ck_commission_payout_batch_the_checker_is_somebody_else')),
    sa.CheckConstraint("override_because = '' OR checker_person_id IS NOT NULL", name=op.f('ck_commission_payout_batch_only_a_check_is_overridden')),
    sa.CheckConstraint("state IN ('PREPARED', 'PAID', 'CANCELLED')", name=op.f('ck_commission_payout_batch_state_known')),
    sa.CheckConstraint('checked_digest = digest', name=op.f('ck_commission_payout_batch_what_was_checked_is_what_was_made')),
    sa.CheckConstraint('total_minor > 0 AND items > 0', name=op.f('ck_commission_payout_batch_pays_something')),
    sa.ForeignKeyConstraint(['checker_person_id'], ['person.id'], name=op.f('fk_commission_payout_batch_checker_person_id_person')),
    sa.ForeignKeyConstraint(['maker_person_id'], ['person.id'], name=op.f('fk_commission_payout_batch_maker_person_id_person')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_commission_payout_batch')),
    sa.UniqueConstraint('idempotency_key', name=op.f('uq_commission_payout_batch_idempotency_key'))
    )
    op.create_index(op.f('ix_commission_payout_batch_pay_on'), 'commission_payout_batch', ['pay_on'], unique=False)
    op.create_index(op.f('ix_commission_payout_batch_state_id'), 'commission_payout_batch', ['state', 'id'], unique=False)
    op.create_table('commission_period_lock',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('period_on', sa.Date(), nullable=False),
    sa.Column('state', sa.Text(), server_default='ACTIVE', nullable=False),
    sa.Column('locked_by', sa.Text(), nullable=False),
    sa.Column('locked_by_person_id', sa.BigInteger(), nullable=False),
    sa.Column('locked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('because', sa.Text(), nullable=False),
    sa.Column('consequences', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('seal_rows', sa.BigInteger(), nullable=False),
    sa.Column('seal_minor', sa.BigInteger(), nullable=False),
    sa.Column('seal', sa.Text(), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint("because <> ''", name=op.f('ck_commission_period_lock_says_why')),
    sa.CheckConstraint("state IN ('ACTIVE', 'RELEASED')", name=op.f('ck_commission_period_lock_state_known')),
    sa.CheckConstraint('extract(day FROM period_on) = 1', name=op.f('ck_commission_period_lock_a_period_is_a_month')),
    sa.ForeignKeyConstraint(['locked_by_person_id'], ['person.id'], name=op.f('fk_commission_period_lock_locked_by_person_id_person')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_commission_period_lock'))
    )
    op.create_index('ix_commission_period_lock_one_at_a_time', 'commission_period_lock', ['period_on'], unique=True, postgresql_where=sa.text("state = 'ACTIVE'"))
    op.create_table('commission_person_account',
    sa.Column('person_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('earned_minor', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('paid_minor', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('reversed_minor', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('adjusted_minor', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('blocked_minor', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.CheckConstraint('blocked_minor >= 0', name=op.f('ck_commission_person_account_blocks_something_or_nothing')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_commission_person_account_person_id_person')),
    sa.PrimaryKeyConstraint('person_id', name=op.f('pk_commission_person_account'))
    )
    op.create_table('commission_policy',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), server_default='PROPOSED', nullable=False),
    sa.Column('method', sa.Text(), nullable=False),
    sa.Column('percent', sa.Numeric(precision=7, scale=4), nullable=True),
    sa.Column('rounding_rule', sa.Text(), nullable=True),
    sa.Column('fixed_commission_minor', sa.BigInteger(), nullable=True),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('valid_until', sa.Date(), nullable=True),
    sa.Column('wording', sa.Text(), nullable=False),
    sa.Column('succeeds_id', sa.BigInteger(), nullable=True),
    sa.Column('maker', sa.Text(), nullable=False),
    sa.Column('maker_person_id', sa.BigInteger(), nullable=True),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('digest', sa.Text(), nullable=False),
    sa.Column('checker', sa.Text(), server_default='', nullable=False),
    sa.Column('checker_person_id', sa.BigInteger(), nullable=True),
    sa.Column('checked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('checked_digest', sa.Text(), nullable=True),
    sa.Column('override_because', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.CheckConstraint("(method = 'FIXED') = (fixed_commission_minor IS NOT NULL)", name=op.f('ck_commission_policy_a_fixed_one_says_how_much')),
    sa.CheckConstraint("(method = 'PERCENTAGE') = (percent IS NOT NULL AND rounding_rule IS NOT NULL)", name=op.f('ck_commission_policy_a_percentage_says_how_it_rounds')),
    sa.CheckConstraint("(state IN ('ACTIVE')) = (checker_person_id IS NOT NULL AND checked_at IS NOT NULL AND checked_digest IS NOT NULL)", name=op.f('ck_commission_policy_checked_says_by_whom_and_what')),
    sa.CheckConstraint("checker_person_id <> maker_person_id OR override_because <> ''", name=op.f('ck_commission_policy_the_checker_is_somebody_else')),
    sa.CheckConstraint("code <> '' AND wording <> ''", name=op.f('ck_commission_policy_has_a_code_and_a_wording')),
    sa.CheckConstraint("method IN ('PERCENTAGE', 'FIXED')", name=op.f('ck_commission_policy_method_known')),
    sa.CheckConstraint("override_because = '' OR checker_person_id IS NOT NULL", name=op.f('ck_commission_policy_only_a_check_is_overridden')),
    sa.CheckConstraint("rounding_rule IN ('ROUND_HALF_UP', 'BANKERS')", name=op.f('ck_commission_policy_rounding_known')),
    sa.CheckConstraint("state IN ('PROPOSED', 'ACTIVE', 'REJECTED')", name=op.f('ck_commission_policy_state_known')),
    sa.CheckConstraint('checked_digest = digest', name=op.f('ck_commission_policy_what_was_checked_is_what_was_made')),
    sa.CheckConstraint('fixed_commission_minor >= 0', name=op.f('ck_commission_policy_fixed_is_not_negative')),
    sa.CheckConstraint('percent BETWEEN 0 AND 100', name=op.f('ck_commission_policy_percent_is_a_share')),
    sa.CheckConstraint('valid_until IS NULL OR valid_until > valid_from', name=op.f('ck_commission_policy_is_valid_for_a_day_at_least')),
    sa.ForeignKeyConstraint(['checker_person_id'], ['person.id'], name=op.f('fk_commission_policy_checker_person_id_person')),
    sa.ForeignKeyConstraint(['maker_person_id'], ['person.id'], name=op.f('fk_commission_policy_maker_person_id_person')),
    sa.ForeignKeyConstraint(['succeeds_id'], ['commission_policy.id'], name=op.f('fk_commission_policy_succeeds_id_commission_policy')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_commission_policy'))
    )
    op.create_index('ix_commission_policy_one_begins_a_day', 'commission_policy', ['code', 'valid_from'], unique=True, postgresql_where=sa.text("state = 'ACTIVE'"))
    op.create_table('second_account',
    sa.Column('person_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('human_id', sa.BigInteger(), nullable=False),
    sa.Column('noted_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint('person_id <> human_id', name=op.f('ck_second_account_is_somebody_elses_second')),
    sa.ForeignKeyConstraint(['human_id'], ['person.id'], name=op.f('fk_second_account_human_id_person')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_second_account_person_id_person')),
    sa.PrimaryKeyConstraint('person_id', name=op.f('pk_second_account'))
    )
    op.create_index(op.f('ix_second_account_human_id'), 'second_account', ['human_id'], unique=False)
    op.create_table('stand_in',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('for_person_id', sa.BigInteger(), nullable=False),
    sa.Column('from_on', sa.Date(), nullable=False),
    sa.Column('until_on', sa.Date(), nullable=True),
    sa.Column('noted_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint('person_id <> for_person_id', name=op.f('ck_stand_in_stands_in_for_somebody_else')),
    sa.CheckConstraint('until_on IS NULL OR until_on > from_on', name=op.f('ck_stand_in_lasts_a_day_at_least')),
    sa.ForeignKeyConstraint(['for_person_id'], ['person.id'], name=op.f('fk_stand_in_for_person_id_person')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_stand_in_person_id_person')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_stand_in')),
    sa.UniqueConstraint('person_id', 'for_person_id', 'from_on', name='is_said_once')
    )
    op.create_table('commission_lock_release',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('lock_id', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.Text(), server_default='ASKED', nullable=False),
    sa.Column('because', sa.Text(), nullable=False),
    sa.Column('maker', sa.Text(), nullable=False),
    sa.Column('maker_person_id', sa.BigInteger(), nullable=True),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('digest', sa.Text(), nullable=False),
    sa.Column('checker', sa.Text(), server_default='', nullable=False),
    sa.Column('checker_person_id', sa.BigInteger(), nullable=True),
    sa.Column('checked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('checked_digest', sa.Text(), nullable=True),
    sa.Column('override_because', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.CheckConstraint("(state IN ('DONE')) = (checker_person_id IS NOT NULL AND checked_at IS NOT NULL AND checked_digest IS NOT NULL)", name=op.f('ck_commission_lock_release_checked_says_by_whom_and_what')),
    sa.CheckConstraint("because <> ''", name=op.f('ck_commission_lock_release_says_why')),
    sa.CheckConstraint("checker_person_id <> maker_person_id OR override_because <> ''", name=op.f('ck_commission_lock_release_the_checker_is_somebody_else')),
    sa.CheckConstraint("override_because = '' OR checker_person_id IS NOT NULL", name=op.f('ck_commission_lock_release_only_a_check_is_overridden')),
    sa.CheckConstraint("override_because = ''", name=op.f('ck_commission_lock_release_takes_two_without_exception')),
    sa.CheckConstraint("state IN ('ASKED', 'DONE')", name=op.f('ck_commission_lock_release_state_known')),
    sa.CheckConstraint('checked_digest = digest', name=op.f('ck_commission_lock_release_what_was_checked_is_what_was_made')),
    sa.ForeignKeyConstraint(['checker_person_id'], ['person.id'], name=op.f('fk_commission_lock_release_checker_person_id_person')),
    sa.ForeignKeyConstraint(['lock_id'], ['commission_period_lock.id'], name=op.f('fk_commission_lock_release_lock_id_commission_period_lock')),
    sa.ForeignKeyConstraint(['maker_person_id'], ['person.id'], name=op.f('fk_commission_lock_release_maker_person_id_person')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_commission_lock_release')),
    sa.UniqueConstraint('lock_id', name=op.f('uq_commission_lock_release_lock_id'))
    )
    op.create_table('commission_policy_share',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('policy_id', sa.BigInteger(), nullable=False),
    sa.Column('position', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=True),
    sa.Column('role', sa.Text(), nullable=True),
    sa.Column('share_bps', sa.BigInteger(), nullable=False),
    sa.CheckConstraint("role IN ('AGENT', 'SOURCE', 'LEADER')", name=op.f('ck_commission_policy_share_role_known')),
    sa.CheckConstraint('(person_id IS NULL) <> (role IS NULL)', name=op.f('ck_commission_policy_share_goes_to_a_person_or_a_part')),
    sa.CheckConstraint('share_bps BETWEEN 0 AND 10000', name=op.f('ck_commission_policy_share_is_a_share')),
    sa.ForeignKeyConstraint(['person_id'], ['commission_agent.person_id'], name=op.f('fk_commission_policy_share_person_id_commission_agent')),
    sa.ForeignKeyConstraint(['policy_id'], ['commission_policy.id'], name=op.f('fk_commission_policy_share_policy_id_commission_policy')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_commission_policy_share')),
    sa.UniqueConstraint('policy_id', 'position', name='shares_are_numbered')
    )
    op.create_table('customer_agent',
    sa.Column('organisation_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('from_on', sa.Date(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_customer_agent_organisation_id_organisation')),
    sa.ForeignKeyConstraint(['person_id'], ['commission_agent.person_id'], name=op.f('fk_customer_agent_person_id_commission_agent')),
    sa.PrimaryKeyConstraint('organisation_id', 'from_on', name=op.f('pk_customer_agent'))
    )
    op.create_table('deal',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), server_default='OPEN', nullable=False),
    sa.Column('lead_id', sa.BigInteger(), nullable=True),
    sa.Column('listing_id', sa.BigInteger(), nullable=True),
    sa.Column('sale_price', sa.BigInteger(), nullable=True),
    sa.Column('order_id', sa.BigInteger(), nullable=True),
    sa.Column('policy_code', sa.Text(), server_default=sa.text("'standard'"), nullable=False),
    sa.Column('evidence', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('closed_on', sa.Date(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint("(state = 'OPEN') = (closed_on IS NULL)", name=op.f('ck_deal_what_is_closed_is_dated')),
    sa.CheckConstraint("state IN ('OPEN', 'WON', 'LOST')", name=op.f('ck_deal_state_known')),
    sa.CheckConstraint('order_id IS NULL OR sale_price IS NOT NULL', name=op.f('ck_deal_an_order_has_a_price')),
    sa.CheckConstraint('sale_price >= 0', name=op.f('ck_deal_sale_price_is_not_negative')),
    sa.ForeignKeyConstraint(['lead_id'], ['lead.id'], name=op.f('fk_deal_lead_id_lead')),
    sa.ForeignKeyConstraint(['listing_id'], ['listing.id'], name=op.f('fk_deal_listing_id_listing')),
    sa.ForeignKeyConstraint(['order_id'], ['network_order.id'], name=op.f('fk_deal_order_id_network_order')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_deal')),
    sa.UniqueConstraint('order_id', name=op.f('uq_deal_order_id'))
    )
    op.create_index(op.f('ix_deal_state_id'), 'deal', ['state', 'id'], unique=False)
    op.create_table('commission_snapshot',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('idempotency_key', sa.Text(), nullable=False),
    sa.Column('deal_id', sa.BigInteger(), nullable=False),
    sa.Column('policy_id', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.Text(), server_default='PENDING_APPROVAL', nullable=False),
    sa.Column('effective_on', sa.Date(), nullable=False),
    sa.Column('dated_on', sa.Date(), nullable=True),
    sa.Column('base_amount_minor', sa.BigInteger(), nullable=False),
    sa.Column('base_source', sa.Text(), nullable=False),
    sa.Column('pool_amount_minor', sa.BigInteger(), nullable=False),
    sa.Column('facts', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('maker', sa.Text(), nullable=False),
    sa.Column('maker_person_id', sa.BigInteger(), nullable=True),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('digest', sa.Text(), nullable=False),
    sa.Column('checker', sa.Text(), server_default='', nullable=False),
    sa.Column('checker_person_id', sa.BigInteger(), nullable=True),
    sa.Column('checked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('checked_digest', sa.Text(), nullable=True),
    sa.Column('override_because', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.CheckConstraint("(state IN ('APPROVED', 'REVERSED')) = (checker_person_id IS NOT NULL AND checked_at IS NOT NULL AND checked_digest IS NOT NULL)", name=op.f('ck_commission_snapshot_checked_says_by_whom_and_what')),
    sa.CheckConstraint("(state IN ('APPROVED', 'REVERSED')) = (dated_on IS NOT NULL)", name=op.f('ck_commission_snapshot_approval_is_dated')),
    sa.CheckConstraint("base_source IN ('closeSummary.commissionBaseAmount', 'listing.price', 'deal.sale_price')", name=op.f('ck_commission_snapshot_base_source_known')),
    sa.CheckConstraint("checker_person_id <> maker_person_id OR override_because <> ''", name=op.f('ck_commission_snapshot_the_checker_is_somebody_else')),
    sa.CheckConstraint("override_because = '' OR checker_person_id IS NOT NULL", name=op.f('ck_commission_snapshot_only_a_check_is_overridden')),
    sa.CheckConstraint("state IN ('PENDING_APPROVAL', 'APPROVED', 'REJECTED', 'REVERSED')", name=op.f('ck_commission_snapshot_state_known')),
    sa.CheckConstraint('base_amount_minor >= 0 AND pool_amount_minor >= 0', name=op.f('ck_commission_snapshot_amounts_are_not_negative')),
    sa.CheckConstraint('checked_digest = digest', name=op.f('ck_commission_snapshot_what_was_checked_is_what_was_made')),
    sa.ForeignKeyConstraint(['checker_person_id'], ['person.id'], name=op.f('fk_commission_snapshot_checker_person_id_person')),
    sa.ForeignKeyConstraint(['deal_id'], ['deal.id'], name=op.f('fk_commission_snapshot_deal_id_deal')),
    sa.ForeignKeyConstraint(['maker_person_id'], ['person.id'], name=op.f('fk_commission_snapshot_maker_person_id_person')),
    sa.ForeignKeyConstraint(['policy_id'], ['commission_policy.id'], name=op.f('fk_commission_snapshot_policy_id_commission_policy')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_commission_snapshot')),
    sa.UniqueConstraint('idempotency_key', name=op.f('uq_commission_snapshot_idempotency_key'))
    )
    op.create_index(op.f('ix_commission_snapshot_effective_on'), 'commission_snapshot', ['effective_on'], unique=False)
    op.create_index('ix_commission_snapshot_one_that_counts', 'commission_snapshot', ['deal_id'], unique=True, postgresql_where=sa.text("state IN ('PENDING_APPROVAL', 'APPROVED')"))
    op.create_index(op.f('ix_commission_snapshot_policy_id'), 'commission_snapshot', ['policy_id'], unique=False)
    op.create_index(op.f('ix_commission_snapshot_state_id'), 'commission_snapshot', ['state', 'id'], unique=False)
    op.create_table('deal_participant',
    sa.Column('deal_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('role', sa.Text(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.CheckConstraint("role IN ('AGENT', 'SOURCE', 'LEADER')", name=op.f('ck_deal_participant_role_known')),
    sa.ForeignKeyConstraint(['deal_id'], ['deal.id'], name=op.f('fk_deal_participant_deal_id_deal')),
    sa.ForeignKeyConstraint(['person_id'], ['commission_agent.person_id'], name=op.f('fk_deal_participant_person_id_commission_agent')),
    sa.PrimaryKeyConstraint('deal_id', 'role', 'person_id', name=op.f('pk_deal_participant'))
    )
    op.create_table('commission_correction',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('idempotency_key', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), server_default='PROPOSED', nullable=False),
    sa.Column('type', sa.Text(), nullable=False),
    sa.Column('direction', sa.Text(), nullable=False),
    sa.Column('snapshot_id', sa.BigInteger(), nullable=False),
    sa.Column('total_minor', sa.BigInteger(), nullable=False),
    sa.Column('dated_on', sa.Date(), nullable=False),
    sa.Column('because', sa.Text(), nullable=False),
    sa.Column('maker', sa.Text(), nullable=False),
    sa.Column('maker_person_id', sa.BigInteger(), nullable=True),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('digest', sa.Text(), nullable=False),
    sa.Column('checker', sa.Text(), server_default='', nullable=False),
    sa.Column('checker_person_id', sa.BigInteger(), nullable=True),
    sa.Column('checked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('checked_digest', sa.Text(), nullable=True),
    sa.Column('override_because', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.CheckConstraint("(state IN ('DONE')) = (checker_person_id IS NOT NULL AND checked_at IS NOT NULL AND checked_digest IS NOT NULL)", name=op.f('ck_commission_correction_checked_says_by_whom_and_what')),
    sa.CheckConstraint("because <> ''", name=op.f('ck_commission_correction_says_why')),
    sa.CheckConstraint("checker_person_id <> maker_person_id OR override_because <> ''", name=op.f('ck_commission_correction_the_checker_is_somebody_else')),
    sa.CheckConstraint("direction IN ('CREDIT', 'DEBIT')", name=op.f('ck_commission_correction_direction_known')),
    sa.CheckConstraint("override_because = '' OR checker_person_id IS NOT NULL", name=op.f('ck_commission_correction_only_a_check_is_overridden')),
    sa.CheckConstraint("state IN ('PROPOSED', 'DONE', 'REJECTED')", name=op.f('ck_commission_correction_state_known')),
    sa.CheckConstraint("type <> 'REVERSAL' OR direction = 'DEBIT'", name=op.f('ck_commission_correction_a_reversal_takes_back')),
    sa.CheckConstraint("type IN ('REVERSAL', 'ADJUSTMENT')", name=op.f('ck_commission_correction_type_known')),
    sa.CheckConstraint('checked_digest = digest', name=op.f('ck_commission_correction_what_was_checked_is_what_was_made')),
    sa.CheckConstraint('total_minor > 0', name=op.f('ck_commission_correction_moves_something')),
    sa.ForeignKeyConstraint(['checker_person_id'], ['person.id'], name=op.f('fk_commission_correction_checker_person_id_person')),
    sa.ForeignKeyConstraint(['maker_person_id'], ['person.id'], name=op.f('fk_commission_correction_maker_person_id_person')),
    sa.ForeignKeyConstraint(['snapshot_id'], ['commission_snapshot.id'], name=op.f('fk_commission_correction_snapshot_id_commission_snapshot')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_commission_correction')),
    sa.UniqueConstraint('idempotency_key', name=op.f('uq_commission_correction_idempotency_key'))
    )
    op.create_index(op.f('ix_commission_correction_snapshot_id'), 'commission_correction', ['snapshot_id'], unique=False)
    op.create_index(op.f('ix_commission_correction_state_id'), 'commission_correction', ['state', 'id'], unique=False)
    op.create_table('commission_snapshot_line',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('snapshot_id', sa.BigInteger(), nullable=False),
    sa.Column('line_no', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=True),
    sa.Column('role', sa.Text(), nullable=True),
    sa.Column('share_bps', sa.BigInteger(), nullable=False),
    sa.Column('share_position', sa.BigInteger(), nullable=False),
    sa.Column('amount_minor', sa.BigInteger(), nullable=False),
    sa.CheckConstraint("(kind = 'SYSTEM') = (person_id IS NULL)", name=op.f('ck_commission_snapshot_line_the_system_is_nobody')),
    sa.CheckConstraint("kind IN ('PERSON', 'SYSTEM')", name=op.f('ck_commission_snapshot_line_kind_known')),
    sa.CheckConstraint('amount_minor >= 0', name=op.f('ck_commission_snapshot_line_nobody_gets_less_than_nothing')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_commission_snapshot_line_person_id_person')),
    sa.ForeignKeyConstraint(['snapshot_id'], ['commission_snapshot.id'], name=op.f('fk_commission_snapshot_line_snapshot_id_commission_snapshot')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_commission_snapshot_line')),
    sa.UniqueConstraint('id', 'person_id', name='a_lines_person_can_be_pointed_at'),
    sa.UniqueConstraint('snapshot_id', 'line_no', name='commission_lines_are_numbered')
    )
    op.create_index(op.f('ix_commission_snapshot_line_person_id_id'), 'commission_snapshot_line', ['person_id', 'id'], unique=False)
    op.create_table('commission_correction_item',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('correction_id', sa.BigInteger(), nullable=False),
    sa.Column('line_id', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('amount_minor', sa.BigInteger(), nullable=False),
    sa.CheckConstraint('amount_minor > 0', name=op.f('ck_commission_correction_item_moves_something')),
    sa.ForeignKeyConstraint(['correction_id'], ['commission_correction.id'], name=op.f('fk_commission_correction_item_correction_id_commission_correction')),
    sa.ForeignKeyConstraint(['line_id', 'person_id'], ['commission_snapshot_line.id', 'commission_snapshot_line.person_id'], name='corrects_the_lines_person'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_commission_correction_item')),
    sa.UniqueConstraint('correction_id', 'line_id', name='a_line_is_corrected_once')
    )
    op.create_table('commission_dispute',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('line_id', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.Text(), server_default='OPEN', nullable=False),
    sa.Column('amount_minor', sa.BigInteger(), nullable=False),
    sa.Column('claim', sa.Text(), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('answer_by_on', sa.Date(), nullable=False),
    sa.Column('escalated_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('resolution', sa.Text(), nullable=True),
    sa.Column('resolved_minor', sa.BigInteger(), nullable=True),
    sa.Column('because', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('resolver', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('resolver_person_id', sa.BigInteger(), nullable=True),
    sa.Column('resolved_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("(escalated_at IS NOT NULL) OR state <> 'ESCALATED'", name=op.f('ck_commission_dispute_escalated_is_dated')),
    sa.CheckConstraint("(state = 'RESOLVED') = (resolution IS NOT NULL AND resolved_at IS NOT NULL AND because <> '' AND resolver_person_id IS NOT NULL)", name=op.f('ck_commission_dispute_resolved_says_how_why_and_by_whom')),
    sa.CheckConstraint("claim <> ''", name=op.f('ck_commission_dispute_says_what_is_wrong')),
    sa.CheckConstraint("resolution IN ('KEEP', 'RAISE', 'LOWER', 'TAKE_BACK')", name=op.f('ck_commission_dispute_resolution_known')),
    sa.CheckConstraint("state IN ('OPEN', 'ESCALATED', 'RESOLVED')", name=op.f('ck_commission_dispute_state_known')),
    sa.CheckConstraint('amount_minor >= 0', name=op.f('ck_commission_dispute_blocks_something_or_nothing')),
    sa.CheckConstraint('resolver_person_id <> person_id', name=op.f('ck_commission_dispute_nobody_resolves_his_own')),
    sa.ForeignKeyConstraint(['line_id', 'person_id'], ['commission_snapshot_line.id', 'commission_snapshot_line.person_id'], name='opened_by_the_one_concerned'),
    sa.ForeignKeyConstraint(['resolver_person_id'], ['person.id'], name=op.f('fk_commission_dispute_resolver_person_id_person')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_commission_dispute'))
    )
    op.create_index('ix_commission_dispute_one_at_a_time', 'commission_dispute', ['line_id'], unique=True, postgresql_where=sa.text("state <> 'RESOLVED'"))
    op.create_index('ix_commission_dispute_open', 'commission_dispute', ['answer_by_on'], unique=False, postgresql_where=sa.text("state <> 'RESOLVED'"))
    op.create_index(op.f('ix_commission_dispute_person_id_id'), 'commission_dispute', ['person_id', 'id'], unique=False)
    op.create_table('commission_line_account',
    sa.Column('line_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('earned_minor', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('paid_minor', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('reversed_minor', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('adjusted_minor', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('blocked_minor', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.CheckConstraint('blocked_minor >= 0', name=op.f('ck_commission_line_account_blocks_something_or_nothing')),
    sa.CheckConstraint('earned_minor + adjusted_minor >= reversed_minor', name=op.f('ck_commission_line_account_never_more_taken_back_than_earned')),
    sa.ForeignKeyConstraint(['line_id'], ['commission_snapshot_line.id'], name=op.f('fk_commission_line_account_line_id_commission_snapshot_line')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_commission_line_account_person_id_person')),
    sa.PrimaryKeyConstraint('line_id', name=op.f('pk_commission_line_account'))
    )
    op.create_index(op.f('ix_commission_line_account_person_id'), 'commission_line_account', ['person_id'], unique=False)
    op.create_table('commission_payout_item',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('batch_id', sa.BigInteger(), nullable=False),
    sa.Column('line_id', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('amount_minor', sa.BigInteger(), nullable=False),
    sa.CheckConstraint('amount_minor > 0', name=op.f('ck_commission_payout_item_pays_something')),
    sa.ForeignKeyConstraint(['batch_id'], ['commission_payout_batch.id'], name=op.f('fk_commission_payout_item_batch_id_commission_payout_batch')),
    sa.ForeignKeyConstraint(['line_id', 'person_id'], ['commission_snapshot_line.id', 'commission_snapshot_line.person_id'], name='pays_the_lines_person'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_commission_payout_item')),
    sa.UniqueConstraint('batch_id', 'line_id', name='a_line_is_paid_once_in_a_batch')
    )
    op.create_index(op.f('ix_commission_payout_item_line_id'), 'commission_payout_item', ['line_id'], unique=False)
    op.create_table('commission_dispute_attachment',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('dispute_id', sa.BigInteger(), nullable=False),
    sa.Column('sha256', sa.Text(), nullable=False),
    sa.Column('width', sa.BigInteger(), nullable=False),
    sa.Column('height', sa.BigInteger(), nullable=False),
    sa.Column('jpeg', sa.LargeBinary(), nullable=False),
    sa.Column('added_by', sa.Text(), nullable=False),
    sa.Column('added_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.ForeignKeyConstraint(['dispute_id'], ['commission_dispute.id'], name=op.f('fk_commission_dispute_attachment_dispute_id_commission_dispute')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_commission_dispute_attachment')),
    sa.UniqueConstraint('dispute_id', 'sha256', name='one_copy_of_a_paper')
    )
    op.create_table('commission_dispute_message',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('dispute_id', sa.BigInteger(), nullable=False),
    sa.Column('author', sa.Text(), nullable=False),
    sa.Column('author_person_id', sa.BigInteger(), nullable=True),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('said_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("body <> ''", name=op.f('ck_commission_dispute_message_says_something')),
    sa.ForeignKeyConstraint(['author_person_id'], ['person.id'], name=op.f('fk_commission_dispute_message_author_person_id_person')),
    sa.ForeignKeyConstraint(['dispute_id'], ['commission_dispute.id'], name=op.f('fk_commission_dispute_message_dispute_id_commission_dispute')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_commission_dispute_message'))
    )
    op.create_index(op.f('ix_commission_dispute_message_dispute_id_id'), 'commission_dispute_message', ['dispute_id', 'id'], unique=False)
    op.create_table('commission_ledger_entry',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('idempotency_key', sa.Text(), nullable=False),
    sa.Column('type', sa.Text(), nullable=False),
    sa.Column('direction', sa.Text(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('line_id', sa.BigInteger(), nullable=False),
    sa.Column('amount_minor', sa.BigInteger(), nullable=False),
    sa.Column('effective_on', sa.Date(), nullable=False),
    sa.Column('journal_entry_id', sa.BigInteger(), nullable=False),
    sa.Column('payout_item_id', sa.BigInteger(), nullable=True),
    sa.Column('correction_item_id', sa.BigInteger(), nullable=True),
    sa.Column('dispute_id', sa.BigInteger(), nullable=True),
    sa.Column('because', sa.Text(), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint("(type = 'EARN' AND direction = 'CREDIT') OR (type IN ('PAYOUT', 'REVERSAL') AND direction = 'DEBIT') OR (type = 'ADJUSTMENT' AND direction IN ('CREDIT', 'DEBIT'))", name=op.f('ck_commission_ledger_entry_direction_fits_type')),
    sa.CheckConstraint("(type = 'PAYOUT') = (payout_item_id IS NOT NULL)", name=op.f('ck_commission_ledger_entry_payouts_come_from_a_batch')),
    sa.CheckConstraint("(type IN ('REVERSAL', 'ADJUSTMENT')) = (num_nonnulls(correction_item_id, dispute_id) = 1)", name=op.f('ck_commission_ledger_entry_corrections_say_where_they_come_from')),
    sa.CheckConstraint("type IN ('EARN', 'PAYOUT', 'REVERSAL', 'ADJUSTMENT')", name=op.f('ck_commission_ledger_entry_type_known')),
    sa.CheckConstraint('amount_minor > 0', name=op.f('ck_commission_ledger_entry_moves_something')),
    sa.ForeignKeyConstraint(['correction_item_id'], ['commission_correction_item.id'], name=op.f('fk_commission_ledger_entry_correction_item_id_commission_correction_item')),
    sa.ForeignKeyConstraint(['dispute_id'], ['commission_dispute.id'], name=op.f('fk_commission_ledger_entry_dispute_id_commission_dispute')),
    sa.ForeignKeyConstraint(['journal_entry_id'], ['journal_entry.id'], name=op.f('fk_commission_ledger_entry_journal_entry_id_journal_entry')),
    sa.ForeignKeyConstraint(['line_id', 'person_id'], ['commission_snapshot_line.id', 'commission_snapshot_line.person_id'], name='belongs_to_the_lines_person'),
    sa.ForeignKeyConstraint(['payout_item_id'], ['commission_payout_item.id'], name=op.f('fk_commission_ledger_entry_payout_item_id_commission_payout_item')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_commission_ledger_entry_person_id_person')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_commission_ledger_entry')),
    sa.UniqueConstraint('correction_item_id', name=op.f('uq_commission_ledger_entry_correction_item_id')),
    sa.UniqueConstraint('dispute_id', name=op.f('uq_commission_ledger_entry_dispute_id')),
    sa.UniqueConstraint('idempotency_key', name=op.f('uq_commission_ledger_entry_idempotency_key')),
    sa.UniqueConstraint('payout_item_id', name=op.f('uq_commission_ledger_entry_payout_item_id'))
    )
    op.create_index('ix_commission_ledger_entry_earned_once', 'commission_ledger_entry', ['line_id'], unique=True, postgresql_where=sa.text("type = 'EARN'"))
    op.create_index(op.f('ix_commission_ledger_entry_effective_on_person_id'), 'commission_ledger_entry', ['effective_on', 'person_id'], unique=False)
    op.create_index(op.f('ix_commission_ledger_entry_journal_entry_id'), 'commission_ledger_entry', ['journal_entry_id'], unique=False)
    op.create_index(op.f('ix_commission_ledger_entry_line_id'), 'commission_ledger_entry', ['line_id'], unique=False)
    op.create_index(op.f('ix_commission_ledger_entry_person_id_effective_on'), 'commission_ledger_entry', ['person_id', 'effective_on'], unique=False)
    op.add_column('ledger_account', sa.Column('person_id', sa.BigInteger(), nullable=True))
    op.create_unique_constraint(op.f('uq_ledger_account_person_id'), 'ledger_account', ['person_id'])
    op.create_foreign_key(op.f('fk_ledger_account_person_id_person'), 'ledger_account', 'person', ['person_id'], ['id'])
    for rule in LEDGER_ACCOUNTS, ONE_HAND, FACTS, MOVES, TWO_PEOPLE, PERIODS, SHARES, ENTRIES, DISPUTES:
        op.execute(rule)
    for table in APPEND_ONLY:
        keep_history(table)
    for table, may_change in FACTS_OF.items():
        keep_facts(table, may_change)
    for table, moves in MOVES_OF.items():
        op.execute(
            f"CREATE TRIGGER {table}_moves_as_told BEFORE UPDATE OF state ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION state_moves_as_told({', '.join(repr(move) for move in moves)})"
        )
    for table in TWO_PEOPLE_LOOK_AT:
        op.execute(
            f"CREATE TRIGGER {table}_takes_two BEFORE INSERT OR UPDATE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION two_people_have_looked()"
        )


# What agents are owed, and what they cost, are two more kinds of account.
LEDGER_ACCOUNTS = """
ALTER TABLE ledger_account DROP CONSTRAINT ck_ledger_account_kind_known;
ALTER TABLE ledger_account ADD CONSTRAINT ck_ledger_account_kind_known CHECK (
  kind IN ('PROVIDER', 'BANK', 'FEE', 'AGENT_COST', 'ESCROW', 'SELLER', 'COMMISSION', 'AGENT'));
ALTER TABLE ledger_account DROP CONSTRAINT ck_ledger_account_only_what_we_owe_is_limited;
ALTER TABLE ledger_account ADD CONSTRAINT ck_ledger_account_only_what_we_owe_is_limited CHECK (
  NOT limited OR kind IN ('ESCROW', 'SELLER', 'COMMISSION', 'AGENT'));
ALTER TABLE ledger_account ADD CONSTRAINT ck_ledger_account_agents_are_people CHECK (
  (kind = 'AGENT') = (person_id IS NOT NULL))
"""

# A second account, and whoever stands in for somebody, are the same hand (facts: reliability 2h).
ONE_HAND = """
CREATE FUNCTION human_of(account bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT coalesce((SELECT human_id FROM second_account WHERE person_id = account), account)
$$;
CREATE FUNCTION is_one_hand(one bigint, other bigint, a_day date) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT human_of(one) = human_of(other) OR EXISTS (
    SELECT FROM stand_in s WHERE s.from_on <= a_day AND (s.until_on IS NULL OR a_day < s.until_on)
      AND (human_of(s.person_id), human_of(s.for_person_id))
          IN ((human_of(one), human_of(other)), (human_of(other), human_of(one))))
$$
"""

# The facts of a row never change; the columns named in the trigger may.
FACTS = """
CREATE FUNCTION facts_stay_as_written() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR (to_jsonb(NEW) - TG_ARGV) IS DISTINCT FROM (to_jsonb(OLD) - TG_ARGV) THEN
    RAISE EXCEPTION '% keeps its facts as they were written: succeed it, reverse it, or make a new one', TG_TABLE_NAME
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$
"""

MOVES = """
CREATE FUNCTION state_moves_as_told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.state <> OLD.state AND NOT (OLD.state || '>' || NEW.state) = ANY (TG_ARGV) THEN
    RAISE EXCEPTION '% does not go from % to %', TG_TABLE_NAME, OLD.state, NEW.state
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$
"""

# Maker and checker are two hands; who earns from it does not check it; a check stays as it was given.
TWO_PEOPLE = """
CREATE FUNCTION two_people_have_looked() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  checked_on date := (NEW.checked_at AT TIME ZONE 'Europe/Istanbul')::date;
  earns boolean := false;
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.checker_person_id IS NOT NULL THEN
      RAISE EXCEPTION '% is made first and checked later', TG_TABLE_NAME USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF OLD.checker_person_id IS NOT NULL THEN
    IF (NEW.checker, NEW.checker_person_id, NEW.checked_at, NEW.checked_digest, NEW.override_because)
       IS DISTINCT FROM (OLD.checker, OLD.checker_person_id, OLD.checked_at, OLD.checked_digest, OLD.override_because)
    THEN
      RAISE EXCEPTION 'the check of % stays as it was given', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF NEW.checker_person_id IS NULL THEN
    RETURN NEW;
  END IF;
  IF NEW.override_because = '' AND NEW.maker_person_id IS NOT NULL
     AND (is_one_hand(NEW.maker_person_id, NEW.checker_person_id, checked_on)
       OR is_one_hand(NEW.maker_person_id, NEW.checker_person_id,
                      (NEW.made_at AT TIME ZONE 'Europe/Istanbul')::date)) THEN
    RAISE EXCEPTION '%: maker and checker are one hand', TG_TABLE_NAME
      USING ERRCODE = 'check_violation', CONSTRAINT = 'the_checker_is_somebody_else';
  END IF;
  IF TG_TABLE_NAME = 'commission_snapshot' THEN
    SELECT bool_or(is_one_hand(l.person_id, NEW.checker_person_id, checked_on)) INTO earns
      FROM commission_snapshot_line l WHERE l.snapshot_id = NEW.id AND l.person_id IS NOT NULL;
  ELSIF TG_TABLE_NAME = 'commission_payout_batch' THEN
    SELECT bool_or(is_one_hand(p.person_id, NEW.checker_person_id, checked_on)) INTO earns
      FROM (SELECT DISTINCT person_id FROM commission_payout_item WHERE batch_id = NEW.id) p;
  ELSIF TG_TABLE_NAME = 'commission_correction' THEN
    IF NEW.direction = 'CREDIT' THEN
      SELECT bool_or(is_one_hand(i.person_id, NEW.checker_person_id, checked_on)) INTO earns
        FROM commission_correction_item i WHERE i.correction_id = NEW.id;
    END IF;
  ELSIF TG_TABLE_NAME = 'commission_policy' THEN
    SELECT bool_or(is_one_hand(s.person_id, NEW.checker_person_id, checked_on)) INTO earns
      FROM commission_policy_share s WHERE s.policy_id = NEW.id AND s.person_id IS NOT NULL;
  END IF;
  IF earns THEN
    RAISE EXCEPTION '%: nobody checks what pays himself', TG_TABLE_NAME
      USING ERRCODE = 'check_violation', CONSTRAINT = 'nobody_checks_what_pays_himself';
  END IF;
  RETURN NEW;
END $$
"""

# A month is open or locked, and that is read under a lock: shared for those who post, exclusive for the one who
# closes (facts: reliability 2g). The question takes the lock, so what was answered stays true until the commit.
PERIODS = """
CREATE FUNCTION commission_period_is_open(a_day date) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(7310, (extract(year FROM a_day) * 12 + extract(month FROM a_day))::int);
  RETURN NOT EXISTS (SELECT FROM commission_period_lock
    WHERE state = 'ACTIVE' AND period_on = date_trunc('month', a_day::timestamp)::date);
END $$;
CREATE FUNCTION commission_is_dated_in_an_open_period() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT commission_period_is_open(NEW.effective_on) THEN
    RAISE EXCEPTION '% of % is dated in a locked period', TG_TABLE_NAME, NEW.effective_on
      USING ERRCODE = 'check_violation', CONSTRAINT = 'the_period_is_open';
  END IF;
  RETURN NEW;
END $$;
CREATE FUNCTION commission_is_dated_in_an_open_period_when_done() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  a_day date := (to_jsonb(NEW) ->> TG_ARGV[0])::date;
BEGIN
  IF NOT commission_period_is_open(a_day) THEN
    RAISE EXCEPTION '% of % is dated in a locked period', TG_TABLE_NAME, a_day
      USING ERRCODE = 'check_violation', CONSTRAINT = 'the_period_is_open';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER commission_snapshot_is_dated BEFORE INSERT ON commission_snapshot
  FOR EACH ROW EXECUTE FUNCTION commission_is_dated_in_an_open_period();
CREATE TRIGGER commission_ledger_entry_is_dated BEFORE INSERT ON commission_ledger_entry
  FOR EACH ROW EXECUTE FUNCTION commission_is_dated_in_an_open_period();
CREATE TRIGGER commission_snapshot_approval_is_dated BEFORE UPDATE OF state ON commission_snapshot
  FOR EACH ROW WHEN (NEW.state = 'APPROVED' AND OLD.state <> 'APPROVED')
  EXECUTE FUNCTION commission_is_dated_in_an_open_period_when_done('dated_on');
CREATE TRIGGER commission_payout_is_dated BEFORE UPDATE OF state ON commission_payout_batch
  FOR EACH ROW WHEN (NEW.state = 'PAID' AND OLD.state <> 'PAID')
  EXECUTE FUNCTION commission_is_dated_in_an_open_period_when_done('pay_on');
CREATE TRIGGER commission_correction_is_dated BEFORE UPDATE OF state ON commission_correction
  FOR EACH ROW WHEN (NEW.state = 'DONE' AND OLD.state <> 'DONE')
  EXECUTE FUNCTION commission_is_dated_in_an_open_period_when_done('dated_on');
CREATE FUNCTION commission_lock_is_released_by_two() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM commission_lock_release WHERE lock_id = NEW.id AND state = 'DONE') THEN
    RAISE EXCEPTION 'a locked month is released by two people' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER commission_period_lock_takes_two BEFORE UPDATE OF state ON commission_period_lock
  FOR EACH ROW WHEN (NEW.state = 'RELEASED') EXECUTE FUNCTION commission_lock_is_released_by_two()
"""

# The lines of a snapshot add up to its pool, and the shares of a policy to no more than the whole.
SHARES = """
CREATE FUNCTION commission_lines_add_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.pool_amount_minor
     <> (SELECT coalesce(sum(amount_minor), 0) FROM commission_snapshot_line WHERE snapshot_id = NEW.id) THEN
    RAISE EXCEPTION 'the lines of snapshot % do not add up to its pool', NEW.id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER commission_snapshot_adds_up AFTER INSERT ON commission_snapshot
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION commission_lines_add_up();
CREATE FUNCTION commission_lines_come_with_their_snapshot() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM commission_snapshot s WHERE s.id = NEW.snapshot_id
                 AND s.xmin::text = (pg_current_xact_id()::text::bigint % 4294967296)::text) THEN
    RAISE EXCEPTION 'a snapshot gets no more lines' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER commission_snapshot_line_comes_with_it BEFORE INSERT ON commission_snapshot_line
  FOR EACH ROW EXECUTE FUNCTION commission_lines_come_with_their_snapshot();
CREATE FUNCTION commission_shares_fit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT state FROM commission_policy WHERE id = NEW.policy_id) <> 'PROPOSED'
     OR (SELECT coalesce(sum(share_bps), 0) FROM commission_policy_share WHERE policy_id = NEW.policy_id)
        + NEW.share_bps > 10000 THEN
    RAISE EXCEPTION 'a policy gives away no more than the whole, and nothing once it is in force'
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER commission_policy_share_fits BEFORE INSERT ON commission_policy_share
  FOR EACH ROW EXECUTE FUNCTION commission_shares_fit()
"""

# An entry needs its reason (an approved snapshot, a paid batch, a done correction, a resolved dispute); it moves the
# kept sums of the person and of the line, and a payout never takes more than is owed and not argued about.
ENTRIES = """
CREATE FUNCTION commission_entry_has_its_reason() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  right_so boolean;
BEGIN
  IF NEW.type = 'EARN' THEN
    SELECT s.state = 'APPROVED' AND l.amount_minor = NEW.amount_minor INTO right_so
      FROM commission_snapshot_line l JOIN commission_snapshot s ON s.id = l.snapshot_id WHERE l.id = NEW.line_id;
  ELSIF NEW.type = 'PAYOUT' THEN
    -- Nothing is paid before it was earned: the books must add up on every day in between, too.
    SELECT b.state = 'PAID' AND i.amount_minor = NEW.amount_minor AND i.line_id = NEW.line_id
        AND s.dated_on <= NEW.effective_on INTO right_so
      FROM commission_payout_item i JOIN commission_payout_batch b ON b.id = i.batch_id
      JOIN commission_snapshot_line l ON l.id = i.line_id JOIN commission_snapshot s ON s.id = l.snapshot_id
      WHERE i.id = NEW.payout_item_id;
  ELSIF NEW.correction_item_id IS NOT NULL THEN
    SELECT c.state = 'DONE' AND c.type = NEW.type AND c.direction = NEW.direction
        AND i.amount_minor = NEW.amount_minor AND i.line_id = NEW.line_id INTO right_so
      FROM commission_correction_item i JOIN commission_correction c ON c.id = i.correction_id
      WHERE i.id = NEW.correction_item_id;
  ELSE
    SELECT d.state = 'RESOLVED' AND d.resolved_minor = NEW.amount_minor AND d.line_id = NEW.line_id
        AND (d.resolution, NEW.type, NEW.direction) IN (('RAISE', 'ADJUSTMENT', 'CREDIT'),
          ('LOWER', 'ADJUSTMENT', 'DEBIT'), ('TAKE_BACK', 'REVERSAL', 'DEBIT')) INTO right_so
      FROM commission_dispute d WHERE d.id = NEW.dispute_id;
  END IF;
  IF right_so IS NOT TRUE THEN
    RAISE EXCEPTION 'an entry of type % without what it needs', NEW.type USING ERRCODE = 'check_violation',
      CONSTRAINT = 'an_entry_has_its_reason';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER commission_ledger_entry_has_its_reason BEFORE INSERT ON commission_ledger_entry
  FOR EACH ROW EXECUTE FUNCTION commission_entry_has_its_reason();
CREATE FUNCTION commission_entry_moves_accounts() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  adjusted bigint := CASE WHEN NEW.direction = 'CREDIT' THEN NEW.amount_minor ELSE -NEW.amount_minor END;
BEGIN
  IF NEW.type = 'EARN' THEN
    INSERT INTO commission_person_account AS a (person_id, earned_minor) VALUES (NEW.person_id, NEW.amount_minor)
      ON CONFLICT (person_id) DO UPDATE SET earned_minor = a.earned_minor + NEW.amount_minor;
    INSERT INTO commission_line_account AS a (line_id, person_id, earned_minor)
      VALUES (NEW.line_id, NEW.person_id, NEW.amount_minor)
      ON CONFLICT (line_id) DO UPDATE SET earned_minor = a.earned_minor + NEW.amount_minor;
  ELSIF NEW.type = 'PAYOUT' THEN
    UPDATE commission_person_account SET paid_minor = paid_minor + NEW.amount_minor WHERE person_id = NEW.person_id
      AND earned_minor + adjusted_minor - paid_minor - reversed_minor - blocked_minor >= NEW.amount_minor;
    IF FOUND THEN
      UPDATE commission_line_account SET paid_minor = paid_minor + NEW.amount_minor WHERE line_id = NEW.line_id
        AND earned_minor + adjusted_minor - paid_minor - reversed_minor - blocked_minor >= NEW.amount_minor;
    END IF;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'never more is paid than is outstanding' USING ERRCODE = 'check_violation',
        CONSTRAINT = 'never_more_paid_than_outstanding';
    END IF;
  ELSIF NEW.type = 'REVERSAL' THEN
    UPDATE commission_person_account SET reversed_minor = reversed_minor + NEW.amount_minor
      WHERE person_id = NEW.person_id;
    UPDATE commission_line_account SET reversed_minor = reversed_minor + NEW.amount_minor
      WHERE line_id = NEW.line_id;
  ELSE
    UPDATE commission_person_account SET adjusted_minor = adjusted_minor + adjusted WHERE person_id = NEW.person_id;
    UPDATE commission_line_account SET adjusted_minor = adjusted_minor + adjusted WHERE line_id = NEW.line_id;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER commission_ledger_entry_moves_accounts AFTER INSERT ON commission_ledger_entry
  FOR EACH ROW EXECUTE FUNCTION commission_entry_moves_accounts()
"""

# A dispute blocks exactly its amount while it lasts.
DISPUTES = """
CREATE FUNCTION commission_dispute_blocks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    UPDATE commission_person_account SET blocked_minor = blocked_minor + NEW.amount_minor
      WHERE person_id = NEW.person_id;
    UPDATE commission_line_account SET blocked_minor = blocked_minor + NEW.amount_minor WHERE line_id = NEW.line_id
      AND earned_minor + adjusted_minor - paid_minor - reversed_minor - blocked_minor
          >= CASE WHEN NEW.amount_minor = 0 THEN -9223372036854775807 ELSE NEW.amount_minor END;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'only what is outstanding can be blocked' USING ERRCODE = 'check_violation',
        CONSTRAINT = 'only_what_is_outstanding_is_blocked';
    END IF;
  ELSIF NEW.state = 'RESOLVED' AND OLD.state <> 'RESOLVED' THEN
    UPDATE commission_person_account SET blocked_minor = blocked_minor - NEW.amount_minor
      WHERE person_id = NEW.person_id;
    UPDATE commission_line_account SET blocked_minor = blocked_minor - NEW.amount_minor WHERE line_id = NEW.line_id;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER commission_dispute_blocks AFTER INSERT OR UPDATE OF state ON commission_dispute
  FOR EACH ROW EXECUTE FUNCTION commission_dispute_blocks();
CREATE FUNCTION commission_dispute_is_resolved_by_somebody_else() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF is_one_hand(NEW.person_id, NEW.resolver_person_id,
                 (NEW.resolved_at AT TIME ZONE 'Europe/Istanbul')::date) THEN
    RAISE EXCEPTION 'nobody resolves his own dispute' USING ERRCODE = 'check_violation',
      CONSTRAINT = 'nobody_resolves_his_own';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER commission_dispute_takes_two BEFORE UPDATE OF state ON commission_dispute
  FOR EACH ROW WHEN (NEW.state = 'RESOLVED') EXECUTE FUNCTION commission_dispute_is_resolved_by_somebody_else()
"""

APPEND_ONLY = (
    "commission_policy_share", "commission_snapshot_line", "commission_ledger_entry", "commission_payout_item",
    "commission_correction_item", "commission_audit_event", "commission_dispute_message",
    "commission_dispute_attachment",
)  # fmt: skip
CHECKED = ("state", "checker", "checker_person_id", "checked_at", "checked_digest", "override_because")
FACTS_OF = {
    "commission_snapshot": (*CHECKED, "dated_on"),
    "commission_policy": CHECKED,
    "commission_payout_batch": CHECKED,
    "commission_correction": CHECKED,
    "commission_lock_release": CHECKED,
    "commission_period_lock": ("state",),
    "commission_dispute": (
        "state", "escalated_at", "resolution", "resolved_minor", "because", "resolver", "resolver_person_id",
        "resolved_at",
    ),
}  # fmt: skip
MOVES_OF = {
    "commission_snapshot": ("PENDING_APPROVAL>APPROVED", "PENDING_APPROVAL>REJECTED", "APPROVED>REVERSED"),
    "commission_policy": ("PROPOSED>ACTIVE", "PROPOSED>REJECTED"),
    "commission_payout_batch": ("PREPARED>PAID", "PREPARED>CANCELLED"),
    "commission_correction": ("PROPOSED>DONE", "PROPOSED>REJECTED"),
    "commission_lock_release": ("ASKED>DONE",),
    "commission_period_lock": ("ACTIVE>RELEASED",),
    "commission_dispute": ("OPEN>ESCALATED", "OPEN>RESOLVED", "ESCALATED>RESOLVED"),
}
TWO_PEOPLE_LOOK_AT = (
    "commission_snapshot", "commission_policy", "commission_payout_batch", "commission_correction",
    "commission_lock_release",
)  # fmt: skip


def keep_history(table: str) -> None:
    """Rows are only added: neither the portal nor a person with psql changes or removes one by accident."""
    op.execute(
        f"CREATE TRIGGER {table}_is_history BEFORE UPDATE OR DELETE ON {table}"
        " FOR EACH ROW EXECUTE FUNCTION history_is_only_added_to()"
    )
    op.execute(
        f"CREATE TRIGGER {table}_is_not_emptied BEFORE TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION history_is_only_added_to()"
    )


def keep_facts(table: str, may_change: tuple[str, ...]) -> None:
    """Rows keep their facts; only where they stand may move."""
    columns = ", ".join(f"'{column}'" for column in may_change)
    op.execute(
        f"CREATE TRIGGER {table}_keeps_its_facts BEFORE UPDATE OR DELETE ON {table}"
        f" FOR EACH ROW EXECUTE FUNCTION facts_stay_as_written({columns})"
    )
    op.execute(
        f"CREATE TRIGGER {table}_is_not_emptied BEFORE TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION history_is_only_added_to()"
    )


def downgrade() -> None:
    """The ledger is history: there is no way back that keeps it."""
    raise RuntimeError("restore a backup instead")
