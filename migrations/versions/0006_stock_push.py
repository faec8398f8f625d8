"""What we tell storefronts about our stock, and the notes by which the database says itself what changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0006_stock_push'
down_revision = '0005_marketplace'
branch_labels = None
depends_on = None

# The stock's numbers for whoever joins them: portal.stock.rules.Level, said in SQL. A test compares the two.
STOCK_LEVEL = """
CREATE VIEW stock_level AS
SELECT item_id, qty, reserved, safety, updated_at, greatest(qty - reserved - safety, 0) AS available,
       greatest(qty - reserved, 0) AS free, greatest(reserved - qty, 0) AS oversold
FROM central_stock
"""
# One note per item and statement, in the transaction of the change, and only where the available pieces changed.
NOTE_CHANGES = """
CREATE FUNCTION note_stock_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO stock_change (item_id) SELECT item_id FROM now_there;
  ELSE
    INSERT INTO stock_change (item_id)
    SELECT n.item_id FROM now_there n JOIN was_there w USING (item_id)
    WHERE greatest(n.qty - n.reserved - n.safety, 0) <> greatest(w.qty - w.reserved - w.safety, 0);
  END IF;
  RETURN NULL;
END $$
"""
TRIGGERS = (
    "CREATE TRIGGER central_stock_notes_what_is_new AFTER INSERT ON central_stock"
    " REFERENCING NEW TABLE AS now_there FOR EACH STATEMENT EXECUTE FUNCTION note_stock_changes()",
    "CREATE TRIGGER central_stock_notes_what_changed AFTER UPDATE ON central_stock"
    " REFERENCING OLD TABLE AS was_there NEW TABLE AS now_there FOR EACH STATEMENT EXECUTE FUNCTION note_stock_changes()",
)


def upgrade() -> None:
    op.create_table('stock_change',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('item_id', sa.BigInteger(), nullable=False),
    sa.Column('noted_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_stock_change'))
    )
    op.create_table('stock_push_log',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('storefront', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('push_time', sa.DateTime(timezone=True), nullable=False),
    sa.Column('total_items', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('total_quantity', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('reserved_quantity', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('batch_count', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('success', sa.Boolean(), nullable=True),
    sa.Column('error_message', sa.Text(), server_default='', nullable=False),
    sa.Column('duration_seconds', sa.Numeric(precision=12, scale=3), nullable=True),
    sa.CheckConstraint("kind IN ('CHANGED', 'FULL')", name=op.f('ck_stock_push_log_kind_known')),
    sa.CheckConstraint("success IS DISTINCT FROM false OR error_message <> ''", name=op.f('ck_stock_push_log_a_failure_says_why')),
    sa.CheckConstraint('(success IS NULL) = (duration_seconds IS NULL)', name=op.f('ck_stock_push_log_an_end_has_its_duration')),
    sa.CheckConstraint('total_items >= 0 AND total_quantity >= 0 AND reserved_quantity >= 0 AND batch_count >= 0', name=op.f('ck_stock_push_log_figures_are_counted')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_stock_push_log'))
    )
    op.create_index(op.f('ix_stock_push_log_storefront_id'), 'stock_push_log', ['storefront', 'id'], unique=False)
    op.create_index('one_push_at_a_time', 'stock_push_log', ['storefront'], unique=True, postgresql_where=sa.text('success IS NULL'))
    op.create_table('storefront_call',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('storefront', sa.Text(), nullable=False),
    sa.Column('operation', sa.Text(), nullable=False),
    sa.Column('began_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_storefront_call'))
    )
    op.create_index(op.f('ix_storefront_call_storefront_operation_began_at'), 'storefront_call', ['storefront', 'operation', 'began_at'], unique=False)
    op.create_table('stock_push_batch',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('push_id', sa.BigInteger(), nullable=False),
    sa.Column('storefront', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), server_default='SENDING', nullable=False),
    sa.Column('digest', sa.Text(), nullable=False),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('batch_key', sa.Text(), server_default='', nullable=False),
    sa.Column('note', sa.Text(), server_default='', nullable=False),
    sa.Column('polls', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('poll_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('settled_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("(state = 'WAITING') = (poll_at IS NOT NULL)", name=op.f('ck_stock_push_batch_asked_about_while_waiting')),
    sa.CheckConstraint("state IN ('SENDING', 'WAITING', 'UNKNOWN', 'DONE', 'REFUSED', 'NOT_SENT', 'GONE')", name=op.f('ck_stock_push_batch_state_known')),
    sa.CheckConstraint("state NOT IN ('WAITING', 'DONE', 'GONE') OR batch_key <> ''", name=op.f('ck_stock_push_batch_what_was_taken_has_a_key')),
    sa.ForeignKeyConstraint(['push_id'], ['stock_push_log.id'], name=op.f('fk_stock_push_batch_push_id_stock_push_log')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_stock_push_batch'))
    )
    op.create_index('ix_stock_push_batch_polls', 'stock_push_batch', ['storefront', 'poll_at'], unique=False, postgresql_where=sa.text("state = 'WAITING'"))
    op.create_index(op.f('ix_stock_push_batch_push_id'), 'stock_push_batch', ['push_id'], unique=False)
    op.create_index(op.f('ix_stock_push_batch_storefront_digest_sent_at'), 'stock_push_batch', ['storefront', 'digest', 'sent_at'], unique=False)
    op.create_table('storefront_listing',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('storefront', sa.Text(), nullable=False),
    sa.Column('item_id', sa.BigInteger(), nullable=False),
    sa.Column('barcode', sa.Text(), nullable=False),
    sa.Column('on_sale', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.Column('wanted', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('expected', sa.BigInteger(), nullable=True),
    sa.Column('send_no', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('settled_no', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('overlapped', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('sent', sa.BigInteger(), nullable=True),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('accepted', sa.BigInteger(), nullable=True),
    sa.Column('accepted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('believed', sa.BigInteger(), nullable=True),
    sa.Column('believed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('rejection', sa.Text(), server_default='', nullable=False),
    sa.Column('rejected_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('attempts', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('needs_person', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ask_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('asked', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('read_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('listed_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint("(rejection = '') = (rejected_at IS NULL)", name=op.f('ck_storefront_listing_rejections_say_why_and_when')),
    sa.CheckConstraint("NOT needs_person OR rejection <> ''", name=op.f('ck_storefront_listing_a_person_can_read_why')),
    sa.CheckConstraint('(believed IS NULL) = (believed_at IS NULL)', name=op.f('ck_storefront_listing_what_is_believed_is_dated')),
    sa.CheckConstraint('(sent IS NULL) = (sent_at IS NULL)', name=op.f('ck_storefront_listing_what_was_sent_is_dated')),
    sa.CheckConstraint('sent >= 0 AND believed >= 0 AND expected >= 0', name=op.f('ck_storefront_listing_pieces_are_counted')),
    sa.CheckConstraint('settled_no <= send_no', name=op.f('ck_storefront_listing_nothing_settles_before_it_is_sent')),
    sa.CheckConstraint('wanted >= 0', name=op.f('ck_storefront_listing_wants_no_less_than_nothing')),
    sa.ForeignKeyConstraint(['item_id'], ['stock_item.id'], name=op.f('fk_storefront_listing_item_id_stock_item')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_storefront_listing')),
    sa.UniqueConstraint('item_id', 'storefront', name='an_item_is_listed_once_a_storefront')
    )
    op.create_index('ix_storefront_listing_asks', 'storefront_listing', ['storefront', 'ask_at'], unique=False, postgresql_where=sa.text('ask_at IS NOT NULL'))
    op.create_index('ix_storefront_listing_due', 'storefront_listing', ['storefront', 'wanted', 'id'], unique=False, postgresql_where=sa.text('due_at IS NOT NULL AND ask_at IS NULL AND NOT needs_person AND on_sale'))
    op.create_index('ix_storefront_listing_person', 'storefront_listing', ['storefront'], unique=False, postgresql_where=sa.text('needs_person'))
    op.create_table('storefront_turn',
    sa.Column('storefront', sa.Text(), nullable=False),
    sa.Column('turn', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('push_id', sa.BigInteger(), nullable=True),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('pause_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('failures', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('refusals', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('words', sa.Text(), server_default='', nullable=False),
    sa.Column('full_asked', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('compared_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('failures >= 0 AND refusals >= 0', name=op.f('ck_storefront_turn_troubles_are_counted')),
    sa.CheckConstraint('push_id IS NULL OR lease_until IS NOT NULL', name=op.f('ck_storefront_turn_pushes_while_it_is_leased')),
    sa.ForeignKeyConstraint(['push_id'], ['stock_push_log.id'], name=op.f('fk_storefront_turn_push_id_stock_push_log')),
    sa.PrimaryKeyConstraint('storefront', name=op.f('pk_storefront_turn'))
    )
    op.create_table('stock_push_item',
    sa.Column('batch_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('listing_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('quantity', sa.BigInteger(), nullable=False),
    sa.Column('send_no', sa.BigInteger(), nullable=False),
    sa.Column('result', sa.Text(), nullable=True),
    sa.Column('why', sa.Text(), server_default='', nullable=False),
    sa.CheckConstraint("result IN ('ACCEPTED', 'REJECTED', 'NOT_TAKEN', 'ASKED')", name=op.f('ck_stock_push_item_result_known')),
    sa.CheckConstraint("result IS DISTINCT FROM 'REJECTED' OR why <> ''", name=op.f('ck_stock_push_item_rejections_say_why')),
    sa.CheckConstraint('quantity >= 0', name=op.f('ck_stock_push_item_pieces_are_counted')),
    sa.ForeignKeyConstraint(['batch_id'], ['stock_push_batch.id'], name=op.f('fk_stock_push_item_batch_id_stock_push_batch')),
    sa.ForeignKeyConstraint(['listing_id'], ['storefront_listing.id'], name=op.f('fk_stock_push_item_listing_id_storefront_listing')),
    sa.PrimaryKeyConstraint('batch_id', 'listing_id', name=op.f('pk_stock_push_item')),
    sa.UniqueConstraint('listing_id', 'send_no', name='every_sending_has_its_number')
    )
    op.create_index('ix_stock_push_item_open', 'stock_push_item', ['listing_id'], unique=False, postgresql_where=sa.text('result IS NULL'))
    op.execute(STOCK_LEVEL)
    op.execute(NOTE_CHANGES)
    for trigger in TRIGGERS:
        op.execute(trigger)
    # What is kept already is told, too.
    op.execute("INSERT INTO stock_change (item_id) SELECT item_id FROM central_stock")


def downgrade() -> None:
    """The log of pushes is history: there is no way back that keeps it."""
    raise RuntimeError("restore a backup instead")
