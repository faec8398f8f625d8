"""The packing screen: tasks, lines, boxes, scans, and who has what in hand."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0007_packing'
down_revision = '0006_stock_push'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('packing_task',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('source_kind', sa.Text(), nullable=False),
    sa.Column('source_id', sa.BigInteger(), nullable=False),
    sa.Column('number', sa.Text(), nullable=False),
    sa.Column('barcode', sa.Text(), nullable=False),
    sa.Column('receiver', sa.Text(), nullable=False),
    sa.Column('seller_organisation_id', sa.BigInteger(), nullable=True),
    sa.Column('ship_by_on', sa.Date(), nullable=True),
    sa.Column('state', sa.Text(), server_default='OPEN', nullable=False),
    sa.Column('version', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('packed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('packed_by', sa.Text(), server_default='', nullable=False),
    sa.CheckConstraint("(state = 'PACKED') = (packed_at IS NOT NULL)", name=op.f('ck_packing_task_packed_ones_are_dated')),
    sa.CheckConstraint("source_kind IN ('shipment', 'storefront')", name=op.f('ck_packing_task_source_known')),
    sa.CheckConstraint("state IN ('OPEN', 'SHORT', 'PACKED', 'DROPPED')", name=op.f('ck_packing_task_state_known')),
    sa.CheckConstraint('version >= 0', name=op.f('ck_packing_task_versions_are_counted')),
    sa.ForeignKeyConstraint(['seller_organisation_id'], ['organisation.id'], name=op.f('fk_packing_task_seller_organisation_id_organisation')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_packing_task')),
    sa.UniqueConstraint('source_kind', 'source_id', name='everything_is_packed_once')
    )
    op.create_index('ix_packing_task_open', 'packing_task', ['id'], unique=False, postgresql_where=sa.text("state IN ('OPEN', 'SHORT')"))
    op.create_index(op.f('ix_packing_task_seller_organisation_id'), 'packing_task', ['seller_organisation_id'], unique=False)
    op.create_table('packing_line',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('task_id', sa.BigInteger(), nullable=False),
    sa.Column('source_line', sa.Text(), nullable=False),
    sa.Column('barcode', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('item_id', sa.BigInteger(), nullable=True),
    sa.Column('cases', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('wanted', sa.BigInteger(), nullable=False),
    sa.Column('packed', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.CheckConstraint("barcode <> ''", name=op.f('ck_packing_line_has_a_barcode')),
    sa.CheckConstraint('packed BETWEEN 0 AND wanted', name=op.f('ck_packing_line_never_packs_more_than_wanted')),
    sa.CheckConstraint('wanted > 0', name=op.f('ck_packing_line_wants_something')),
    sa.ForeignKeyConstraint(['item_id'], ['stock_item.id'], name=op.f('fk_packing_line_item_id_stock_item')),
    sa.ForeignKeyConstraint(['task_id'], ['packing_task.id'], name=op.f('fk_packing_line_task_id_packing_task')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_packing_line')),
    sa.UniqueConstraint('task_id', 'id', name='lines_belong_to_their_task'),
    sa.UniqueConstraint('task_id', 'source_line', name='a_line_is_packed_once')
    )
    op.create_table('packing_parcel',
    sa.Column('id', sa.Uuid(), server_default=sa.text('gen_random_uuid()'), nullable=False),
    sa.Column('task_id', sa.BigInteger(), nullable=False),
    sa.Column('number', sa.BigInteger(), nullable=False),
    sa.Column('grams', sa.BigInteger(), nullable=True),
    sa.Column('became', sa.Text(), server_default='', nullable=False),
    sa.Column('opened_by', sa.Text(), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint('grams BETWEEN 1 AND 1000000', name=op.f('ck_packing_parcel_weighs_something_sensible')),
    sa.CheckConstraint('number BETWEEN 1 AND 50', name=op.f('ck_packing_parcel_boxes_are_counted_from_one')),
    sa.ForeignKeyConstraint(['task_id'], ['packing_task.id'], name=op.f('fk_packing_parcel_task_id_packing_task')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_packing_parcel')),
    sa.UniqueConstraint('task_id', 'id', name='boxes_belong_to_their_task'),
    sa.UniqueConstraint('task_id', 'number', name='boxes_are_numbered_per_task')
    )
    op.create_table('packing_presence',
    sa.Column('task_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('person_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('since_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('left_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_packing_presence_person_id_person')),
    sa.ForeignKeyConstraint(['task_id'], ['packing_task.id'], name=op.f('fk_packing_presence_task_id_packing_task')),
    sa.PrimaryKeyConstraint('task_id', 'person_id', name=op.f('pk_packing_presence'))
    )
    op.create_table('packing_scan',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('seq', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('task_id', sa.BigInteger(), nullable=False),
    sa.Column('barcode', sa.Text(), nullable=False),
    sa.Column('verdict', sa.Text(), nullable=False),
    sa.Column('line_id', sa.BigInteger(), nullable=True),
    sa.Column('parcel_id', sa.Uuid(), nullable=True),
    sa.Column('pieces', sa.BigInteger(), nullable=False),
    sa.Column('undoes', sa.Uuid(), nullable=True),
    sa.Column('device', sa.Text(), nullable=False),
    sa.Column('device_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('actor_person_id', sa.BigInteger(), nullable=True),
    sa.Column('recorded_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint("(verdict = 'UNDONE') = (undoes IS NOT NULL)", name=op.f('ck_packing_scan_taking_back_names_what')),
    sa.CheckConstraint("(verdict IN ('OK', 'CASE', 'UNDONE')) = (line_id IS NOT NULL)", name=op.f('ck_packing_scan_what_counts_has_a_line')),
    sa.CheckConstraint("(verdict IN ('OK', 'CASE', 'UNDONE')) = (parcel_id IS NOT NULL)", name=op.f('ck_packing_scan_what_counts_is_in_a_box')),
    sa.CheckConstraint("CASE verdict WHEN 'OK' THEN pieces = 1 WHEN 'CASE' THEN pieces > 1 WHEN 'UNDONE' THEN pieces < 0 ELSE pieces = 0 END", name=op.f('ck_packing_scan_counts_what_it_says')),
    sa.CheckConstraint("verdict IN ('OK', 'CASE', 'UNDONE', 'WRONG_ITEM', 'TOO_MANY', 'UNKNOWN', 'NOTHING_TO_UNDO', 'CLOSED')", name=op.f('ck_packing_scan_verdict_known')),
    sa.ForeignKeyConstraint(['actor_person_id'], ['person.id'], name=op.f('fk_packing_scan_actor_person_id_person')),
    sa.ForeignKeyConstraint(['task_id', 'line_id'], ['packing_line.task_id', 'packing_line.id'], name=op.f('fk_packing_scan_task_id_line_id_packing_line')),
    sa.ForeignKeyConstraint(['task_id', 'parcel_id'], ['packing_parcel.task_id', 'packing_parcel.id'], name=op.f('fk_packing_scan_task_id_parcel_id_packing_parcel')),
    sa.ForeignKeyConstraint(['task_id'], ['packing_task.id'], name=op.f('fk_packing_scan_task_id_packing_task')),
    sa.ForeignKeyConstraint(['undoes'], ['packing_scan.id'], name=op.f('fk_packing_scan_undoes_packing_scan')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_packing_scan')),
    sa.UniqueConstraint('undoes', name='a_scan_is_taken_back_once')
    )
    op.create_index(op.f('ix_packing_scan_task_id_seq'), 'packing_scan', ['task_id', 'seq'], unique=False)
    keep_history('packing_scan')


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
    """Scans are history: there is no way back that keeps them."""
    raise RuntimeError("restore a backup instead")
