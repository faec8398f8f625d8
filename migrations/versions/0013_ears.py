"""Whether a storefront tells us what happens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0013_ears'
down_revision = '0012_package_labels'
branch_labels = None
depends_on = None

TABLE = 'storefront_sync'
CHECKS = {
    'ear_known': "ear IN ('', 'ON', 'SWITCHED_ON', 'SUBSCRIBED', 'TROUBLE')",
    'a_look_is_dated': "(ear = '') = (ear_seen_at IS NULL)",
}


def upgrade() -> None:
    for name in ('ear', 'ear_note'):
        op.add_column(TABLE, sa.Column(name, sa.Text(), server_default='', nullable=False))
    for name in ('ear_seen_at', 'ear_mended_at'):
        op.add_column(TABLE, sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    for name, condition in CHECKS.items():
        op.create_check_constraint(op.f(f'ck_{TABLE}_{name}'), TABLE, condition)


def downgrade() -> None:
    for name in CHECKS:
        op.drop_constraint(op.f(f'ck_{TABLE}_{name}'), TABLE)
    for name in ('ear_mended_at', 'ear_seen_at', 'ear_note', 'ear'):
        op.drop_column(TABLE, name)
