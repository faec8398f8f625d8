"""Storefronts: packages, lines, words, returns, how well we listen."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0005_marketplace'
down_revision = '0004'
branch_labels = None
depends_on = None

APPEND_ONLY = ("storefront_word", "storefront_gap_check")


def upgrade() -> None:
    op.create_table('storefront_gap_check',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('storefront', sa.Text(), nullable=False),
    sa.Column('from_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('until_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('listed', sa.BigInteger(), nullable=False),
    sa.Column('kept', sa.BigInteger(), nullable=False),
    sa.Column('gaps', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.Column('note', sa.Text(), server_default='', nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint("outcome <> 'WELL' OR gaps = '[]'", name=op.f('ck_storefront_gap_check_well_means_no_gap')),
    sa.CheckConstraint("outcome IN ('WELL', 'MENDED', 'UNFINISHED')", name=op.f('ck_storefront_gap_check_outcome_known')),
    sa.CheckConstraint('from_at < until_at', name=op.f('ck_storefront_gap_check_looks_at_a_span')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_storefront_gap_check'))
    )
    op.create_index(op.f('ix_storefront_gap_check_storefront_id'), 'storefront_gap_check', ['storefront', 'id'], unique=False)
    op.create_table('storefront_package',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('storefront', sa.Text(), nullable=False),
    sa.Column('package_key', sa.Text(), nullable=False),
    sa.Column('order_number', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('words', sa.Text(), nullable=False),
    sa.Column('ordered_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('origin_keys', postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('superseded', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('customer_name', sa.Text(), server_default='', nullable=False),
    sa.Column('city', sa.Text(), server_default='', nullable=False),
    sa.Column('cargo_provider', sa.Text(), server_default='', nullable=False),
    sa.Column('cargo_tracking_number', sa.Text(), server_default='', nullable=False),
    sa.Column('ship_by', sa.DateTime(timezone=True), nullable=True),
    sa.Column('invoice_number', sa.Text(), server_default='', nullable=False),
    sa.Column('packed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('trouble', sa.Text(), server_default='', nullable=False),
    sa.Column('heard_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('read_again_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('first_seen_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint("state IN ('UNKNOWN', 'AWAITING', 'CREATED', 'PICKING', 'INVOICED', 'SHIPPED', 'AT_COLLECTION_POINT', 'UNDELIVERED', 'DELIVERED', 'RETURNED', 'UNSUPPLIED', 'UNPACKED', 'CANCELLED')", name=op.f('ck_storefront_package_state_known')),
    sa.CheckConstraint("storefront <> '' AND package_key <> ''", name=op.f('ck_storefront_package_has_a_name')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_storefront_package')),
    sa.UniqueConstraint('storefront', 'package_key', name='a_package_is_kept_once')
    )
    op.create_index('ix_storefront_package_due', 'storefront_package', ['read_again_at'], unique=False, postgresql_where=sa.text('read_again_at IS NOT NULL'))
    op.create_index('ix_storefront_package_origin_keys', 'storefront_package', ['origin_keys'], unique=False, postgresql_using='gin')
    op.create_index(op.f('ix_storefront_package_state_ship_by'), 'storefront_package', ['state', 'ship_by'], unique=False)
    op.create_index(op.f('ix_storefront_package_storefront_changed_at'), 'storefront_package', ['storefront', 'changed_at'], unique=False)
    op.create_index(op.f('ix_storefront_package_storefront_order_number'), 'storefront_package', ['storefront', 'order_number'], unique=False)
    op.create_table('storefront_sync',
    sa.Column('storefront', sa.Text(), nullable=False),
    sa.Column('read_until_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('tried_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('succeeded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('trouble', sa.Text(), server_default='', nullable=False),
    sa.Column('pull_due_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('gaps_due_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("storefront <> ''", name=op.f('ck_storefront_sync_has_a_name')),
    sa.PrimaryKeyConstraint('storefront', name=op.f('pk_storefront_sync'))
    )
    op.create_table('storefront_line',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('package_id', sa.BigInteger(), nullable=False),
    sa.Column('line_key', sa.Text(), nullable=False),
    sa.Column('barcode', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('quantity', sa.BigInteger(), nullable=False),
    sa.Column('unit_price_kurus', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('item_id', sa.BigInteger(), nullable=True),
    sa.Column('pieces_each', sa.BigInteger(), nullable=True),
    sa.Column('inherited', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.CheckConstraint("state IN ('AWAITING', 'CREATED', 'PICKING', 'INVOICED', 'SHIPPED', 'AT_COLLECTION_POINT', 'DELIVERED', 'UNDELIVERED', 'RETURNED', 'CANCELLED', 'UNSUPPLIED', 'UNPACKED', 'UNKNOWN')", name=op.f('ck_storefront_line_state_known')),
    sa.CheckConstraint('(item_id IS NULL) = (pieces_each IS NULL)', name=op.f('ck_storefront_line_what_we_keep_has_pieces')),
    sa.CheckConstraint('inherited >= 0', name=op.f('ck_storefront_line_inherits_pieces')),
    sa.CheckConstraint('pieces_each > 0', name=op.f('ck_storefront_line_holds_pieces')),
    sa.CheckConstraint('quantity >= 0', name=op.f('ck_storefront_line_quantity_is_counted')),
    sa.ForeignKeyConstraint(['item_id'], ['stock_item.id'], name=op.f('fk_storefront_line_item_id_stock_item')),
    sa.ForeignKeyConstraint(['package_id'], ['storefront_package.id'], name=op.f('fk_storefront_line_package_id_storefront_package')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_storefront_line')),
    sa.UniqueConstraint('package_id', 'line_key', name='a_line_is_kept_once')
    )
    op.create_index(op.f('ix_storefront_line_item_id'), 'storefront_line', ['item_id'], unique=False)
    op.create_index('ix_storefront_line_unknown', 'storefront_line', ['barcode'], unique=False, postgresql_where=sa.text('item_id IS NULL AND quantity > 0'))
    op.create_table('storefront_return',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('package_id', sa.BigInteger(), nullable=False),
    sa.Column('taken_for', sa.Text(), nullable=False),
    sa.Column('item_id', sa.BigInteger(), nullable=False),
    sa.Column('pieces', sa.BigInteger(), nullable=False),
    sa.Column('received', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('state', sa.Text(), server_default='EXPECTED', nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint("(state = 'RECEIVED') = (received = pieces)", name=op.f('ck_storefront_return_received_is_all_of_it')),
    sa.CheckConstraint("state IN ('EXPECTED', 'RECEIVED', 'LOST')", name=op.f('ck_storefront_return_state_known')),
    sa.CheckConstraint('pieces > 0 AND received >= 0 AND received <= pieces', name=op.f('ck_storefront_return_never_more_than_left')),
    sa.ForeignKeyConstraint(['item_id'], ['stock_item.id'], name=op.f('fk_storefront_return_item_id_stock_item')),
    sa.ForeignKeyConstraint(['package_id'], ['storefront_package.id'], name=op.f('fk_storefront_return_package_id_storefront_package')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_storefront_return'))
    )
    op.create_index(op.f('ix_storefront_return_package_id'), 'storefront_return', ['package_id'], unique=False)
    op.create_index('ix_storefront_return_expected', 'storefront_return', ['made_at'], unique=False, postgresql_where=sa.text("state = 'EXPECTED'"))
    op.create_table('storefront_word',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('package_id', sa.BigInteger(), nullable=False),
    sa.Column('words', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('heard_by', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint("state IN ('UNKNOWN', 'AWAITING', 'CREATED', 'PICKING', 'INVOICED', 'SHIPPED', 'AT_COLLECTION_POINT', 'UNDELIVERED', 'DELIVERED', 'RETURNED', 'UNSUPPLIED', 'UNPACKED', 'CANCELLED')", name=op.f('ck_storefront_word_state_known')),
    sa.ForeignKeyConstraint(['package_id'], ['storefront_package.id'], name=op.f('fk_storefront_word_package_id_storefront_package')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_storefront_word')),
    sa.UniqueConstraint('package_id', 'changed_at', 'words', name='a_word_is_heard_once')
    )

    for table in APPEND_ONLY:
        keep_history(table)


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
    """What was sold is history: there is no way back that keeps it."""
    raise RuntimeError("restore a backup instead")
