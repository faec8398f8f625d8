"""What else history may forget in time: pictures of disputes, and carriers' own words."""

from __future__ import annotations

from alembic import op

revision = '0011_forgetting'
down_revision = '0010_receivables'
branch_labels = None
depends_on = None

# As before, but a picture is empty where a text is '': only whatever the column holds when it holds nothing.
FORGETS = """
CREATE OR REPLACE FUNCTION history_forgets_one_column() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  forgets text := TG_ARGV[0];
  born timestamptz := (to_jsonb(OLD) ->> TG_ARGV[1])::timestamptz;
BEGIN
  IF TG_OP = 'UPDATE' AND current_setting('emanet.retention', true) = 'on'
      AND to_jsonb(NEW) - forgets = to_jsonb(OLD) - forgets AND to_jsonb(NEW) ->> forgets IN ('', '\\x')
      AND born < clock_timestamp() - make_interval(days => TG_ARGV[2]::int) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION '% is history: rows are only added, corrections are new rows', TG_TABLE_NAME
    USING ERRCODE = 'integrity_constraint_violation';
END $$
"""
# table: the column that may be emptied, its date, and the fewest days it is kept.
MAY_FORGET = {
    "dispute_photo": ("jpeg", "added_at", 30),
    "commission_dispute_attachment": ("jpeg", "added_at", 30),
    "carrier_scan": ("words", "heard_at", 30),
}


def upgrade() -> None:
    op.execute(FORGETS)
    for table, (column, date, days) in MAY_FORGET.items():
        op.execute(f"DROP TRIGGER {table}_is_history ON {table}")
        op.execute(
            f"CREATE TRIGGER {table}_is_history BEFORE UPDATE OR DELETE ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION history_forgets_one_column('{column}', '{date}', '{days}')"
        )


def downgrade() -> None:
    """What was forgotten does not come back."""
    raise RuntimeError("restore a backup instead")
