"""Letters: written down, then sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('mail_message',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('message_id', sa.Text(), nullable=False),
    sa.Column('recipient', sa.Text(), nullable=False),
    sa.Column('recipient_person_id', sa.BigInteger(), nullable=True),
    sa.Column('language', sa.Text(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('text_body', sa.Text(), nullable=False),
    sa.Column('html_body', sa.Text(), nullable=False),
    sa.Column('about_kind', sa.Text(), nullable=False),
    sa.Column('about_id', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), server_default='WRITTEN', nullable=False),
    sa.Column('attempts', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('silences', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('next_attempt_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=True),
    sa.Column('last_note', sa.Text(), server_default='', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("(state = 'SENDING') = (lease_until IS NOT NULL)", name=op.f('ck_mail_message_leased_while_sending')),
    sa.CheckConstraint("(state = 'SENT') = (sent_at IS NOT NULL)", name=op.f('ck_mail_message_what_was_sent_is_dated')),
    sa.CheckConstraint("language IN ('tr', 'en')", name=op.f('ck_mail_message_language_known')),
    sa.CheckConstraint("message_id ~ '^<[^<>@[:space:]]+@[^<>@[:space:]]+>$'", name=op.f('ck_mail_message_message_id_is_well_formed')),
    sa.CheckConstraint("recipient !~ '[[:cntrl:]]' AND subject !~ '[[:cntrl:]]'", name=op.f('ck_mail_message_headers_are_one_line')),
    sa.CheckConstraint("state <> 'UNKNOWN' OR silences > 0", name=op.f('ck_mail_message_unknown_comes_from_silence')),
    sa.CheckConstraint("state IN ('WRITTEN', 'SENDING', 'UNKNOWN', 'SENT', 'REFUSED', 'GIVEN_UP')", name=op.f('ck_mail_message_state_known')),
    sa.CheckConstraint("state NOT IN ('WRITTEN', 'SENDING') OR next_attempt_at IS NOT NULL", name=op.f('ck_mail_message_what_waits_has_a_time')),
    sa.CheckConstraint('silences BETWEEN 0 AND 2', name=op.f('ck_mail_message_sent_again_at_most_once_after_silence')),
    sa.ForeignKeyConstraint(['recipient_person_id'], ['person.id'], name=op.f('fk_mail_message_recipient_person_id_person')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_mail_message')),
    sa.UniqueConstraint('key', name=op.f('uq_mail_message_key')),
    sa.UniqueConstraint('message_id', name=op.f('uq_mail_message_message_id'))
    )
    op.create_index(op.f('ix_mail_message_about_kind_about_id'), 'mail_message', ['about_kind', 'about_id'], unique=False)
    op.create_index('ix_mail_message_due', 'mail_message', ['next_attempt_at'], unique=False, postgresql_where=sa.text('next_attempt_at IS NOT NULL'))
    op.create_index(op.f('ix_mail_message_recipient_person_id_id'), 'mail_message', ['recipient_person_id', 'id'], unique=False)
    op.create_index(op.f('ix_mail_message_state_id'), 'mail_message', ['state', 'id'], unique=False)


def downgrade() -> None:
    """Letters that wait to be sent would be lost."""
    raise RuntimeError("restore a backup instead")
