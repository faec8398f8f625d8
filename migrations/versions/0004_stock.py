"""The central stock: items, shelves, promises, movements."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('shelf',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.CheckConstraint("code <> '' AND code !~ '[[:cntrl:]]'", name=op.f('ck_shelf_code_can_be_scanned')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_shelf')),
    sa.UniqueConstraint('code', name=op.f('uq_shelf_code'))
    )
    op.create_table('stock_item',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('barcode', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('added_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint("barcode <> '' AND barcode !~ '[[:cntrl:]]'", name=op.f('ck_stock_item_barcode_can_be_scanned')),
    sa.CheckConstraint("name <> ''", name=op.f('ck_stock_item_has_a_name')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_stock_item')),
    sa.UniqueConstraint('barcode', name=op.f('uq_stock_item_barcode'))
    )
    op.create_table('case_barcode',
    sa.Column('barcode', sa.Text(), nullable=False),
    sa.Column('item_id', sa.BigInteger(), nullable=False),
    sa.Column('pieces', sa.BigInteger(), nullable=False),
    sa.CheckConstraint("barcode <> '' AND barcode !~ '[[:cntrl:]]'", name=op.f('ck_case_barcode_barcode_can_be_scanned')),
    sa.CheckConstraint('pieces > 1', name=op.f('ck_case_barcode_a_case_holds_several')),
    sa.ForeignKeyConstraint(['item_id'], ['stock_item.id'], name=op.f('fk_case_barcode_item_id_stock_item')),
    sa.PrimaryKeyConstraint('barcode', name=op.f('pk_case_barcode'))
    )
    op.create_index(op.f('ix_case_barcode_item_id'), 'case_barcode', ['item_id'], unique=False)
    op.create_table('central_stock',
    sa.Column('item_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('qty', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('reserved', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('safety', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint('qty >= 0', name=op.f('ck_central_stock_never_below_zero')),
    sa.CheckConstraint('reserved >= 0', name=op.f('ck_central_stock_promised_is_never_below_zero')),
    sa.CheckConstraint('safety >= 0', name=op.f('ck_central_stock_safety_is_never_below_zero')),
    sa.ForeignKeyConstraint(['item_id'], ['stock_item.id'], name=op.f('fk_central_stock_item_id_stock_item')),
    sa.PrimaryKeyConstraint('item_id', name=op.f('pk_central_stock'))
    )
    op.create_table('reservation',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('item_id', sa.BigInteger(), nullable=False),
    sa.Column('source_kind', sa.Text(), nullable=False),
    sa.Column('source_key', sa.Text(), nullable=False),
    sa.Column('line_key', sa.Text(), server_default='', nullable=False),
    sa.Column('pieces', sa.BigInteger(), nullable=False),
    sa.Column('taken', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('released', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('state', sa.Text(), server_default='OPEN', nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('made_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint("(state = 'OPEN') = (taken + released < pieces)", name=op.f('ck_reservation_open_while_something_is_left')),
    sa.CheckConstraint("state <> 'TAKEN' OR taken > 0", name=op.f('ck_reservation_taken_took_something')),
    sa.CheckConstraint("state IN ('OPEN', 'TAKEN', 'RELEASED', 'EXPIRED')", name=op.f('ck_reservation_state_known')),
    sa.CheckConstraint('pieces > 0', name=op.f('ck_reservation_promises_something')),
    sa.CheckConstraint('taken + released <= pieces', name=op.f('ck_reservation_never_gives_more_than_promised')),
    sa.CheckConstraint('taken >= 0 AND released >= 0', name=op.f('ck_reservation_pieces_are_counted')),
    sa.ForeignKeyConstraint(['item_id'], ['stock_item.id'], name=op.f('fk_reservation_item_id_stock_item')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reservation')),
    sa.UniqueConstraint('source_kind', 'source_key', 'line_key', name='a_line_is_promised_once')
    )
    op.create_index('ix_reservation_open', 'reservation', ['item_id'], unique=False, postgresql_where=sa.text("state = 'OPEN'"))
    op.create_index('ix_reservation_running_out', 'reservation', ['expires_at'], unique=False, postgresql_where=sa.text("state = 'OPEN' AND expires_at IS NOT NULL"))
    op.create_table('shelf_stock',
    sa.Column('item_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('shelf_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('qty', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.CheckConstraint('qty >= 0', name=op.f('ck_shelf_stock_never_below_zero')),
    sa.ForeignKeyConstraint(['item_id'], ['stock_item.id'], name=op.f('fk_shelf_stock_item_id_stock_item')),
    sa.ForeignKeyConstraint(['shelf_id'], ['shelf.id'], name=op.f('fk_shelf_stock_shelf_id_shelf')),
    sa.PrimaryKeyConstraint('item_id', 'shelf_id', name=op.f('pk_shelf_stock'))
    )
    op.create_index(op.f('ix_shelf_stock_shelf_id'), 'shelf_stock', ['shelf_id'], unique=False)
    op.create_table('stock_act',
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('goods', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('source_kind', sa.Text(), nullable=False),
    sa.Column('source_key', sa.Text(), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('actor_person_id', sa.BigInteger(), nullable=True),
    sa.Column('because', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint("key <> ''", name=op.f('ck_stock_act_has_a_key')),
    sa.ForeignKeyConstraint(['actor_person_id'], ['person.id'], name=op.f('fk_stock_act_actor_person_id_person')),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_stock_act'))
    )
    op.create_index(op.f('ix_stock_act_source_kind_source_key'), 'stock_act', ['source_kind', 'source_key'], unique=False)
    op.create_table('stock_shortage',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('act_key', sa.Text(), nullable=False),
    sa.Column('item_id', sa.BigInteger(), nullable=False),
    sa.Column('shelf_id', sa.BigInteger(), nullable=True),
    sa.Column('wanted', sa.BigInteger(), nullable=False),
    sa.Column('there', sa.BigInteger(), nullable=False),
    sa.Column('source_kind', sa.Text(), nullable=False),
    sa.Column('source_key', sa.Text(), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('actor_person_id', sa.BigInteger(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint('there >= 0 AND there < wanted', name=op.f('ck_stock_shortage_less_was_there_than_wanted')),
    sa.ForeignKeyConstraint(['actor_person_id'], ['person.id'], name=op.f('fk_stock_shortage_actor_person_id_person')),
    sa.ForeignKeyConstraint(['item_id'], ['stock_item.id'], name=op.f('fk_stock_shortage_item_id_stock_item')),
    sa.ForeignKeyConstraint(['shelf_id'], ['shelf.id'], name=op.f('fk_stock_shortage_shelf_id_shelf')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_stock_shortage'))
    )
    op.create_index(op.f('ix_stock_shortage_item_id_id'), 'stock_shortage', ['item_id', 'id'], unique=False)
    op.create_table('stock_movement',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('idempotency_key', sa.Text(), nullable=False),
    sa.Column('act_key', sa.Text(), nullable=False),
    sa.Column('type', sa.Text(), nullable=False),
    sa.Column('item_id', sa.BigInteger(), nullable=False),
    sa.Column('shelf_id', sa.BigInteger(), nullable=False),
    sa.Column('pieces', sa.BigInteger(), nullable=False),
    sa.Column('source_kind', sa.Text(), nullable=False),
    sa.Column('source_key', sa.Text(), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('actor_person_id', sa.BigInteger(), nullable=True),
    sa.Column('because', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint("type IN ('IN', 'OUT', 'TRANSFER_IN', 'TRANSFER_OUT', 'COUNT', 'RETURN')", name=op.f('ck_stock_movement_type_known')),
    sa.CheckConstraint("type NOT IN ('IN', 'TRANSFER_IN', 'RETURN') OR pieces > 0", name=op.f('ck_stock_movement_what_comes_is_more')),
    sa.CheckConstraint("type NOT IN ('OUT', 'RETURN') OR source_key <> ''", name=op.f('ck_stock_movement_says_for_which_order')),
    sa.CheckConstraint("type NOT IN ('OUT', 'TRANSFER_OUT') OR pieces < 0", name=op.f('ck_stock_movement_what_goes_is_less')),
    sa.CheckConstraint('pieces <> 0', name=op.f('ck_stock_movement_moves_something')),
    sa.ForeignKeyConstraint(['act_key'], ['stock_act.key'], name=op.f('fk_stock_movement_act_key_stock_act')),
    sa.ForeignKeyConstraint(['actor_person_id'], ['person.id'], name=op.f('fk_stock_movement_actor_person_id_person')),
    sa.ForeignKeyConstraint(['item_id'], ['stock_item.id'], name=op.f('fk_stock_movement_item_id_stock_item')),
    sa.ForeignKeyConstraint(['shelf_id'], ['shelf.id'], name=op.f('fk_stock_movement_shelf_id_shelf')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_stock_movement')),
    sa.UniqueConstraint('idempotency_key', name=op.f('uq_stock_movement_idempotency_key'))
    )
    op.create_index(op.f('ix_stock_movement_act_key'), 'stock_movement', ['act_key'], unique=False)
    op.create_index(op.f('ix_stock_movement_item_id_id'), 'stock_movement', ['item_id', 'id'], unique=False)
    op.create_index(op.f('ix_stock_movement_source_kind_source_key_item_id'), 'stock_movement', ['source_kind', 'source_key', 'item_id'], unique=False)
    for table in APPEND_ONLY:
        keep_history(table)


APPEND_ONLY = ("stock_act", "stock_movement", "stock_shortage")


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
    """Movements are history: there is no way back that keeps them."""
    raise RuntimeError("restore a backup instead")
