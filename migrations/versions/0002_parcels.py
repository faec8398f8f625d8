"""Parcels: carriers, despatch notes, answers line by line, disputes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('despatch_series',
    sa.Column('seller_organisation_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('series', sa.Text(), nullable=False),
    sa.Column('year', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('last_serial', sa.BigInteger(), nullable=False),
    sa.CheckConstraint('last_serial >= 0', name=op.f('ck_despatch_series_counted_from_nothing')),
    sa.ForeignKeyConstraint(['seller_organisation_id'], ['organisation.id'], name=op.f('fk_despatch_series_seller_organisation_id_organisation')),
    sa.PrimaryKeyConstraint('seller_organisation_id', 'series', 'year', name=op.f('pk_despatch_series'))
    )
    op.create_table('carrier_scan',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('shipment_id', sa.BigInteger(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('words', sa.Text(), nullable=False),
    sa.Column('place', sa.Text(), nullable=False),
    sa.Column('occurred_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('dedupe_key', sa.Text(), nullable=False),
    sa.Column('moved', sa.Boolean(), nullable=False),
    sa.Column('heard_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint("status IN ('CREATED', 'LABELLED', 'PICKED_UP', 'IN_TRANSIT', 'OUT_FOR_DELIVERY', 'READY_FOR_PICKUP', 'ATTEMPT_FAILED', 'LOST', 'DELIVERED', 'RETURNED', 'CANCELLED', 'UNKNOWN')", name=op.f('ck_carrier_scan_status_known')),
    sa.ForeignKeyConstraint(['shipment_id'], ['shipment.id'], name=op.f('fk_carrier_scan_shipment_id_shipment')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_carrier_scan')),
    sa.UniqueConstraint('shipment_id', 'dedupe_key', name='said_twice_is_said_once')
    )
    op.create_table('delivery_link',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('shipment_id', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_delivery_link_person_id_person')),
    sa.ForeignKeyConstraint(['shipment_id'], ['shipment.id'], name=op.f('fk_delivery_link_shipment_id_shipment')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_delivery_link'))
    )
    op.create_index(op.f('ix_delivery_link_shipment_id'), 'delivery_link', ['shipment_id'], unique=False)
    op.create_table('delivery_receipt',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('shipment_id', sa.BigInteger(), nullable=False),
    sa.Column('via', sa.Text(), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('answered_by', sa.Text(), nullable=False),
    sa.Column('answered_by_person_id', sa.BigInteger(), nullable=True),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("via IN ('PAGE', 'API', 'LINK', 'SILENCE')", name=op.f('ck_delivery_receipt_way_known')),
    sa.ForeignKeyConstraint(['answered_by_person_id'], ['person.id'], name=op.f('fk_delivery_receipt_answered_by_person_id_person')),
    sa.ForeignKeyConstraint(['shipment_id'], ['shipment.id'], name=op.f('fk_delivery_receipt_shipment_id_shipment')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_delivery_receipt')),
    sa.UniqueConstraint('shipment_id', name=op.f('uq_delivery_receipt_shipment_id'))
    )
    op.create_table('despatch_note',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('uuid', sa.Uuid(), nullable=False),
    sa.Column('shipment_id', sa.BigInteger(), nullable=False),
    sa.Column('seller_organisation_id', sa.BigInteger(), nullable=False),
    sa.Column('number', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), server_default='WRITTEN', nullable=False),
    sa.Column('document', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('ubl', sa.Text(), nullable=False),
    sa.Column('office_words', sa.Text(), server_default='', nullable=False),
    sa.Column('verdict', sa.Text(), nullable=True),
    sa.Column('answer', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('asked', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('next_ask_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('issued_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint("number ~ '^[A-Z0-9]{3}20[0-9]{2}[0-9]{9}$'", name=op.f('ck_despatch_note_number_as_the_tax_office_wants_it')),
    sa.CheckConstraint("state IN ('WRITTEN', 'DRAFTED', 'SENT', 'TAKEN', 'FAILED')", name=op.f('ck_despatch_note_state_known')),
    sa.CheckConstraint("verdict IS NULL OR verdict IN ('FULL', 'PARTIAL', 'REFUSED')", name=op.f('ck_despatch_note_verdict_known')),
    sa.CheckConstraint('(verdict IS NULL) = (answer IS NULL)', name=op.f('ck_despatch_note_an_answer_has_a_verdict')),
    sa.ForeignKeyConstraint(['seller_organisation_id'], ['organisation.id'], name=op.f('fk_despatch_note_seller_organisation_id_organisation')),
    sa.ForeignKeyConstraint(['shipment_id'], ['shipment.id'], name=op.f('fk_despatch_note_shipment_id_shipment')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_despatch_note')),
    sa.UniqueConstraint('seller_organisation_id', 'number', name='a_number_is_used_once'),
    sa.UniqueConstraint('shipment_id', name=op.f('uq_despatch_note_shipment_id')),
    sa.UniqueConstraint('uuid', name=op.f('uq_despatch_note_uuid'))
    )
    op.create_index('ix_despatch_note_to_ask', 'despatch_note', ['next_ask_at'], unique=False, postgresql_where=sa.text("state IN ('DRAFTED', 'SENT') OR (state = 'TAKEN' AND verdict IS NULL)"))
    op.create_table('dispute',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('order_id', sa.BigInteger(), nullable=False),
    sa.Column('shipment_id', sa.BigInteger(), nullable=False),
    sa.Column('order_line_id', sa.BigInteger(), nullable=False),
    sa.Column('problem', sa.Text(), nullable=False),
    sa.Column('pieces', sa.BigInteger(), nullable=False),
    sa.Column('amount_kurus', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.Text(), server_default='OPEN', nullable=False),
    sa.Column('offer', sa.Text(), server_default='', nullable=False),
    sa.Column('answer_by_on', sa.Date(), nullable=False),
    sa.Column('resolution', sa.Text(), nullable=True),
    sa.Column('because', sa.Text(), server_default='', nullable=False),
    sa.Column('settled_by', sa.Text(), server_default='', nullable=False),
    sa.Column('settled_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('return_shipment_id', sa.BigInteger(), nullable=True),
    sa.Column('opened_by', sa.Text(), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("(state = 'SETTLED') = (resolution IS NOT NULL AND settled_at IS NOT NULL AND because <> '')", name=op.f('ck_dispute_settled_says_how_and_why')),
    sa.CheckConstraint("offer IN ('', 'REPLACEMENT')", name=op.f('ck_dispute_offer_known')),
    sa.CheckConstraint("problem IN ('DAMAGED', 'MISSING')", name=op.f('ck_dispute_problem_known')),
    sa.CheckConstraint("resolution IS NULL OR resolution IN ('RELEASE', 'REFUND', 'REPLACEMENT')", name=op.f('ck_dispute_resolution_known')),
    sa.CheckConstraint("state <> 'AWAITING_RETURN' OR return_shipment_id IS NOT NULL", name=op.f('ck_dispute_awaits_a_parcel')),
    sa.CheckConstraint("state IN ('OPEN', 'ESCALATED', 'AWAITING_RETURN', 'SETTLED')", name=op.f('ck_dispute_state_known')),
    sa.CheckConstraint('amount_kurus > 0', name=op.f('ck_dispute_is_worth_something')),
    sa.CheckConstraint('pieces > 0', name=op.f('ck_dispute_is_about_something')),
    sa.ForeignKeyConstraint(['order_id'], ['network_order.id'], name=op.f('fk_dispute_order_id_network_order')),
    sa.ForeignKeyConstraint(['order_line_id'], ['network_order_line.id'], name=op.f('fk_dispute_order_line_id_network_order_line')),
    sa.ForeignKeyConstraint(['return_shipment_id'], ['shipment.id'], name=op.f('fk_dispute_return_shipment_id_shipment')),
    sa.ForeignKeyConstraint(['shipment_id'], ['shipment.id'], name=op.f('fk_dispute_shipment_id_shipment')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_dispute')),
    sa.UniqueConstraint('shipment_id', 'order_line_id', 'problem', name='one_dispute_per_line_and_problem')
    )
    op.create_index('ix_dispute_open', 'dispute', ['answer_by_on'], unique=False, postgresql_where=sa.text("state <> 'SETTLED'"))
    op.create_index(op.f('ix_dispute_order_id'), 'dispute', ['order_id'], unique=False)
    op.create_table('shipment_watch',
    sa.Column('shipment_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('is_open', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.Column('next_ask_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('asked', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('failures', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('needs_person', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('last_note', sa.Text(), server_default='', nullable=False),
    sa.Column('last_answer_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('failures >= 0', name=op.f('ck_shipment_watch_failures_are_counted')),
    sa.ForeignKeyConstraint(['shipment_id'], ['shipment.id'], name=op.f('fk_shipment_watch_shipment_id_shipment')),
    sa.PrimaryKeyConstraint('shipment_id', name=op.f('pk_shipment_watch'))
    )
    op.create_index('ix_shipment_watch_due', 'shipment_watch', ['next_ask_at'], unique=False, postgresql_where=sa.text('is_open AND NOT needs_person'))
    op.create_table('delivery_receipt_line',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('receipt_id', sa.BigInteger(), nullable=False),
    sa.Column('order_line_id', sa.BigInteger(), nullable=False),
    sa.Column('accepted', sa.BigInteger(), nullable=False),
    sa.Column('damaged', sa.BigInteger(), nullable=False),
    sa.Column('missing', sa.BigInteger(), nullable=False),
    sa.CheckConstraint('accepted + damaged + missing > 0', name=op.f('ck_delivery_receipt_line_says_something')),
    sa.CheckConstraint('accepted >= 0 AND damaged >= 0 AND missing >= 0', name=op.f('ck_delivery_receipt_line_pieces_are_counted')),
    sa.ForeignKeyConstraint(['order_line_id'], ['network_order_line.id'], name=op.f('fk_delivery_receipt_line_order_line_id_network_order_line')),
    sa.ForeignKeyConstraint(['receipt_id'], ['delivery_receipt.id'], name=op.f('fk_delivery_receipt_line_receipt_id_delivery_receipt')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_delivery_receipt_line')),
    sa.UniqueConstraint('receipt_id', 'order_line_id', name='one_answer_per_line')
    )
    op.create_table('dispute_message',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('dispute_id', sa.BigInteger(), nullable=False),
    sa.Column('author', sa.Text(), nullable=False),
    sa.Column('author_person_id', sa.BigInteger(), nullable=True),
    sa.Column('author_role', sa.Text(), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('said_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("body <> ''", name=op.f('ck_dispute_message_says_something')),
    sa.ForeignKeyConstraint(['author_person_id'], ['person.id'], name=op.f('fk_dispute_message_author_person_id_person')),
    sa.ForeignKeyConstraint(['dispute_id'], ['dispute.id'], name=op.f('fk_dispute_message_dispute_id_dispute')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_dispute_message'))
    )
    op.create_index(op.f('ix_dispute_message_dispute_id_id'), 'dispute_message', ['dispute_id', 'id'], unique=False)
    op.create_table('dispute_photo',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('dispute_id', sa.BigInteger(), nullable=False),
    sa.Column('sha256', sa.Text(), nullable=False),
    sa.Column('width', sa.BigInteger(), nullable=False),
    sa.Column('height', sa.BigInteger(), nullable=False),
    sa.Column('jpeg', sa.LargeBinary(), nullable=False),
    sa.Column('taken_by', sa.Text(), nullable=False),
    sa.Column('added_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.ForeignKeyConstraint(['dispute_id'], ['dispute.id'], name=op.f('fk_dispute_photo_dispute_id_dispute')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_dispute_photo')),
    sa.UniqueConstraint('dispute_id', 'sha256', name='one_copy_of_a_picture')
    )
    op.add_column('escrow_refund', sa.Column('for_pieces', sa.Boolean(), server_default=sa.text('false'), nullable=False))
    op.add_column('network_order_line', sa.Column('disputed_quantity', sa.BigInteger(), server_default=sa.text('0'), nullable=False))
    op.add_column('network_order_line', sa.Column('refunded_quantity', sa.BigInteger(), server_default=sa.text('0'), nullable=False))
    op.add_column('network_order_line', sa.Column('cancelled_quantity', sa.BigInteger(), server_default=sa.text('0'), nullable=False))
    op.add_column('network_order_line', sa.Column('replaced_quantity', sa.BigInteger(), server_default=sa.text('0'), nullable=False))
    op.add_column('organisation', sa.Column('district', sa.Text(), server_default='', nullable=False))
    op.add_column('organisation', sa.Column('postal_code', sa.Text(), server_default='', nullable=False))
    op.add_column('shipment', sa.Column('direction', sa.Text(), server_default='OUT', nullable=False))
    op.add_column('shipment', sa.Column('carrier_code', sa.Text(), server_default='manual', nullable=False))
    op.add_column('shipment', sa.Column('tracking_url', sa.Text(), server_default='', nullable=False))
    op.add_column('shipment', sa.Column('carrier_status', sa.Text(), nullable=True))
    op.add_column('shipment', sa.Column('carrier_words', sa.Text(), server_default='', nullable=False))
    op.add_column('shipment', sa.Column('attention', sa.Text(), server_default='', nullable=False))
    op.add_column('shipment', sa.Column('label_prints', sa.BigInteger(), server_default=sa.text('0'), nullable=False))
    op.create_index('ix_shipment_needing_somebody', 'shipment', ['id'], unique=False, postgresql_where=sa.text("attention <> ''"))
    for table, gone, checks in CHECKS:
        for name in gone:
            op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
        for name, rule in checks.items():
            op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, rule)
    for table in APPEND_ONLY:
        keep_history(table)


APPEND_ONLY = ("carrier_scan", "delivery_receipt", "delivery_receipt_line", "dispute_message", "dispute_photo")
PARCEL_STATES = "'PLANNED', 'PACKED', 'HANDED_OVER', 'DELIVERED', 'ACCEPTED', 'OBJECTED', 'RETURNED', 'LOST', 'CANCELLED'"
TRACKED = (
    "'CREATED', 'LABELLED', 'PICKED_UP', 'IN_TRANSIT', 'OUT_FOR_DELIVERY', 'READY_FOR_PICKUP', 'ATTEMPT_FAILED',"
    " 'LOST', 'DELIVERED', 'RETURNED', 'CANCELLED', 'UNKNOWN'"
)
# Alembic does not see changes of CHECKs: table, names that go, names and rules that come.
CHECKS = [
    (
        "network_order_line",
        ["never_ships_more_than_ordered", "never_accepts_more_than_shipped"],
        {
            "never_ships_more_than_ordered": "shipped_quantity + cancelled_quantity <= quantity",
            "never_answers_more_than_shipped": (
                "accepted_quantity + disputed_quantity + refunded_quantity <= shipped_quantity"
            ),
            "pieces_are_never_negative": (
                "shipped_quantity >= 0 AND accepted_quantity >= 0 AND disputed_quantity >= 0"
                " AND refunded_quantity >= 0 AND cancelled_quantity >= 0 AND replaced_quantity >= 0"
            ),
        },
    ),
    (
        "shipment",
        ["state_known", "delivery_is_dated", "acceptance_is_dated"],
        {
            "state_known": f"state IN ({PARCEL_STATES})",
            "delivery_is_dated": "state NOT IN ('DELIVERED', 'ACCEPTED', 'OBJECTED') OR delivered_on IS NOT NULL",
            "acceptance_is_dated": "state NOT IN ('ACCEPTED', 'OBJECTED') OR accepted_at IS NOT NULL",
            "direction_known": "direction IN ('OUT', 'RETURN')",
            "carrier_status_known": f"carrier_status IS NULL OR carrier_status IN ({TRACKED})",
        },
    ),
    ("organisation", [], {"postal_code_is_five_digits": "postal_code ~ '^([0-9]{5})?$'"}),
]


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
    """Answers and disputes are history: there is no way back that keeps them."""
    raise RuntimeError("restore a backup instead")
