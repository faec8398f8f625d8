"""the ground"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


APPEND_ONLY = (
    "transition", "audit_event", "journal_entry", "posting", "event_inbox_attempt", "provider_attempt",
    "provider_payout",
)  # fmt: skip

HISTORY = """
CREATE FUNCTION history_is_only_added_to() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is history: rows are only added, corrections are new rows', TG_TABLE_NAME
    USING ERRCODE = 'integrity_constraint_violation';
END $$
"""

# Accounts with a limit keep their balance beside the postings, changed by nobody but this trigger.
LIMITED_BALANCES = """
CREATE FUNCTION posting_moves_limited_balances() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE ledger_account SET balance_kurus = balance_kurus
      + CASE WHEN id = NEW.credit_account_id THEN NEW.amount_kurus ELSE -NEW.amount_kurus END
    WHERE limited AND id IN (NEW.debit_account_id, NEW.credit_account_id);
  RETURN NULL;
END $$;
CREATE TRIGGER posting_moves_limited_balances AFTER INSERT ON posting
  FOR EACH ROW EXECUTE FUNCTION posting_moves_limited_balances()
"""

SELLER_VIEW = """
CREATE VIEW seller_balance_ledger AS
SELECT p.id AS posting_id, p.entry_id, a.organisation_id, e.kind, e.effective_on, e.recorded_at,
       CASE WHEN p.credit_account_id = a.id THEN p.amount_kurus ELSE -p.amount_kurus END AS amount_kurus,
       p.order_id, p.hold_id, e.because
FROM ledger_account a
JOIN posting p ON a.id IN (p.credit_account_id, p.debit_account_id)
JOIN journal_entry e ON e.id = p.entry_id
WHERE a.kind = 'SELLER'
"""

COMMISSION_VIEW = """
CREATE VIEW platform_commission_ledger AS
SELECT p.id AS posting_id, p.entry_id, e.kind, e.effective_on, e.recorded_at,
       CASE WHEN p.credit_account_id = a.id THEN p.amount_kurus ELSE -p.amount_kurus END AS amount_kurus,
       p.order_id, p.hold_id, e.because
FROM ledger_account a
JOIN posting p ON a.id IN (p.credit_account_id, p.debit_account_id)
JOIN journal_entry e ON e.id = p.entry_id
WHERE a.kind = 'COMMISSION'
"""


def upgrade() -> None:
    op.execute(HISTORY)
    op.create_table('clock_shift',
    sa.Column('id', sa.SmallInteger(), autoincrement=False, nullable=False),
    sa.Column('seconds', sa.BigInteger(), nullable=False),
    sa.CheckConstraint('id = 1', name=op.f('ck_clock_shift_there_is_only_one')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_clock_shift'))
    )
    op.create_table('event_inbox',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('provider', sa.Text(), nullable=False),
    sa.Column('topic', sa.Text(), nullable=False),
    sa.Column('event_type', sa.Text(), nullable=False),
    sa.Column('dedupe_key', sa.Text(), nullable=False),
    sa.Column('aggregate_key', sa.Text(), nullable=False),
    sa.Column('signed', sa.Boolean(), nullable=False),
    sa.Column('headers', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('raw_body', sa.LargeBinary(), nullable=True),
    sa.Column('received_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('last_seen_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('seen_count', sa.BigInteger(), server_default=sa.text('1'), nullable=False),
    sa.Column('state', sa.Text(), server_default='RECEIVED', nullable=False),
    sa.Column('attempts', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('next_attempt_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('last_note', sa.Text(), server_default='', nullable=False),
    sa.Column('applied_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("state IN ('RECEIVED', 'WAITING', 'APPLIED', 'SET_ASIDE', 'DEAD')", name=op.f('ck_event_inbox_state_known')),
    sa.CheckConstraint("topic IN ('payments', 'shipments', 'orders')", name=op.f('ck_event_inbox_topic_known')),
    sa.CheckConstraint('attempts >= 0', name=op.f('ck_event_inbox_attempts_are_counted')),
    sa.CheckConstraint('seen_count >= 1', name=op.f('ck_event_inbox_seen_at_least_once')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_event_inbox')),
    sa.UniqueConstraint('provider', 'dedupe_key', name='a_repeat_is_not_a_second_event')
    )
    op.create_index(op.f('ix_event_inbox_aggregate_key'), 'event_inbox', ['aggregate_key'], unique=False)
    op.create_index('ix_event_inbox_due', 'event_inbox', ['next_attempt_at'], unique=False, postgresql_where=sa.text("state IN ('RECEIVED', 'WAITING')"))
    op.create_index(op.f('ix_event_inbox_state_id'), 'event_inbox', ['state', 'id'], unique=False)
    op.create_table('organisation',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('legal_title', sa.Text(), nullable=False),
    sa.Column('tax_office', sa.Text(), nullable=False),
    sa.Column('tax_number', sa.Text(), nullable=False),
    sa.Column('iban', sa.Text(), server_default='', nullable=False),
    sa.Column('email', sa.Text(), nullable=False),
    sa.Column('phone', sa.Text(), nullable=False),
    sa.Column('address', sa.Text(), nullable=False),
    sa.Column('city', sa.Text(), nullable=False),
    sa.Column('provider_seller_key', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint("iban = '' OR iban ~ '^TR[0-9]{24}$'", name=op.f('ck_organisation_iban_is_turkish')),
    sa.CheckConstraint("kind IN ('BUYER', 'SELLER', 'PLATFORM')", name=op.f('ck_organisation_kind_known')),
    sa.CheckConstraint("tax_number ~ '^[0-9]{10,11}$'", name=op.f('ck_organisation_tax_number_is_vkn_or_tckn')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_organisation')),
    sa.UniqueConstraint('id', 'kind', name='kind_can_be_pointed_at'),
    sa.UniqueConstraint('provider_seller_key', name=op.f('uq_organisation_provider_seller_key'))
    )
    op.create_table('reconciliation',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('started_by', sa.Text(), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('findings', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reconciliation'))
    )
    op.create_table('schedule_tick',
    sa.Column('job', sa.Text(), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('claimed_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('outcome', sa.Text(), server_default='RUNNING', nullable=False),
    sa.Column('note', sa.Text(), server_default='', nullable=False),
    sa.CheckConstraint("outcome IN ('RUNNING', 'DONE', 'FAILED')", name=op.f('ck_schedule_tick_outcome_known')),
    sa.PrimaryKeyConstraint('job', 'due_at', name=op.f('pk_schedule_tick'))
    )
    op.create_index(op.f('ix_schedule_tick_job_due_at'), 'schedule_tick', ['job', 'due_at'], unique=False)
    op.create_table('sign_in_attempt',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('email', sa.Text(), nullable=False),
    sa.Column('ip', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sign_in_attempt'))
    )
    op.create_index(op.f('ix_sign_in_attempt_email_at'), 'sign_in_attempt', ['email', 'at'], unique=False)
    op.create_index(op.f('ix_sign_in_attempt_ip_at'), 'sign_in_attempt', ['ip', 'at'], unique=False)
    op.create_table('event_inbox_attempt',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('message_id', sa.BigInteger(), nullable=False),
    sa.Column('number', sa.BigInteger(), nullable=False),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.ForeignKeyConstraint(['message_id'], ['event_inbox.id'], name=op.f('fk_event_inbox_attempt_message_id_event_inbox')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_event_inbox_attempt')),
    sa.UniqueConstraint('message_id', 'number', name='attempts_are_numbered')
    )
    op.create_table('ledger_account',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('organisation_id', sa.BigInteger(), nullable=True),
    sa.Column('limited', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('balance_kurus', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.CheckConstraint("(kind = 'SELLER') = (organisation_id IS NOT NULL)", name=op.f('ck_ledger_account_sellers_have_an_organisation')),
    sa.CheckConstraint("NOT limited OR kind IN ('ESCROW', 'SELLER', 'COMMISSION')", name=op.f('ck_ledger_account_only_what_we_owe_is_limited')),
    sa.CheckConstraint("kind IN ('PROVIDER', 'BANK', 'FEE', 'ESCROW', 'SELLER', 'COMMISSION')", name=op.f('ck_ledger_account_kind_known')),
    sa.CheckConstraint('NOT limited OR balance_kurus >= 0', name=op.f('ck_ledger_account_never_below_zero')),
    sa.CheckConstraint('limited OR balance_kurus = 0', name=op.f('ck_ledger_account_balance_kept_only_where_limited')),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_ledger_account_organisation_id_organisation')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ledger_account')),
    sa.UniqueConstraint('code', name=op.f('uq_ledger_account_code')),
    sa.UniqueConstraint('organisation_id', name=op.f('uq_ledger_account_organisation_id'))
    )
    op.create_table('offer',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('seller_organisation_id', sa.BigInteger(), nullable=False),
    sa.Column('barcode', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('unit_price_kurus', sa.BigInteger(), nullable=False),
    sa.Column('is_active', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.CheckConstraint('unit_price_kurus > 0', name=op.f('ck_offer_costs_something')),
    sa.ForeignKeyConstraint(['seller_organisation_id'], ['organisation.id'], name=op.f('fk_offer_seller_organisation_id_organisation')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_offer')),
    sa.UniqueConstraint('seller_organisation_id', 'barcode', name='one_offer_per_seller_and_barcode')
    )
    op.create_index(op.f('ix_offer_barcode'), 'offer', ['barcode'], unique=False)
    op.create_table('person',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('organisation_id', sa.BigInteger(), nullable=False),
    sa.Column('organisation_kind', sa.Text(), nullable=False),
    sa.Column('email', sa.Text(), nullable=False),
    sa.Column('full_name', sa.Text(), nullable=False),
    sa.Column('role', sa.Text(), nullable=False),
    sa.Column('password_hash', sa.Text(), nullable=False),
    sa.Column('language', sa.Text(), server_default='tr', nullable=False),
    sa.Column('theme', sa.Text(), server_default='system', nullable=False),
    sa.Column('is_active', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint("(role = 'buyer' AND organisation_kind = 'BUYER') OR (role = 'seller' AND organisation_kind = 'SELLER') OR (role IN ('packer', 'finance', 'broker', 'admin') AND organisation_kind = 'PLATFORM')", name=op.f('ck_person_role_fits_organisation')),
    sa.CheckConstraint("email = lower(email) AND email LIKE '%%_@_%%'", name=op.f('ck_person_email_is_lower_case')),
    sa.CheckConstraint("language IN ('tr', 'en')", name=op.f('ck_person_language_known')),
    sa.CheckConstraint("role IN ('buyer', 'seller', 'packer', 'finance', 'broker', 'admin')", name=op.f('ck_person_role_known')),
    sa.CheckConstraint("theme IN ('system', 'light', 'dark')", name=op.f('ck_person_theme_known')),
    sa.ForeignKeyConstraint(['organisation_id', 'organisation_kind'], ['organisation.id', 'organisation.kind'], name='works_there'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_person')),
    sa.UniqueConstraint('email', name=op.f('uq_person_email'))
    )
    op.create_table('api_token',
    sa.Column('jti', sa.Text(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('issued_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_api_token_person_id_person')),
    sa.PrimaryKeyConstraint('jti', name=op.f('pk_api_token'))
    )
    op.create_index(op.f('ix_api_token_person_id'), 'api_token', ['person_id'], unique=False)
    op.create_table('audit_event',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('actor_person_id', sa.BigInteger(), nullable=True),
    sa.Column('action', sa.Text(), nullable=False),
    sa.Column('subject_kind', sa.Text(), nullable=False),
    sa.Column('subject_id', sa.Text(), nullable=False),
    sa.Column('details', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.ForeignKeyConstraint(['actor_person_id'], ['person.id'], name=op.f('fk_audit_event_actor_person_id_person')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_event'))
    )
    op.create_index(op.f('ix_audit_event_at'), 'audit_event', ['at'], unique=False)
    op.create_index(op.f('ix_audit_event_subject_kind_subject_id_id'), 'audit_event', ['subject_kind', 'subject_id', 'id'], unique=False)
    op.create_table('checkout',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('public_key', sa.Uuid(), server_default=sa.text('gen_random_uuid()'), nullable=False),
    sa.Column('buyer_organisation_id', sa.BigInteger(), nullable=False),
    sa.Column('placed_by_person_id', sa.BigInteger(), nullable=False),
    sa.Column('total_kurus', sa.BigInteger(), nullable=False),
    sa.Column('placed_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('total_kurus > 0', name=op.f('ck_checkout_is_worth_something')),
    sa.ForeignKeyConstraint(['buyer_organisation_id'], ['organisation.id'], name=op.f('fk_checkout_buyer_organisation_id_organisation')),
    sa.ForeignKeyConstraint(['placed_by_person_id'], ['person.id'], name=op.f('fk_checkout_placed_by_person_id_person')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_checkout')),
    sa.UniqueConstraint('public_key', name=op.f('uq_checkout_public_key'))
    )
    op.create_index(op.f('ix_checkout_buyer_organisation_id'), 'checkout', ['buyer_organisation_id'], unique=False)
    op.create_table('idempotency_key',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('action', sa.Text(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('request_digest', sa.Text(), nullable=False),
    sa.Column('answer', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('recorded_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_idempotency_key_person_id_person')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_idempotency_key')),
    sa.UniqueConstraint('person_id', 'action', 'key', name='one_answer_per_key')
    )
    op.create_table('journal_entry',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('idempotency_key', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('reversal_of', sa.BigInteger(), nullable=True),
    sa.Column('subject_kind', sa.Text(), nullable=False),
    sa.Column('subject_id', sa.Text(), nullable=False),
    sa.Column('effective_on', sa.Date(), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('actor_person_id', sa.BigInteger(), nullable=True),
    sa.Column('because', sa.Text(), nullable=False),
    sa.Column('details', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint('reversal_of <> id', name=op.f('ck_journal_entry_does_not_reverse_itself')),
    sa.ForeignKeyConstraint(['actor_person_id'], ['person.id'], name=op.f('fk_journal_entry_actor_person_id_person')),
    sa.ForeignKeyConstraint(['reversal_of'], ['journal_entry.id'], name=op.f('fk_journal_entry_reversal_of_journal_entry')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_journal_entry')),
    sa.UniqueConstraint('idempotency_key', name=op.f('uq_journal_entry_idempotency_key')),
    sa.UniqueConstraint('reversal_of', name=op.f('uq_journal_entry_reversal_of'))
    )
    op.create_index(op.f('ix_journal_entry_effective_on'), 'journal_entry', ['effective_on'], unique=False)
    op.create_index(op.f('ix_journal_entry_subject_kind_subject_id'), 'journal_entry', ['subject_kind', 'subject_id'], unique=False)
    op.create_table('provider_intent',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('provider', sa.Text(), nullable=False),
    sa.Column('operation', sa.Text(), nullable=False),
    sa.Column('idempotency_key', sa.Text(), nullable=False),
    sa.Column('subject_kind', sa.Text(), nullable=False),
    sa.Column('subject_id', sa.Text(), nullable=False),
    sa.Column('request', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('state', sa.Text(), server_default='READY', nullable=False),
    sa.Column('attempts', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('asked', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('next_attempt_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('needs_person', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('provider_reference', sa.Text(), server_default='', nullable=False),
    sa.Column('last_note', sa.Text(), server_default='', nullable=False),
    sa.Column('created_by', sa.Text(), nullable=False),
    sa.Column('created_by_person_id', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('settled_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("(state = 'SENDING') = (lease_until IS NOT NULL)", name=op.f('ck_provider_intent_leased_while_sending')),
    sa.CheckConstraint("state IN ('READY', 'SENDING', 'UNKNOWN', 'SUCCEEDED', 'FAILED', 'CANCELLED')", name=op.f('ck_provider_intent_state_known')),
    sa.CheckConstraint("state NOT IN ('SUCCEEDED', 'FAILED', 'CANCELLED') OR settled_at IS NOT NULL", name=op.f('ck_provider_intent_ends_are_dated')),
    sa.ForeignKeyConstraint(['created_by_person_id'], ['person.id'], name=op.f('fk_provider_intent_created_by_person_id_person')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_provider_intent')),
    sa.UniqueConstraint('idempotency_key', name=op.f('uq_provider_intent_idempotency_key'))
    )
    op.create_index('ix_provider_intent_due', 'provider_intent', ['next_attempt_at'], unique=False, postgresql_where=sa.text("state IN ('READY', 'SENDING', 'UNKNOWN')"))
    op.create_index(op.f('ix_provider_intent_state_id'), 'provider_intent', ['state', 'id'], unique=False)
    op.create_index(op.f('ix_provider_intent_subject_kind_subject_id'), 'provider_intent', ['subject_kind', 'subject_id'], unique=False)
    op.create_table('transition',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('subject_kind', sa.Text(), nullable=False),
    sa.Column('subject_id', sa.Text(), nullable=False),
    sa.Column('from_state', sa.Text(), nullable=True),
    sa.Column('to_state', sa.Text(), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('actor_person_id', sa.BigInteger(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.ForeignKeyConstraint(['actor_person_id'], ['person.id'], name=op.f('fk_transition_actor_person_id_person')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_transition'))
    )
    op.create_index(op.f('ix_transition_subject_kind_subject_id_id'), 'transition', ['subject_kind', 'subject_id', 'id'], unique=False)
    op.create_table('web_session',
    sa.Column('token_hash', sa.Text(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=True),
    sa.Column('data', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('ip', sa.Text(), server_default='', nullable=False),
    sa.Column('agent', sa.Text(), server_default='', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('last_seen_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_web_session_person_id_person')),
    sa.PrimaryKeyConstraint('token_hash', name=op.f('pk_web_session'))
    )
    op.create_index(op.f('ix_web_session_expires_at'), 'web_session', ['expires_at'], unique=False)
    op.create_index(op.f('ix_web_session_person_id'), 'web_session', ['person_id'], unique=False)
    op.create_table('network_order',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('number', sa.Text(), nullable=False),
    sa.Column('checkout_id', sa.BigInteger(), nullable=False),
    sa.Column('buyer_organisation_id', sa.BigInteger(), nullable=False),
    sa.Column('seller_organisation_id', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.Text(), server_default='PENDING_PAYMENT', nullable=False),
    sa.Column('payout_status', sa.Text(), server_default='NONE', nullable=False),
    sa.Column('currency', sa.Text(), server_default='TRY', nullable=False),
    sa.Column('total_kurus', sa.BigInteger(), nullable=False),
    sa.Column('commission_percent', sa.Numeric(precision=5, scale=2), nullable=False),
    sa.Column('acceptance_days', sa.BigInteger(), nullable=False),
    sa.Column('placed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('paid_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('completed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('recorded_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint("payout_status IN ('NONE', 'INITIATED', 'FAILED', 'RELEASED')", name=op.f('ck_network_order_payout_status_known')),
    sa.CheckConstraint("state <> 'COMPLETED' OR completed_at IS NOT NULL", name=op.f('ck_network_order_completed_orders_are_dated')),
    sa.CheckConstraint("state IN ('PENDING_PAYMENT', 'CANCELLED') OR paid_at IS NOT NULL", name=op.f('ck_network_order_paid_orders_are_dated')),
    sa.CheckConstraint("state IN ('PENDING_PAYMENT', 'PAID', 'PARTIALLY_SHIPPED', 'SHIPPED', 'DELIVERED', 'DISPUTED', 'CANCELLED', 'COMPLETED', 'REFUNDED')", name=op.f('ck_network_order_state_known')),
    sa.CheckConstraint('acceptance_days BETWEEN 0 AND 60', name=op.f('ck_network_order_acceptance_days_sensible')),
    sa.CheckConstraint('buyer_organisation_id <> seller_organisation_id', name=op.f('ck_network_order_nobody_buys_from_himself')),
    sa.CheckConstraint('commission_percent BETWEEN 0 AND 100', name=op.f('ck_network_order_commission_is_a_share')),
    sa.CheckConstraint('total_kurus > 0', name=op.f('ck_network_order_is_worth_something')),
    sa.ForeignKeyConstraint(['buyer_organisation_id'], ['organisation.id'], name=op.f('fk_network_order_buyer_organisation_id_organisation')),
    sa.ForeignKeyConstraint(['checkout_id'], ['checkout.id'], name=op.f('fk_network_order_checkout_id_checkout')),
    sa.ForeignKeyConstraint(['seller_organisation_id'], ['organisation.id'], name=op.f('fk_network_order_seller_organisation_id_organisation')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_network_order')),
    sa.UniqueConstraint('checkout_id', 'seller_organisation_id', name='one_order_per_seller_and_checkout'),
    sa.UniqueConstraint('number', name=op.f('uq_network_order_number'))
    )
    op.create_index(op.f('ix_network_order_buyer_organisation_id_id'), 'network_order', ['buyer_organisation_id', 'id'], unique=False)
    op.create_index('ix_network_order_payout_open', 'network_order', ['id'], unique=False, postgresql_where=sa.text("state = 'COMPLETED' AND payout_status <> 'RELEASED'"))
    op.create_index(op.f('ix_network_order_seller_organisation_id_state_id'), 'network_order', ['seller_organisation_id', 'state', 'id'], unique=False)
    op.create_table('network_payment',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('checkout_id', sa.BigInteger(), nullable=False),
    sa.Column('provider', sa.Text(), nullable=False),
    sa.Column('attempt_key', sa.Text(), nullable=False),
    sa.Column('provider_payment_key', sa.Text(), nullable=True),
    sa.Column('provider_token', sa.Text(), nullable=True),
    sa.Column('page_url', sa.Text(), nullable=True),
    sa.Column('page_expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('state', sa.Text(), server_default='OPEN', nullable=False),
    sa.Column('amount_kurus', sa.BigInteger(), nullable=False),
    sa.Column('provider_fee_kurus', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('provider_words', sa.Text(), server_default='', nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('paid_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('recorded_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint("state IN ('OPEN', 'FAILED', 'EXPIRED', 'PAID', 'SURPLUS', 'RETURNED')", name=op.f('ck_network_payment_state_known')),
    sa.CheckConstraint("state NOT IN ('PAID', 'SURPLUS', 'RETURNED') OR provider_payment_key IS NOT NULL", name=op.f('ck_network_payment_paid_has_a_key')),
    sa.CheckConstraint('amount_kurus > 0', name=op.f('ck_network_payment_is_worth_something')),
    sa.CheckConstraint('provider_fee_kurus >= 0', name=op.f('ck_network_payment_fee_is_not_negative')),
    sa.ForeignKeyConstraint(['checkout_id'], ['checkout.id'], name=op.f('fk_network_payment_checkout_id_checkout')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_network_payment')),
    sa.UniqueConstraint('attempt_key', name=op.f('uq_network_payment_attempt_key')),
    sa.UniqueConstraint('provider_payment_key', name=op.f('uq_network_payment_provider_payment_key')),
    sa.UniqueConstraint('provider_token', name=op.f('uq_network_payment_provider_token'))
    )
    op.create_index(op.f('ix_network_payment_checkout_id'), 'network_payment', ['checkout_id'], unique=False)
    op.create_index('ix_network_payment_open', 'network_payment', ['opened_at'], unique=False, postgresql_where=sa.text("state = 'OPEN'"))
    op.create_index('one_live_payment_per_checkout', 'network_payment', ['checkout_id'], unique=True, postgresql_where=sa.text("state IN ('OPEN', 'PAID')"))
    op.create_table('provider_attempt',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('intent_id', sa.BigInteger(), nullable=False),
    sa.Column('number', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint("kind IN ('CALL', 'ASK', 'LOST', 'PERSON')", name=op.f('ck_provider_attempt_kind_known')),
    sa.ForeignKeyConstraint(['intent_id'], ['provider_intent.id'], name=op.f('fk_provider_attempt_intent_id_provider_intent')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_provider_attempt')),
    sa.UniqueConstraint('intent_id', 'number', name='attempts_are_numbered_per_intent')
    )
    op.create_table('network_order_line',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('order_id', sa.BigInteger(), nullable=False),
    sa.Column('line_no', sa.BigInteger(), nullable=False),
    sa.Column('barcode', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('quantity', sa.BigInteger(), nullable=False),
    sa.Column('unit_price_kurus', sa.BigInteger(), nullable=False),
    sa.Column('total_kurus', sa.BigInteger(), nullable=False),
    sa.Column('commission_kurus', sa.BigInteger(), nullable=False),
    sa.Column('seller_share_kurus', sa.BigInteger(), nullable=False),
    sa.Column('shipped_quantity', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('accepted_quantity', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.CheckConstraint('accepted_quantity BETWEEN 0 AND shipped_quantity', name=op.f('ck_network_order_line_never_accepts_more_than_shipped')),
    sa.CheckConstraint('commission_kurus >= 0 AND seller_share_kurus >= 0', name=op.f('ck_network_order_line_nobody_gets_less_than_nothing')),
    sa.CheckConstraint('quantity > 0', name=op.f('ck_network_order_line_orders_something')),
    sa.CheckConstraint('seller_share_kurus + commission_kurus = total_kurus', name=op.f('ck_network_order_line_split_adds_up')),
    sa.CheckConstraint('shipped_quantity BETWEEN 0 AND quantity', name=op.f('ck_network_order_line_never_ships_more_than_ordered')),
    sa.CheckConstraint('total_kurus = quantity * unit_price_kurus', name=op.f('ck_network_order_line_total_is_price_times_pieces')),
    sa.CheckConstraint('unit_price_kurus > 0', name=op.f('ck_network_order_line_costs_something')),
    sa.ForeignKeyConstraint(['order_id'], ['network_order.id'], name=op.f('fk_network_order_line_order_id_network_order')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_network_order_line')),
    sa.UniqueConstraint('order_id', 'barcode', name='one_line_per_barcode'),
    sa.UniqueConstraint('order_id', 'line_no', name='lines_are_numbered')
    )
    op.create_table('shipment',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('order_id', sa.BigInteger(), nullable=False),
    sa.Column('sequence', sa.BigInteger(), nullable=False),
    sa.Column('items', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('init_key', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), server_default='PLANNED', nullable=False),
    sa.Column('carrier', sa.Text(), server_default='', nullable=False),
    sa.Column('tracking_number', sa.Text(), server_default='', nullable=False),
    sa.Column('delivery_note_uuid', sa.Uuid(), nullable=True),
    sa.Column('handed_over_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('delivered_on', sa.Date(), nullable=True),
    sa.Column('accept_by_on', sa.Date(), nullable=True),
    sa.Column('accepted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('accepted_by', sa.Text(), server_default='', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint("jsonb_typeof(items) = 'array' AND jsonb_array_length(items) > 0", name=op.f('ck_shipment_contains_something')),
    sa.CheckConstraint("state <> 'ACCEPTED' OR accepted_at IS NOT NULL", name=op.f('ck_shipment_acceptance_is_dated')),
    sa.CheckConstraint("state IN ('PLANNED', 'PACKED', 'HANDED_OVER', 'DELIVERED', 'ACCEPTED', 'CANCELLED')", name=op.f('ck_shipment_state_known')),
    sa.CheckConstraint("state NOT IN ('DELIVERED', 'ACCEPTED') OR delivered_on IS NOT NULL", name=op.f('ck_shipment_delivery_is_dated')),
    sa.CheckConstraint('sequence > 0', name=op.f('ck_shipment_parcels_are_counted_from_one')),
    sa.ForeignKeyConstraint(['order_id'], ['network_order.id'], name=op.f('fk_shipment_order_id_network_order')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_shipment')),
    sa.UniqueConstraint('delivery_note_uuid', name=op.f('uq_shipment_delivery_note_uuid')),
    sa.UniqueConstraint('init_key', name=op.f('uq_shipment_init_key')),
    sa.UniqueConstraint('order_id', 'sequence', name='parcels_are_numbered_per_order')
    )
    op.create_index('ix_shipment_awaiting_answer', 'shipment', ['accept_by_on'], unique=False, postgresql_where=sa.text("state = 'DELIVERED'"))
    op.create_index(op.f('ix_shipment_state_id'), 'shipment', ['state', 'id'], unique=False)
    op.create_table('escrow_hold',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('payment_id', sa.BigInteger(), nullable=False),
    sa.Column('order_id', sa.BigInteger(), nullable=False),
    sa.Column('order_line_id', sa.BigInteger(), nullable=False),
    sa.Column('lot_no', sa.BigInteger(), server_default=sa.text('1'), nullable=False),
    sa.Column('pieces', sa.BigInteger(), nullable=False),
    sa.Column('provider', sa.Text(), nullable=False),
    sa.Column('provider_item_key', sa.Text(), nullable=False),
    sa.Column('amount_kurus', sa.BigInteger(), nullable=False),
    sa.Column('seller_share_kurus', sa.BigInteger(), nullable=False),
    sa.Column('commission_kurus', sa.BigInteger(), nullable=False),
    sa.Column('held_kurus', sa.BigInteger(), nullable=False),
    sa.Column('released_kurus', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('refunded_kurus', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('refunded_seller_kurus', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('state', sa.Text(), server_default='HELD', nullable=False),
    sa.Column('release_number', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('released_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('recorded_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint("(state = 'RELEASED') = (released_kurus > 0)", name=op.f('ck_escrow_hold_released_state_released_money')),
    sa.CheckConstraint("(state IN ('HELD', 'RELEASING')) = (held_kurus > 0)", name=op.f('ck_escrow_hold_held_states_hold_money')),
    sa.CheckConstraint("state IN ('HELD', 'RELEASING', 'RELEASED', 'REFUNDED')", name=op.f('ck_escrow_hold_state_known')),
    sa.CheckConstraint('held_kurus + released_kurus + refunded_kurus = amount_kurus', name=op.f('ck_escrow_hold_held_released_refunded_add_up')),
    sa.CheckConstraint('held_kurus >= 0 AND released_kurus >= 0 AND refunded_kurus >= 0', name=op.f('ck_escrow_hold_nothing_below_zero')),
    sa.CheckConstraint('pieces > 0', name=op.f('ck_escrow_hold_for_something')),
    sa.CheckConstraint('refunded_kurus - refunded_seller_kurus BETWEEN 0 AND commission_kurus', name=op.f('ck_escrow_hold_refund_within_commission')),
    sa.CheckConstraint('refunded_seller_kurus BETWEEN 0 AND seller_share_kurus', name=op.f('ck_escrow_hold_refund_within_seller_share')),
    sa.CheckConstraint('seller_share_kurus + commission_kurus = amount_kurus', name=op.f('ck_escrow_hold_split_adds_up')),
    sa.ForeignKeyConstraint(['order_id'], ['network_order.id'], name=op.f('fk_escrow_hold_order_id_network_order')),
    sa.ForeignKeyConstraint(['order_line_id'], ['network_order_line.id'], name=op.f('fk_escrow_hold_order_line_id_network_order_line')),
    sa.ForeignKeyConstraint(['payment_id'], ['network_payment.id'], name=op.f('fk_escrow_hold_payment_id_network_payment')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_escrow_hold')),
    sa.UniqueConstraint('order_line_id', 'lot_no', name='one_hold_per_line_and_lot'),
    sa.UniqueConstraint('provider', 'provider_item_key', name='one_hold_per_provider_item')
    )
    op.create_index(op.f('ix_escrow_hold_order_id'), 'escrow_hold', ['order_id'], unique=False)
    op.create_index(op.f('ix_escrow_hold_payment_id'), 'escrow_hold', ['payment_id'], unique=False)
    op.create_table('escrow_refund',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('hold_id', sa.BigInteger(), nullable=False),
    sa.Column('amount_kurus', sa.BigInteger(), nullable=False),
    sa.Column('seller_part_kurus', sa.BigInteger(), nullable=False),
    sa.Column('commission_part_kurus', sa.BigInteger(), nullable=False),
    sa.Column('after_release', sa.Boolean(), nullable=False),
    sa.Column('because', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), server_default='REQUESTED', nullable=False),
    sa.Column('requested_by', sa.Text(), nullable=False),
    sa.Column('requested_by_person_id', sa.BigInteger(), nullable=True),
    sa.Column('requested_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('settled_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("because <> ''", name=op.f('ck_escrow_refund_says_why')),
    sa.CheckConstraint("state IN ('REQUESTED', 'DONE', 'REFUSED')", name=op.f('ck_escrow_refund_state_known')),
    sa.CheckConstraint('amount_kurus > 0', name=op.f('ck_escrow_refund_returns_something')),
    sa.CheckConstraint('seller_part_kurus + commission_part_kurus = amount_kurus', name=op.f('ck_escrow_refund_parts_add_up')),
    sa.CheckConstraint('seller_part_kurus >= 0 AND commission_part_kurus >= 0', name=op.f('ck_escrow_refund_no_part_below_zero')),
    sa.ForeignKeyConstraint(['hold_id'], ['escrow_hold.id'], name=op.f('fk_escrow_refund_hold_id_escrow_hold')),
    sa.ForeignKeyConstraint(['requested_by_person_id'], ['person.id'], name=op.f('fk_escrow_refund_requested_by_person_id_person')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_escrow_refund'))
    )
    op.create_index(op.f('ix_escrow_refund_hold_id_id'), 'escrow_refund', ['hold_id', 'id'], unique=False)
    op.create_index('one_open_refund_per_hold', 'escrow_refund', ['hold_id'], unique=True, postgresql_where=sa.text("state = 'REQUESTED'"))
    op.create_table('posting',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('entry_id', sa.BigInteger(), nullable=False),
    sa.Column('debit_account_id', sa.BigInteger(), nullable=False),
    sa.Column('credit_account_id', sa.BigInteger(), nullable=False),
    sa.Column('amount_kurus', sa.BigInteger(), nullable=False),
    sa.Column('order_id', sa.BigInteger(), nullable=True),
    sa.Column('hold_id', sa.BigInteger(), nullable=True),
    sa.CheckConstraint('amount_kurus > 0', name=op.f('ck_posting_moves_something')),
    sa.CheckConstraint('debit_account_id <> credit_account_id', name=op.f('ck_posting_goes_somewhere_else')),
    sa.ForeignKeyConstraint(['credit_account_id'], ['ledger_account.id'], name=op.f('fk_posting_credit_account_id_ledger_account')),
    sa.ForeignKeyConstraint(['debit_account_id'], ['ledger_account.id'], name=op.f('fk_posting_debit_account_id_ledger_account')),
    sa.ForeignKeyConstraint(['entry_id'], ['journal_entry.id'], name=op.f('fk_posting_entry_id_journal_entry')),
    sa.ForeignKeyConstraint(['hold_id'], ['escrow_hold.id'], name=op.f('fk_posting_hold_id_escrow_hold')),
    sa.ForeignKeyConstraint(['order_id'], ['network_order.id'], name=op.f('fk_posting_order_id_network_order')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_posting'))
    )
    op.create_index(op.f('ix_posting_credit_account_id_id'), 'posting', ['credit_account_id', 'id'], unique=False)
    op.create_index(op.f('ix_posting_debit_account_id_id'), 'posting', ['debit_account_id', 'id'], unique=False)
    op.create_index(op.f('ix_posting_entry_id'), 'posting', ['entry_id'], unique=False)
    op.create_index(op.f('ix_posting_hold_id'), 'posting', ['hold_id'], unique=False)
    op.create_index(op.f('ix_posting_order_id'), 'posting', ['order_id'], unique=False)
    op.create_table('provider_payout',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('provider', sa.Text(), nullable=False),
    sa.Column('provider_item_key', sa.Text(), nullable=False),
    sa.Column('receiver', sa.Text(), nullable=False),
    sa.Column('hold_id', sa.BigInteger(), nullable=False),
    sa.Column('amount_kurus', sa.BigInteger(), nullable=False),
    sa.Column('paid_on', sa.Date(), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint("receiver IN ('SELLER', 'PLATFORM')", name=op.f('ck_provider_payout_receiver_known')),
    sa.CheckConstraint('amount_kurus > 0', name=op.f('ck_provider_payout_pays_something')),
    sa.ForeignKeyConstraint(['hold_id'], ['escrow_hold.id'], name=op.f('fk_provider_payout_hold_id_escrow_hold')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_provider_payout')),
    sa.UniqueConstraint('provider', 'provider_item_key', 'receiver', name='one_payout_per_item_and_receiver')
    )
    op.create_index(op.f('ix_provider_payout_hold_id'), 'provider_payout', ['hold_id'], unique=False)
    op.create_index(op.f('ix_provider_payout_paid_on'), 'provider_payout', ['paid_on'], unique=False)
    op.execute("CREATE SEQUENCE network_order_number")
    for table in APPEND_ONLY:
        keep_history(table)
    op.execute(LIMITED_BALANCES)
    op.execute(SELLER_VIEW)
    op.execute(COMMISSION_VIEW)
    op.execute("CREATE VIEW payment_event_inbox AS SELECT * FROM event_inbox WHERE topic = 'payments'")


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


def downgrade() -> None:
    """The first step has nothing before it."""
    raise RuntimeError("drop the database instead")
