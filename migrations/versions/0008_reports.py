"""Schedules, reports, letters with files, media, troubles; and what history may forget."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0008_reports'
down_revision = '0007_packing'
branch_labels = None
depends_on = None

# The only change history allows: after so many days, and only while the retention job says so, this one column is emptied.
FORGETS = """
CREATE FUNCTION history_forgets_one_column() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  forgets text := TG_ARGV[0];
  born timestamptz := (to_jsonb(OLD) ->> TG_ARGV[1])::timestamptz;
BEGIN
  IF TG_OP = 'UPDATE' AND current_setting('emanet.retention', true) = 'on'
      AND to_jsonb(NEW) - forgets = to_jsonb(OLD) - forgets AND to_jsonb(NEW) ->> forgets = ''
      AND born < clock_timestamp() - make_interval(days => TG_ARGV[2]::int) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION '% is history: rows are only added, corrections are new rows', TG_TABLE_NAME
    USING ERRCODE = 'integrity_constraint_violation';
END $$
"""
# table: the column with a provider's own words, its date, and the fewest days it is kept.
MAY_FORGET = {"event_inbox_attempt": ("note", "ended_at", 30), "provider_attempt": ("note", "ended_at", 30)}
MAIL_STATES = "'WRITTEN', 'SENDING', 'UNKNOWN', 'SENT', 'REFUSED', 'GIVEN_UP', 'BOUNCED'"


def upgrade() -> None:
    # The code's own jobs become rows when a scheduler first looks; their next slot is then the latest one.
    op.drop_table('schedule_tick')
    op.create_table('mail_enclosure',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('media_type', sa.Text(), nullable=False),
    sa.Column('size_bytes', sa.BigInteger(), nullable=False),
    sa.Column('digest', sa.Text(), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=True),
    sa.Column('forgotten_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('recorded_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint("name <> '' AND name !~ '[[:cntrl:]/\\\\]'", name=op.f('ck_mail_enclosure_name_is_a_plain_file_name')),
    sa.CheckConstraint('(content IS NULL) = (forgotten_at IS NOT NULL)', name=op.f('ck_mail_enclosure_what_is_gone_is_dated')),
    sa.CheckConstraint('size_bytes >= 0', name=op.f('ck_mail_enclosure_size_is_counted')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_mail_enclosure'))
    )
    op.create_table('media_file',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('path', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('media_type', sa.Text(), server_default='', nullable=False),
    sa.Column('size_bytes', sa.BigInteger(), nullable=False),
    sa.Column('width', sa.BigInteger(), nullable=True),
    sa.Column('height', sa.BigInteger(), nullable=True),
    sa.Column('barcode', sa.Text(), nullable=True),
    sa.Column('modified_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('thumbnail', sa.LargeBinary(), nullable=True),
    sa.Column('trouble', sa.Text(), server_default='', nullable=False),
    sa.Column('gone_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('seen_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint("(kind = 'PICTURE') = (thumbnail IS NOT NULL)", name=op.f('ck_media_file_pictures_have_a_thumbnail')),
    sa.CheckConstraint("barcode <> ''", name=op.f('ck_media_file_barcode_is_a_barcode')),
    sa.CheckConstraint("kind <> 'OTHER' OR trouble <> ''", name=op.f('ck_media_file_what_is_not_shown_says_why')),
    sa.CheckConstraint("kind IN ('PICTURE', 'BROCHURE', 'OTHER')", name=op.f('ck_media_file_kind_known')),
    sa.CheckConstraint("path <> '' AND path !~ '(^|/)\\.\\.?(/|$)' AND path !~ '^/'", name=op.f('ck_media_file_path_stays_in_the_folder')),
    sa.CheckConstraint('size_bytes >= 0', name=op.f('ck_media_file_size_is_counted')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_media_file')),
    sa.UniqueConstraint('path', name=op.f('uq_media_file_path'))
    )
    op.create_index(op.f('ix_media_file_barcode'), 'media_file', ['barcode'], unique=False)
    op.create_index(op.f('ix_media_file_kind_id'), 'media_file', ['kind', 'id'], unique=False)
    op.create_table('media_look',
    sa.Column('id', sa.SmallInteger(), autoincrement=False, nullable=False),
    sa.Column('looked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('succeeded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('trouble', sa.Text(), server_default='', nullable=False),
    sa.Column('files', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.CheckConstraint('id = 1', name=op.f('ck_media_look_there_is_only_one')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_media_look'))
    )
    op.create_table('schedule',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('task', sa.Text(), nullable=False),
    sa.Column('parameters', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('cron', sa.Text(), server_default='', nullable=False),
    sa.Column('every_seconds', sa.BigInteger(), nullable=True),
    sa.Column('zone', sa.Text(), server_default='Europe/Istanbul', nullable=False),
    sa.Column('catch_up', sa.Text(), server_default='ONCE', nullable=False),
    sa.Column('late_after_seconds', sa.BigInteger(), server_default=sa.text('300'), nullable=False),
    sa.Column('is_on', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.Column('off_because', sa.Text(), server_default='', nullable=False),
    sa.Column('off_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('dealt_until_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_by', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint("(cron = '') = (every_seconds IS NOT NULL)", name=op.f('ck_schedule_cron_line_or_interval')),
    sa.CheckConstraint("catch_up IN ('SKIP', 'ONCE', 'EACH')", name=op.f('ck_schedule_catch_up_known')),
    sa.CheckConstraint("is_on OR off_because <> ''", name=op.f('ck_schedule_off_says_why')),
    sa.CheckConstraint("kind IN ('JOB', 'REPORT')", name=op.f('ck_schedule_kind_known')),
    sa.CheckConstraint("name <> '' AND task <> ''", name=op.f('ck_schedule_says_what_it_does')),
    sa.CheckConstraint('NOT is_on OR off_until IS NULL', name=op.f('ck_schedule_only_what_is_off_comes_back')),
    sa.CheckConstraint('every_seconds >= 10', name=op.f('ck_schedule_not_more_often_than_every_ten_seconds')),
    sa.CheckConstraint('late_after_seconds > 0', name=op.f('ck_schedule_lateness_has_a_measure')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_schedule')),
    sa.UniqueConstraint('name', name=op.f('uq_schedule_name'))
    )
    op.create_index(op.f('ix_schedule_task'), 'schedule', ['task'], unique=False)
    op.create_table('scheduler_seat',
    sa.Column('id', sa.SmallInteger(), autoincrement=False, nullable=False),
    sa.Column('holder', sa.Text(), nullable=False),
    sa.Column('since', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('id = 1', name=op.f('ck_scheduler_seat_there_is_only_one')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_scheduler_seat'))
    )
    op.create_table('trouble',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('level', sa.Text(), nullable=False),
    sa.Column('module', sa.Text(), nullable=False),
    sa.Column('fingerprint', sa.Text(), nullable=False),
    sa.Column('message', sa.Text(), nullable=False),
    sa.Column('trace', sa.Text(), nullable=False),
    sa.Column('request_id', sa.Text(), nullable=False),
    sa.Column('job', sa.Text(), nullable=False),
    sa.Column('process', sa.Text(), nullable=False),
    sa.Column('told_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("level IN ('ERROR', 'CRITICAL')", name=op.f('ck_trouble_level_known')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_trouble'))
    )
    op.create_index(op.f('ix_trouble_at'), 'trouble', ['at'], unique=False)
    op.create_index(op.f('ix_trouble_fingerprint_id'), 'trouble', ['fingerprint', 'id'], unique=False)
    op.create_table('schedule_tick',
    sa.Column('schedule_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('outcome', sa.Text(), server_default='WAITING', nullable=False),
    sa.Column('by_hand', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('asked_by', sa.Text(), server_default='', nullable=False),
    sa.Column('late', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('attempts', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('runner', sa.Text(), server_default='', nullable=False),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('recorded_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('begun_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('note', sa.Text(), server_default='', nullable=False),
    sa.CheckConstraint("(outcome = 'RUNNING') = (lease_until IS NOT NULL)", name=op.f('ck_schedule_tick_leased_while_running')),
    sa.CheckConstraint("by_hand = (asked_by <> '')", name=op.f('ck_schedule_tick_who_asked_by_hand_is_named')),
    sa.CheckConstraint("outcome IN ('WAITING', 'RUNNING', 'DONE', 'FAILED', 'MISSED')", name=op.f('ck_schedule_tick_outcome_known')),
    sa.CheckConstraint("outcome NOT IN ('DONE', 'FAILED', 'MISSED') OR ended_at IS NOT NULL", name=op.f('ck_schedule_tick_ends_are_dated')),
    sa.CheckConstraint('attempts >= 0', name=op.f('ck_schedule_tick_attempts_are_counted')),
    sa.ForeignKeyConstraint(['schedule_id'], ['schedule.id'], name=op.f('fk_schedule_tick_schedule_id_schedule')),
    sa.PrimaryKeyConstraint('schedule_id', 'due_at', name=op.f('pk_schedule_tick'))
    )
    op.create_index(op.f('ix_schedule_tick_due_at'), 'schedule_tick', ['due_at'], unique=False)
    op.create_index('ix_schedule_tick_open', 'schedule_tick', ['due_at'], unique=False, postgresql_where=sa.text("outcome IN ('WAITING', 'RUNNING')"))
    op.create_table('report_reader',
    sa.Column('schedule_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('person_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('added_by', sa.Text(), nullable=False),
    sa.Column('added_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_report_reader_person_id_person')),
    sa.ForeignKeyConstraint(['schedule_id'], ['schedule.id'], name=op.f('fk_report_reader_schedule_id_schedule')),
    sa.PrimaryKeyConstraint('schedule_id', 'person_id', name=op.f('pk_report_reader'))
    )
    op.create_index(op.f('ix_report_reader_person_id'), 'report_reader', ['person_id'], unique=False)
    op.create_table('report_run',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('report', sa.Text(), nullable=False),
    sa.Column('parameters', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('as_of_on', sa.Date(), nullable=False),
    sa.Column('organisation_id', sa.BigInteger(), nullable=True),
    sa.Column('schedule_id', sa.BigInteger(), nullable=True),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('late', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('asked_by', sa.Text(), nullable=False),
    sa.Column('asked_by_person_id', sa.BigInteger(), nullable=True),
    sa.Column('language', sa.Text(), server_default='tr', nullable=False),
    sa.Column('state', sa.Text(), server_default='ASKED', nullable=False),
    sa.Column('attempts', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('next_attempt_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('row_count', sa.BigInteger(), nullable=True),
    sa.Column('totals', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('enclosure_id', sa.BigInteger(), nullable=True),
    sa.Column('last_note', sa.Text(), server_default='', nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('begun_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("(state = 'BUILDING') = (lease_until IS NOT NULL)", name=op.f('ck_report_run_leased_while_building')),
    sa.CheckConstraint("(state = 'BUILT') = (row_count IS NOT NULL AND totals IS NOT NULL AND enclosure_id IS NOT NULL)", name=op.f('ck_report_run_what_is_built_has_its_totals_and_file')),
    sa.CheckConstraint("language IN ('tr', 'en')", name=op.f('ck_report_run_language_known')),
    sa.CheckConstraint("report <> ''", name=op.f('ck_report_run_says_which_report')),
    sa.CheckConstraint("state IN ('ASKED', 'BUILDING', 'BUILT', 'FAILED')", name=op.f('ck_report_run_state_known')),
    sa.CheckConstraint("state NOT IN ('BUILT', 'FAILED') OR ended_at IS NOT NULL", name=op.f('ck_report_run_ends_are_dated')),
    sa.CheckConstraint('(schedule_id IS NULL) = (asked_by_person_id IS NOT NULL)', name=op.f('ck_report_run_a_person_or_a_schedule_asked')),
    sa.CheckConstraint('(schedule_id IS NULL) = (due_at IS NULL)', name=op.f('ck_report_run_a_slot_has_its_schedule')),
    sa.CheckConstraint('row_count >= 0', name=op.f('ck_report_run_rows_are_counted')),
    sa.ForeignKeyConstraint(['asked_by_person_id'], ['person.id'], name=op.f('fk_report_run_asked_by_person_id_person')),
    sa.ForeignKeyConstraint(['enclosure_id'], ['mail_enclosure.id'], name=op.f('fk_report_run_enclosure_id_mail_enclosure')),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_report_run_organisation_id_organisation')),
    sa.ForeignKeyConstraint(['schedule_id', 'due_at'], ['schedule_tick.schedule_id', 'schedule_tick.due_at'], name='slot_is_written_down'),
    sa.ForeignKeyConstraint(['schedule_id'], ['schedule.id'], name=op.f('fk_report_run_schedule_id_schedule')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_report_run')),
    sa.UniqueConstraint('schedule_id', 'due_at', 'organisation_id', name='one_run_per_slot_and_company', postgresql_nulls_not_distinct=True)
    )
    op.create_index(op.f('ix_report_run_asked_by_person_id_id'), 'report_run', ['asked_by_person_id', 'id'], unique=False)
    op.create_index('ix_report_run_due', 'report_run', ['next_attempt_at'], unique=False, postgresql_where=sa.text("state IN ('ASKED', 'BUILDING')"))
    op.create_index(op.f('ix_report_run_report_id'), 'report_run', ['report', 'id'], unique=False)
    op.add_column('mail_message', sa.Column('bounced_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('mail_message', sa.Column('enclosure_id', sa.BigInteger(), nullable=True))
    op.add_column('mail_message', sa.Column('unsubscribe_url', sa.Text(), server_default='', nullable=False))
    op.create_foreign_key(op.f('fk_mail_message_enclosure_id_mail_enclosure'), 'mail_message', 'mail_enclosure', ['enclosure_id'], ['id'])
    change_mail_checks()
    op.execute(FORGETS)
    for table, (column, date, days) in MAY_FORGET.items():
        op.execute(f"DROP TRIGGER {table}_is_history ON {table}")
        op.execute(
            f"CREATE TRIGGER {table}_is_history BEFORE UPDATE OR DELETE ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION history_forgets_one_column('{column}', '{date}', '{days}')"
        )


def change_mail_checks() -> None:
    """A letter may come back; one that was sent and came back keeps both dates."""
    for name in ("state_known", "what_was_sent_is_dated"):
        op.drop_constraint(op.f(f"ck_mail_message_{name}"), "mail_message", type_="check")
    op.create_check_constraint(op.f("ck_mail_message_state_known"), "mail_message", f"state IN ({MAIL_STATES})")
    op.create_check_constraint(
        op.f("ck_mail_message_what_was_sent_is_dated"), "mail_message", "state <> 'SENT' OR sent_at IS NOT NULL"
    )
    op.create_check_constraint(
        op.f("ck_mail_message_what_came_back_is_dated"), "mail_message",
        "(state = 'BOUNCED') = (bounced_at IS NOT NULL)",
    )


def downgrade() -> None:
    """Reports and slots are history."""
    raise RuntimeError("restore a backup instead")
