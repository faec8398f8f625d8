"""The ERP's accounts: readings of its ledger, month sums, suspicions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0010_receivables'
down_revision = '0009_commission'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('aging_month',
    sa.Column('owed_kurus', sa.BigInteger(), nullable=False),
    sa.Column('paid_kurus', sa.BigInteger(), nullable=False),
    sa.Column('fetch_id', sa.Integer(), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('month', sa.Integer(), nullable=False),
    sa.Column('lines', sa.Integer(), nullable=False),
    sa.Column('first_on', sa.Date(), nullable=True),
    sa.Column('last_on', sa.Date(), nullable=True),
    sa.Column('future', sa.Boolean(), nullable=False),
    sa.CheckConstraint('first_on <= last_on', name=op.f('ck_aging_month_days_in_their_order')),
    sa.CheckConstraint('month = 0 OR mod(month, 100) BETWEEN 1 AND 12', name=op.f('ck_aging_month_month_exists')),
    sa.CheckConstraint('owed_kurus >= 0 AND paid_kurus >= 0', name=op.f('ck_aging_month_each_side_counts_up')),
    sa.PrimaryKeyConstraint('fetch_id', 'account_id', 'month', 'future', name=op.f('pk_aging_month'))
    )
    op.create_table('aging_open_item',
    sa.Column('fetch_id', sa.Integer(), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('month', sa.Integer(), nullable=False),
    sa.Column('owed_kurus', sa.BigInteger(), nullable=False),
    sa.Column('paid_kurus', sa.BigInteger(), nullable=False),
    sa.CheckConstraint('owed_kurus >= 0 AND paid_kurus >= 0', name=op.f('ck_aging_open_item_each_side_counts_up')),
    sa.PrimaryKeyConstraint('fetch_id', 'account_id', 'month', name=op.f('pk_aging_open_item'))
    )
    op.create_table('current_account',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('side', sa.Text(), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('name_key', sa.Text(), nullable=False),
    sa.Column('words', sa.Text(), nullable=False),
    sa.Column('currency', sa.Text(), server_default='TRY', nullable=False),
    sa.Column('passive', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('email', sa.Text(), server_default='', nullable=False),
    sa.Column('tax_number', sa.Text(), server_default='', nullable=False),
    sa.Column('salesperson', sa.Text(), server_default='', nullable=False),
    sa.Column('card_group', sa.Text(), server_default='', nullable=False),
    sa.Column('first_seen_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint("code <> ''", name=op.f('ck_current_account_has_a_code')),
    sa.CheckConstraint("side IN ('120', '320')", name=op.f('ck_current_account_side_known')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_current_account')),
    sa.UniqueConstraint('side', 'code', name='a_code_is_one_account')
    )
    op.create_index(op.f('ix_current_account_side_name_key'), 'current_account', ['side', 'name_key'], unique=False)
    op.create_table('aging_fetch',
    sa.Column('id', sa.Integer(), sa.Identity(always=True), nullable=False),
    sa.Column('side', sa.Text(), nullable=False),
    sa.Column('as_of_on', sa.Date(), nullable=False),
    sa.Column('live', sa.Boolean(), nullable=False),
    sa.Column('state', sa.Text(), server_default='ASKED', nullable=False),
    sa.Column('step', sa.Text(), server_default='', nullable=False),
    sa.Column('asked_by', sa.Text(), nullable=False),
    sa.Column('asked_by_person_id', sa.BigInteger(), nullable=True),
    sa.Column('asked_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('began_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('read_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('leased_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('fence', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('attempts', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('source', sa.Text(), server_default='', nullable=False),
    sa.Column('date_basis', sa.Text(), server_default='', nullable=False),
    sa.Column('accounts', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('months', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('lines', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('owed_kurus', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('paid_kurus', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('open_items', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('months_kept', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.Column('is_current', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('failure', sa.Text(), server_default='', nullable=False),
    sa.Column('note', sa.Text(), server_default='', nullable=False),
    sa.CheckConstraint("(state = 'RUNNING') = (leased_until IS NOT NULL)", name=op.f('ck_aging_fetch_a_reader_holds_a_lease')),
    sa.CheckConstraint("(state IN ('ASKED', 'RUNNING')) = (ended_at IS NULL)", name=op.f('ck_aging_fetch_an_end_has_its_time')),
    sa.CheckConstraint("NOT is_current OR (state = 'DONE' AND live)", name=op.f('ck_aging_fetch_only_reconciled_data_are_shown')),
    sa.CheckConstraint("date_basis IN ('', 'POSTED', 'DOCUMENT')", name=op.f('ck_aging_fetch_date_basis_known')),
    sa.CheckConstraint("side IN ('120', '320')", name=op.f('ck_aging_fetch_side_known')),
    sa.CheckConstraint("state <> 'FAILED' OR note <> ''", name=op.f('ck_aging_fetch_failure_says_why')),
    sa.CheckConstraint("state IN ('ASKED', 'RUNNING', 'DONE', 'SUSPICIOUS', 'FAILED')", name=op.f('ck_aging_fetch_state_known')),
    sa.CheckConstraint('accounts >= 0 AND months >= 0 AND lines >= 0', name=op.f('ck_aging_fetch_counts_are_counted')),
    sa.ForeignKeyConstraint(['asked_by_person_id'], ['person.id'], name=op.f('fk_aging_fetch_asked_by_person_id_person')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_aging_fetch'))
    )
    op.create_index(op.f('ix_aging_fetch_side_state_id'), 'aging_fetch', ['side', 'state', 'id'], unique=False)
    op.create_index('uq_aging_fetch_one_at_a_time', 'aging_fetch', ['side'], unique=True, postgresql_where=sa.text("state IN ('ASKED', 'RUNNING')"))
    op.create_index('uq_aging_fetch_one_is_current', 'aging_fetch', ['side'], unique=True, postgresql_where=sa.text('is_current'))
    op.create_table('aging_override',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('fetch_id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('because', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint("because <> ''", name=op.f('ck_aging_override_says_why')),
    sa.ForeignKeyConstraint(['fetch_id'], ['aging_fetch.id'], name=op.f('fk_aging_override_fetch_id_aging_fetch')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_aging_override_person_id_person')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_aging_override'))
    )
    op.create_index(op.f('ix_aging_override_fetch_id'), 'aging_override', ['fetch_id'], unique=False)
    op.create_table('aging_reason',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('fetch_id', sa.Integer(), nullable=False),
    sa.Column('check_code', sa.Text(), nullable=False),
    sa.Column('severity', sa.Text(), nullable=False),
    sa.Column('count', sa.BigInteger(), nullable=False),
    sa.Column('amount_kurus', sa.BigInteger(), nullable=False),
    sa.Column('accounts', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('words', sa.Text(), nullable=False),
    sa.CheckConstraint("check_code IN ('EMPTY', 'PERIOD_GAP', 'NO_CARD', 'NO_DATE', 'BEFORE_2000', 'FUTURE', 'MONTH_DIFFERS', 'OUTSIDE_PERIOD', 'TWO_CARDS', 'ODD_CODE', 'ODD_SIGN', 'NO_AMOUNT', 'TOTALS_DIFFER', 'BALANCES_DIFFER', 'MONTHS_DIFFER', 'OPEN_ITEMS_DIFFER', 'NOT_THE_BALANCE', 'OPENING_DIFFERS', 'OPENING_UNDATED')", name=op.f('ck_aging_reason_check_known')),
    sa.CheckConstraint("severity IN ('STOP', 'VIEW', 'NOTE')", name=op.f('ck_aging_reason_severity_known')),
    sa.ForeignKeyConstraint(['fetch_id'], ['aging_fetch.id'], name=op.f('fk_aging_reason_fetch_id_aging_fetch')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_aging_reason'))
    )
    op.create_index(op.f('ix_aging_reason_fetch_id'), 'aging_reason', ['fetch_id'], unique=False)
    op.create_table('aging_standing',
    sa.Column('fetch_id', sa.Integer(), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('owed_kurus', sa.BigInteger(), nullable=False),
    sa.Column('paid_kurus', sa.BigInteger(), nullable=False),
    sa.Column('owed_1', sa.BigInteger(), nullable=False),
    sa.Column('owed_2', sa.BigInteger(), nullable=False),
    sa.Column('owed_3', sa.BigInteger(), nullable=False),
    sa.Column('owed_4', sa.BigInteger(), nullable=False),
    sa.Column('paid_1', sa.BigInteger(), nullable=False),
    sa.Column('paid_2', sa.BigInteger(), nullable=False),
    sa.Column('paid_3', sa.BigInteger(), nullable=False),
    sa.Column('paid_4', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['current_account.id'], name=op.f('fk_aging_standing_account_id_current_account')),
    sa.ForeignKeyConstraint(['fetch_id'], ['aging_fetch.id'], name=op.f('fk_aging_standing_fetch_id_aging_fetch')),
    sa.PrimaryKeyConstraint('fetch_id', 'account_id', name=op.f('pk_aging_standing'))
    )
    op.create_index(op.f('ix_aging_standing_account_id'), 'aging_standing', ['account_id'], unique=False)
    for table in APPEND_ONLY:
        keep_history(table)
    # Hundreds of thousands of rows come and go with every reading: tidy up behind them at once.
    for table in ("aging_month", "aging_open_item"):
        op.execute(f"ALTER TABLE {table} SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02)")


APPEND_ONLY = ("aging_reason", "aging_override")


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
    """Overrides are history: there is no way back that keeps them."""
    raise RuntimeError("restore a backup instead")
